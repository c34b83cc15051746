"""Leading singular values and right singular vectors: in full, by Lanczos' method, or from random products.

All return ``(values, vectors)`` with one vector a row, values falling, and the largest entry of each vector positive.
`rows` are a :class:`~mlwright.decomposition._operators.Rows`, whose products are in its unit.

Reference: Halko, Martinsson and Tropp (2011), Finding structure with randomness, algorithms 4.4 and 5.1.
"""

import numpy as np
from scipy import linalg as sla
from scipy.sparse.linalg import svds

from mlwright._kernels import rng

_START = 0x5356 << 32  # stream of random numbers
_CLEAR = 1e-10  # smallest over largest pivot, squared, down to which Cholesky factors are trusted


def fix_signs(vectors):
    """scikit-learn's rule: the entry of largest magnitude in each row is positive."""
    largest = vectors[np.arange(len(vectors)), np.argmax(np.abs(vectors), axis=1)]
    return vectors * np.where(largest < 0.0, -1.0, 1.0)[:, None]


def full(rows):
    """By LAPACK, of a dense copy."""
    values, vectors = sla.svd(rows.dense(), full_matrices=False, check_finite=False)[1:]
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
    width = min(k + n_oversamples, n, p)
    wide = n < p
    forth, back = (rows.transposed_times, rows.times) if wide else (rows.times, rows.transposed_times)
    Z = rng.normal(seed, _START, min(n, p) * width).reshape(-1, width)
    for _ in range(n_iter):
        Z = _orthonormal(back(forth(Z)))
    Q = _orthonormal(forth(Z), twice=True)
    left, values, right = sla.svd(back(Q), full_matrices=False, check_finite=False)
    vectors = right @ Q.T if wide else left.T
    return values[:k] / rows.unit, fix_signs(vectors[:k])


def _orthonormal(Z, *, twice=False):
    """An orthonormal basis of the columns, by Cholesky factors where these are sound, which is much faster than QR."""
    for _ in range(1 + twice):
        scale = np.sqrt((Z * Z).sum(axis=0))
        if not (scale > 0.0).all():
            return sla.qr(Z, mode="economic", check_finite=False)[0]
        Z = Z / scale
        try:
            factor = sla.cholesky(Z.T @ Z, check_finite=False)
        except np.linalg.LinAlgError:
            return sla.qr(Z, mode="economic", check_finite=False)[0]
        pivots = factor.diagonal()
        if pivots.min() ** 2 < _CLEAR * pivots.max() ** 2:
            return sla.qr(Z, mode="economic", check_finite=False)[0]
        Z = sla.solve_triangular(factor, Z.T, trans="T", check_finite=False).T
    return Z
