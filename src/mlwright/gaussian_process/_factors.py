"""Factors of covariance matrices; Ctrl-C is heard while BLAS and LAPACK take their n^3 operations."""

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from mlwright._runtime.interruptible import interruptible

_OPERATIONS = 4e9  # of one call that keeps the GIL, about: a twentieth of a second
_SHORT = 2e7  # operations of a call that is over before the start of a thread for it would count


def _call(operations, routine, *args, **options):
    if operations < _SHORT:
        return routine(*args, **options)
    return interruptible(routine, *args, **options)


def factorise(K):
    """The upper triangle U of ``K = U' U``, zero below, in place of K of which the upper one is read; or None."""
    factor, failed = _call(len(K) ** 3 / 3, dpotrf, K.T, lower=1, overwrite_a=1, clean=1)
    return None if failed or not np.isfinite(factor.diagonal()).all() else factor.T


def inverse(upper):
    """The upper triangle of ``(U' U)^-1``, in place of U."""
    return _call(2 * len(upper) ** 3 / 3, dpotri, upper.T, lower=1, overwrite_c=1)[0].T


def solve(upper, y):
    """``(U' U)^-1 y`` of few columns."""
    return np.ascontiguousarray(dpotrs(upper.T, y, lower=1)[0])


def whiten(upper, columns):
    """``U'^-1`` times many columns."""
    n, m = columns.shape
    out = np.empty((n, m), order="F")
    step = max(1, int(_OPERATIONS / max(1, n * n)))
    for start in range(0, m, step):
        some = slice(start, start + step)
        out[:, some] = solve_triangular(upper, columns[:, some], trans="T", check_finite=False)
    return out


def products(columns):
    """``V' V`` of many columns."""
    n, m = columns.shape
    return _call(n * m**2, np.matmul, columns.T, columns)


def half_log_det(upper):
    """Half the logarithm of the determinant of ``U' U``."""
    return float(np.log(upper.diagonal()).sum())
