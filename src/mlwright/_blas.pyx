# cython: language_level=3
"""Finds SciPy's BLAS and LAPACK routines for the core: no second BLAS in the process.

SciPy publishes each routine as a capsule whose name is its C signature. They are read at run time instead of cimported:
a cimport would fix the width of BLAS integers when mlwright is built, but since SciPy 1.18 it depends on the SciPy that is
installed (``int``, or ``int64_t`` in ILP64 builds), and it would make SciPy a build requirement.
"""

from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdint cimport uintptr_t


def integer_width(signature):
    """32 or 64: how the routine of that C signature counts.

    >>> integer_width("void (char *, int *, double *, int *, int *)")
    32
    """
    arguments = signature.partition("(")[2].replace(")", "").split(",")
    types = {argument.replace("*", "").strip() for argument in arguments}
    if types & {"int64_t", "long", "npy_int64"}:
        return 64
    if "int" in types:
        return 32
    raise ImportError(
        f"SciPy BLAS signature: got {signature!r}, expected arguments of type int or int64_t; "
        "install a SciPy from 1.13 on that mlwright was tested with"
    )


def find(names):
    """Addresses of routines such as ``"dgemm"`` as integers, in order, and the width of their integers.

    Returns
    -------
    addresses : list of int
    width : int
        32 or 64.
    """
    from scipy.linalg import cython_blas, cython_lapack

    cdef const char* signature
    capsules = {**cython_lapack.__pyx_capi__, **cython_blas.__pyx_capi__}
    addresses, widths = [], set()
    for name in names:
        if name not in capsules:
            raise ImportError(f"SciPy BLAS: has no routine {name}; install a SciPy from 1.13 on")
        capsule = capsules[name]
        signature = PyCapsule_GetName(capsule)
        addresses.append(<uintptr_t>PyCapsule_GetPointer(capsule, signature))
        widths.add(integer_width(signature.decode()))
    if len(widths) != 1:
        raise ImportError(f"SciPy BLAS: its routines count in {sorted(widths)} bits at once; expected one width")
    return addresses, widths.pop()
