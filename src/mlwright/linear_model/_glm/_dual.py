"""Fewer rows than columns: an L2-penalised loss is fitted in the space of the rows.

Coefficients are combinations ``w = Z'a`` of centred rows, scores are ``K a`` with ``K = Z Z'``, and ``|w|^2 = a'K a``.
In coordinates v with ``|w| = |v|`` it is a problem of no more columns than rows, and a diagonal is all the
preconditioning that it needs where these are about uncorrelated. Two bases have that:

- Triangular: ``Q'K Q = R R'``, the columns of Q orthonormal and, with an intercept, orthogonal to ones;
  ``a = Q R'^-1 v``, scores are ``Q R v``. For rows that are nearly orthogonal, as of many independent columns. A factor
  is cheap, so each fold has its own.
- Spectral: ``K = V E V'``, ``a = V E^(-1/2) v``, scores are ``V E^(1/2) v``. A fold's coefficients are combinations of
  rows that it has, thus of all rows, and one basis serves all folds.

Folds are fitted on threads of their own, where BLAS must not start others for its small products: they go through
kernels of our own, and right-hand sides are solved for one by one.

Reference: Hastie and Tibshirani, Biostatistics 5 (2004), 329-340.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import blas, lapack

from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._runtime.threadpool import blas_of_one_thread

_MOST_ROWS = 2048
_LEAST_COLUMNS = 256
_RANK = 1e-12
_ORTHOGONAL = 0.01  # reciprocal condition number from which a triangle is about diagonal


@dataclass(frozen=True)
class RowGram:
    """Inner products of all rows.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    mean : ndarray of shape (p,)
        What rows are centred by: their mean, or zeros without an intercept.
    K : ndarray of shape (n, n)
        Of the centred rows.
    centres : bool
        Whether there is an intercept.
    """

    X: object
    mean: np.ndarray
    K: np.ndarray
    centres: bool

    @classmethod
    def of_rows(cls, rows, fit_intercept):
        """Of validated rows; None where their squares overflow or vanish."""
        n, p = rows.X.shape
        mean = np.asarray(rows.X.mean(axis=0), dtype=np.float64).ravel() if fit_intercept else np.zeros(p)
        transposed = as_design(rows.X.T.tocsr() if rows.is_sparse else rows.X.T)
        with np.errstate(over="ignore", invalid="ignore"):
            K = gram(transposed, None, mean, np.ones(n))
        if not np.isfinite(K).all() or not K.any():
            return None
        return cls(rows.X, mean, K, fit_intercept)

    def coefficients(self, a, out=None):
        """Of combinations a (k, n) of rows: coefficients (k, p), in `out` if given, and the mean row's scores (k,).

        With an intercept, combinations sum to zero, so that rows need not be centred here.
        """
        if sparse.issparse(self.X):
            coef = np.ascontiguousarray((self.X.T @ a.T).T, dtype=np.float64)
            if out is not None:
                out[:] = coef
        else:
            coef = np.matmul(a, self.X, out=out)
        return coef, coef @ self.mean

    def scores(self, a, intercept, chosen):
        """Scores (m, k) of the chosen rows, of combinations a (k, n) and intercepts (k,) of centred rows."""
        return affine_map(self.K[chosen], a, intercept)

    def triangular(self, chosen):
        """A basis for the chosen rows; None where they are far from orthogonal."""
        m = len(chosen)
        K = self.K[np.ix_(chosen, chosen)]
        mirror = None
        if self.centres:
            if m < 2:
                return None
            mirror = np.full(m, 1.0 / np.sqrt(m))  # between ones and the last axis
            mirror[-1] += 1.0
            mirror /= np.sqrt(mirror @ mirror)
            image = K @ mirror
            image -= (mirror @ image) * mirror
            K = (K - 2.0 * (np.outer(mirror, image) + np.outer(image, mirror)))[:-1, :-1]
        size = np.abs(K).sum(axis=0).max()
        R, info = lapack.dpotrf(K, lower=1, clean=1)
        if info != 0 or not lapack.dpocon(R, size, uplo="L")[0] >= _ORTHOGONAL:
            return None
        return TriangularBasis(self, chosen, R, mirror)

    @cached_property
    def spectral(self):
        """The basis for any of the rows."""
        values, vectors = np.linalg.eigh(self.K)
        keep = values > _RANK * values[-1]
        root = np.sqrt(values[keep])
        vectors = vectors[:, keep]
        A = vectors / root
        if self.centres:
            A -= A.mean(axis=0)  # Z has the same sums, and so has X now
        return SpectralBasis(self, np.ascontiguousarray(vectors * root), A)


@dataclass(frozen=True)
class SpectralBasis:
    """Of eigenvectors: `rows` (n, r) are the centred rows in it, ``A'Z`` its vectors, A of shape (n, r)."""

    gram: RowGram
    rows: np.ndarray
    A: np.ndarray

    def part(self, chosen):
        """The basis for some of the rows, and these in it."""
        return self, self.rows[chosen]

    def combinations(self, v):
        """Of v (k, r): combinations of rows (k, n), and by how much centred rows score less than here (k,)."""
        nothing = np.zeros(len(v))
        return affine_map(self.A, v, nothing).T, nothing


@dataclass(frozen=True)
class TriangularBasis:
    """Of a Cholesky factor R (r, r) of inner products of chosen rows, reflected at `mirror` (m,) if there is one."""

    gram: RowGram
    chosen: np.ndarray
    R: np.ndarray
    mirror: np.ndarray | None

    @cached_property
    def rows(self):
        """The chosen rows, centred among themselves, of shape (m, r)."""
        return np.ascontiguousarray(self._reflected(self.R))

    def part(self, chosen):
        """A basis for some of the rows, and these in it."""
        own = self.gram.triangular(chosen)
        return self.gram.spectral.part(chosen) if own is None else (own, own.rows)

    def combinations(self, v):
        """As of :class:`SpectralBasis`; rows here are centred by the mean of those chosen."""
        solved = np.column_stack([blas.dtrsv(self.R, each, lower=1, trans=1) for each in v])
        of_chosen = self._reflected(solved).T
        a = np.zeros((len(v), len(self.gram.K)))
        np.add.at(a, (slice(None), self.chosen), of_chosen)
        moved = np.zeros(len(v)) if self.mirror is None else a @ self.gram.K[self.chosen].mean(axis=0)
        return a, moved

    def _reflected(self, columns):
        if self.mirror is None:
            return columns
        out = np.vstack([columns, np.zeros(columns.shape[1])])
        out -= np.outer(2.0 * self.mirror, self.mirror[:-1] @ columns)
        return out


def basis_of(rows, fit_intercept):
    """A basis for all of validated rows; None where their squares overflow or vanish."""
    inner = RowGram.of_rows(rows, fit_intercept)
    if inner is None:
        return None
    with blas_of_one_thread():
        own = inner.triangular(np.arange(len(inner.K)))
    return inner.spectral if own is None else own


def wants_dual(rows, l1):
    """Whether rows are so few that the dual is the way."""
    n, p = rows.X.shape
    return l1 == 0 and n <= _MOST_ROWS and p >= max(_LEAST_COLUMNS, 2 * n)
