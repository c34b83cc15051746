# cython: language_level=3
"""Hands SciPy's BLAS and LAPACK function pointers to the core: no second BLAS in the process."""
