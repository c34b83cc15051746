"""Fewer rows than columns: an L2-penalised loss is fitted in the space of the rows.

With ``K = Z Z'`` of the centred rows and ``K = V E V'``, coefficients are ``w = Z' V E^(-1/2) v``, scores are
``V E^(1/2) v`` and ``|w| = |v|``: a problem of no more columns than rows, whose Gram matrix is diagonal, so that a
diagonal is all the preconditioning it needs. A fold's rows are rows of ``V E^(1/2)``: its coefficients are combinations
of rows that it has, thus of all rows, and one basis serves all folds.

Reference: Hastie and Tibshirani, Biostatistics 5 (2004), 329-340.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mlwright._kernels.linalg import as_design, gram

_MOST_ROWS = 2048
_LEAST_COLUMNS = 256
_RANK = 1e-12


@dataclass(frozen=True)
class DualBasis:
    """A basis of the space of all rows.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    mean : ndarray of shape (p,)
        What X was centred by.
    L : ndarray of shape (n, r)
        The rows in the basis.
    A : ndarray of shape (n, r)
        The basis: ``A' X`` are its vectors; with an intercept the columns of A sum to zero.
    """

    X: object
    mean: np.ndarray
    L: np.ndarray
    A: np.ndarray

    @classmethod
    def of_rows(cls, rows, fit_intercept):
        """The basis of validated rows; None where their squares overflow or vanish."""
        n, p = rows.X.shape
        mean = np.asarray(rows.X.mean(axis=0), dtype=np.float64).ravel() if fit_intercept else np.zeros(p)
        transposed = as_design(rows.X.T.tocsr() if rows.is_sparse else rows.X.T)
        with np.errstate(over="ignore", invalid="ignore"):
            K = gram(transposed, None, mean, np.ones(n))
        if not np.isfinite(K).all() or not K.any():
            return None
        values, vectors = np.linalg.eigh(K)
        keep = values > _RANK * values[-1]
        root = np.sqrt(values[keep])
        vectors = vectors[:, keep]
        A = vectors / root
        if fit_intercept:
            A -= A.mean(axis=0)  # Z has the same sums, and so has X now
        return cls(rows.X, mean, np.ascontiguousarray(vectors * root), A)

    def coefficients(self, v, out=None):
        """Of v (k, r): coefficients (k, p), in `out` if given, and what to subtract from the intercepts (k,)."""
        a = v @ self.A.T
        if sparse.issparse(self.X):
            coef = np.ascontiguousarray((self.X.T @ a.T).T, dtype=np.float64)
            if out is not None:
                out[:] = coef
        else:
            coef = np.matmul(a, self.X, out=out)
        return coef, coef @ self.mean


def wants_dual(rows, l1):
    """Whether rows are so few that the dual is the way."""
    n, p = rows.X.shape
    return l1 == 0 and n <= _MOST_ROWS and p >= max(_LEAST_COLUMNS, 2 * n)
