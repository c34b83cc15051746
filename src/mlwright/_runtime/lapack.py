"""Decompositions that last, by LAPACK: the GIL is released, and Ctrl-C is heard.

NumPy's functions release the GIL, SciPy's (1.17) of the same routines do not.
"""

import numpy as np

from mlwright._runtime.interruptible import interruptible

_LARGE = 400  # rows and columns from which a call may last longer than the start of a thread counts


def eigh(matrix):
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix, of which the lower triangle is read.

    Raises
    ------
    LinAlgError
        Where they do not converge.
    """
    return _call(np.linalg.eigh, matrix)


def svd(matrix):
    """The thin singular value decomposition: ``(U, s, V')``."""
    return _call(np.linalg.svd, matrix, full_matrices=False)


def qr(matrix):
    """Orthonormal columns and the upper triangle of the thin QR decomposition."""
    return _call(np.linalg.qr, matrix)


def lstsq(matrix, y, cond):
    """The shortest least squares solution, sums of squares left, the rank, and the singular values.

    Singular values up to `cond` times the largest are taken for zeros.
    """
    return _call(np.linalg.lstsq, matrix, y, rcond=cond)


def _call(routine, matrix, *args, **options):
    if min(matrix.shape) < _LARGE:
        return routine(matrix, *args, **options)
    return interruptible(routine, matrix, *args, **options)
