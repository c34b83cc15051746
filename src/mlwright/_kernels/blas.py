"""Dense linear algebra through SciPy's BLAS and LAPACK, in float64, or float32 where every input is.

Matrices come back in Fortran order. Signs that mathematics leaves open (of eigenvectors, singular vectors, the rows of
R) are LAPACK's; :func:`eigh`, :func:`svd` and :func:`qr` fix them, so that equal problems have one answer.
"""

import numpy as np

from mlwright._native import core, require_blas
from mlwright._runtime.registry import Tolerance, kernel

require_blas()

# What float32 needs on the generated problems, whose condition numbers stay below 100.
_TOLERANCE = Tolerance(rtol=1e-3, atol=1e-3)


def _common(*arrays):
    dtype = np.float32 if all(np.asarray(a).dtype == np.float32 for a in arrays) else np.float64
    return dtype, [np.array(a, dtype=dtype, order="F") for a in arrays]


def _signs_of_columns(v):
    """+1 or -1 for each column: the sign of its entry of largest magnitude."""
    largest = v[np.argmax(np.abs(v), axis=0), np.arange(v.shape[1])]
    return np.where(largest < 0, -1, 1).astype(v.dtype)


@kernel(native="blas.solve_spd", twin="blas:solve_spd", strategy="blas:positive_definite_system", tolerance=_TOLERANCE)
def solve_spd(a, b):
    """Solution of ``a @ x = b`` for a symmetric positive definite ``a``, by its Cholesky factor.

    Only the lower triangle of ``a`` is read.

    Parameters
    ----------
    a : ndarray of shape (n, n)
    b : ndarray of shape (n, k)

    Returns
    -------
    x : ndarray of shape (n, k)

    Raises
    ------
    NumericalError
        If ``a`` is not positive definite to working precision.
    """
    _, (factor, x) = _common(a, b)
    core.blas.solve_spd(factor, x)
    return x


@kernel(native="blas.invert_spd", twin="blas:invert_spd", strategy="blas:positive_definite", tolerance=_TOLERANCE)
def invert_spd(a):
    """Inverse (n, n) of a symmetric positive definite ``a``, of which the lower triangle is read."""
    return _inverse_and_rcond(a)[0]


def rcond_spd(a):
    """LAPACK's estimate of the reciprocal condition number in the 1-norm; at least the exact one, rarely thrice it."""
    return _inverse_and_rcond(a)[1]


def _inverse_and_rcond(a):
    dtype, (inverse,) = _common(a)
    symmetric = np.tril(inverse) + np.tril(inverse, -1).T
    rcond = core.blas.invert_spd(inverse, dtype(np.abs(symmetric).sum(axis=0).max()))
    return np.tril(inverse) + np.tril(inverse, -1).T, rcond


@kernel(native="blas.eigh", twin="blas:eigh", strategy="blas:separated_symmetric", tolerance=_TOLERANCE)
def eigh(a):
    """Eigenvalues (n,), ascending, and eigenvectors (n, n), one a column, of a symmetric ``a``; lower triangle read."""
    dtype, (vectors,) = _common(a)
    values = np.empty(vectors.shape[0], dtype=dtype)
    core.blas.eigh(vectors, values)
    return values, vectors * _signs_of_columns(vectors)


@kernel(native="blas.svd", twin="blas:svd", strategy="blas:separated_matrix", tolerance=_TOLERANCE)
def svd(a):
    """Thin singular value decomposition: ``u`` (m, r), ``s`` (r,) descending, ``vt`` (r, n), r = min(m, n)."""
    dtype, (work,) = _common(a)
    (m, n), r = work.shape, min(work.shape)
    u, s, vt = np.empty((m, r), dtype, "F"), np.empty(r, dtype), np.empty((r, n), dtype, "F")
    core.blas.svd(work, u, s, vt)
    signs = _signs_of_columns(u)
    return u * signs, s, vt * signs[:, None]


@kernel(native="blas.lstsq", twin="blas:lstsq", strategy="blas:least_squares", tolerance=_TOLERANCE)
def lstsq(a, b, rcond=-1.0):
    """Minimum-norm least squares ``x`` (n, k) of ``a @ x = b``, the rank used, and the singular values of ``a``.

    Singular values below ``rcond`` times the largest count as zero; a negative ``rcond`` is the machine precision.
    """
    dtype, (work, rhs) = _common(a, b)
    (m, n), k = work.shape, rhs.shape[1]
    x = np.zeros((max(m, n), k), dtype, "F")
    x[:m] = rhs
    s = np.empty(min(m, n), dtype)
    rank = core.blas.lstsq(work, x, s, rcond)
    return x[:n], rank, s


@kernel(native="blas.qr", twin="blas:qr", strategy="blas:tall_matrix", tolerance=_TOLERANCE)
def qr(a):
    """Thin QR of ``a`` (m, n), m >= n: ``q`` (m, n) and ``r`` (n, n) with a non-negative diagonal."""
    dtype, (q,) = _common(a)
    r = np.empty((q.shape[1],) * 2, dtype, "F")
    core.blas.qr(q, r)
    signs = np.where(np.diag(r) < 0, -1, 1).astype(dtype)
    return q * signs, r * signs[:, None]


@kernel(native="blas.matmul", twin="blas:matmul", strategy="blas:matrix_product", tolerance=_TOLERANCE)
def matmul(a, b):
    """``a @ b``."""
    dtype, (a, b) = _common(a, b)
    out = np.empty((a.shape[0], b.shape[1]), dtype, "F")
    core.blas.matmul(a, b, out)
    return out


@kernel(native="blas.matvec", twin="blas:matvec", strategy="blas:matrix_vector", tolerance=_TOLERANCE)
def matvec(a, x):
    """``a @ x`` for a vector."""
    dtype, (a, x) = _common(a, x)
    out = np.empty(a.shape[0], dtype)
    core.blas.matvec(a, x, out)
    return out


@kernel(native="blas.gram", twin="blas:gram", strategy="blas:one_matrix", tolerance=_TOLERANCE)
def gram(a):
    """The lower triangle of ``a.T @ a``, zero above."""
    dtype, (a,) = _common(a)
    out = np.zeros((a.shape[1],) * 2, dtype, "F")
    core.blas.gram(a, out)
    return out


@kernel(native="blas.solve_lower", twin="blas:solve_lower", strategy="blas:lower_system", tolerance=_TOLERANCE)
def solve_lower(lower, b):
    """Solution of ``lower @ x = b``; what lies above the diagonal is not read."""
    _, (lower, x) = _common(lower, b)
    core.blas.solve_lower(lower, x)
    return x
