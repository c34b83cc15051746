"""Fewer rows than columns: an L2-penalised loss is fitted in the space of the rows.

With ``K = Z Z'`` of the centred rows and ``K = V E V'``, coefficients are ``w = Z' V E^(-1/2) v``, scores are
``V E^(1/2) v`` and ``|w| = |v|``: a problem of no more columns than rows, whose Gram matrix is diagonal, so that a
diagonal is all the preconditioning it needs. Folds of rows are parts of K, which is formed once.

Reference: Hastie and Tibshirani, Biostatistics 5 (2004), 329-340.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.linalg import as_design, gram

_MOST_ROWS = 2048
_LEAST_COLUMNS = 256
_RANK = 1e-12


@dataclass(frozen=True)
class DualBasis:
    """Centred inner products of all rows, and the basis of those that are fitted.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    mean : ndarray of shape (p,)
        What X was centred by.
    K : ndarray of shape (n, n)
    members : ndarray of shape (m,)
        The rows that are fitted.
    L : ndarray of shape (m, r)
        Their rows in the basis.
    A : ndarray of shape (m, r)
        ``K[:, members] @ A`` are all rows in the basis.
    """

    X: object
    mean: np.ndarray
    K: np.ndarray
    members: np.ndarray
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
        return cls._of_parts(rows.X, mean, K, np.arange(n))

    @classmethod
    def _of_parts(cls, X, mean, K, members):
        values, vectors = np.linalg.eigh(K[np.ix_(members, members)])
        keep = values > _RANK * values[-1]
        root = np.sqrt(values[keep])
        vectors = vectors[:, keep]
        return cls(X, mean, K, members, np.ascontiguousarray(vectors * root), vectors / root)

    def part(self, chosen):
        """The basis of some of the rows."""
        return self._of_parts(self.X, self.mean, self.K, self.members[chosen])

    def scores(self, v, chosen):
        """Scores (m, k) of rows of X, without intercepts, for v of shape (k, r)."""
        return self.K[np.ix_(chosen, self.members)] @ (self.A @ v.T)

    def coefficients(self, v):
        """Coefficients (k, p) and what to subtract from the intercepts (k,), for v of shape (k, r)."""
        a = np.zeros((len(v), len(self.K)))
        a[:, self.members] = v @ self.A.T
        coef = np.asarray(self.X.T @ a.T, dtype=np.float64).T - a.sum(axis=1)[:, None] * self.mean
        return np.ascontiguousarray(coef), coef @ self.mean


def wants_dual(rows, l1):
    """Whether rows are so few that the dual is the way."""
    n, p = rows.X.shape
    return l1 == 0 and n <= _MOST_ROWS and p >= max(_LEAST_COLUMNS, 2 * n)
