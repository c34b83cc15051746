"""Leading singular values and right singular vectors: in full, by Lanczos' method, or from random products.

All return ``(values, vectors)`` with one vector a row, values falling, and the largest entry of each vector positive.
`rows` are a :class:`~mlwright.decomposition._operators.Rows`, whose products are in its unit.

Reference: Halko, Martinsson and Tropp (2011), Finding structure with randomness, algorithms 4.4 and 5.1.
"""

import numpy as np
from scipy import linalg as sla
from scipy.sparse.linalg import svds

from mlwright._kernels import rng
from mlwright._kernels.linalg import affine_map, gram
from mlwright._runtime.lapack import svd

_START = 0x5356 << 32  # stream of random numbers
_LANES = 8  # columns that kernels take at once: what is left of the last eight goes to further samples
_CLEAR = 1e-10  # smallest over largest pivot, squared, down to which Cholesky factors are trusted


def fix_signs(vectors):
    """scikit-learn's rule: the entry of largest magnitude in each row is positive."""
    rows = np.arange(len(vectors))
    highest, lowest = vectors.argmax(axis=1), vectors.argmin(axis=1)
    up, down = vectors[rows, highest], -vectors[rows, lowest]
    return vectors * np.where((up > down) | ((up == down) & (highest < lowest)), 1.0, -1.0)[:, None]


def full(rows):
    """By LAPACK, of a dense copy."""
    values, vectors = svd(rows.dense())[1:]
    return values / rows.unit, fix_signs(vectors)


def arpack(rows, k, tol, seed):
    """SciPy's ``svds`` from a start that the seed fixes."""
    start = 2.0 * rng.uniform(seed, _START, min(rows.shape)) - 1.0
    vectors, values = svds(rows.as_linear_operator(), k=k, tol=tol, v0=start, return_singular_vectors="vh")[2:0:-1]
    order = np.argsort(-values, kind="stable")
    return values[order] / rows.unit, fix_signs(vectors[order])


def randomised(rows, k, n_oversamples, n_iter, seed):
    """From products with random columns and `n_iter` power iterations, on the shorter side of the matrix."""
    n, p = rows.shape
    width = min(-(-(k + n_oversamples) // _LANES) * _LANES, n, p)
    wide = n < p
    forth, back = (rows.transposed_times, rows.times) if wide else (rows.times, rows.transposed_times)
    Z = rng.normal(seed, _START, min(n, p) * width).reshape(-1, width)
    for _ in range(n_iter):
        Z = _orthonormal(rows.squared_times(Z, wide=wide))
    Q = _orthonormal(forth(Z), twice=True)
    left, R = _factored(back(Q), 2)
    inner, values, right = svd(R)
    vectors = right[:k] @ Q.T if wide else inner.T[:k] @ left.T
    return values[:k] / rows.unit, fix_signs(vectors)


def _orthonormal(Z, *, twice=False):
    """An orthonormal basis of the columns of Z; `twice` for one that is so to the last digits."""
    return _factored(Z, 1 + twice)[0]


def _factored(Z, times):
    """Q and R with ``Z = Q R``, by Cholesky factors where these are sound, which is much faster than Householder's QR.

    Reference: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), Roundoff error analysis of the CholeskyQR2 algorithm.
    """
    Q, R = Z, np.eye(Z.shape[1])
    for _ in range(times):
        factor = _cholesky_of_columns(Q)
        if factor is None:
            return sla.qr(Z, mode="economic", check_finite=False)
        inverse = sla.lapack.dtrtri(factor)[0]
        Q, R = affine_map(Q, np.ascontiguousarray(inverse.T), np.zeros(len(inverse))), factor @ R
    return Q, R


def _cholesky_of_columns(Z):
    """The upper triangular R of ``R' R = Z' Z``, or None where rounding would spoil it."""
    square = gram(Z, None, np.zeros(len(Z)), np.ones(Z.shape[1]))
    scale = np.sqrt(square.diagonal())
    if not (scale > 0.0).all():
        return None
    try:
        factor = sla.cholesky(square / np.multiply.outer(scale, scale), check_finite=False)
    except np.linalg.LinAlgError:
        return None
    pivots = factor.diagonal()
    return factor * scale if pivots.min() ** 2 >= _CLEAR * pivots.max() ** 2 else None
