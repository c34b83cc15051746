"""Fewer rows than columns: an L2-penalised loss is fitted in the space of the rows.

Coefficients are combinations ``w = Z'a`` of centred rows, scores are ``K a`` with ``K = Z Z'``, and ``|w|^2 = a'K a``.
In coordinates v with ``|w| = |v|`` it is a problem of no more columns than rows, and a diagonal is all the
preconditioning that it needs where these are about uncorrelated. Two bases have that:

- Triangular: ``Q'K Q = R R'``, the columns of Q orthonormal and, with an intercept, orthogonal to ones;
  ``a = Q R'^-1 v``, scores are ``Q R v``. For rows that are nearly orthogonal, as of many independent columns. A factor
  is cheap, so each fold has its own.
- Spectral: ``K = V E V'``, ``a = V E^(-1/2) v``, scores are ``V E^(1/2) v``. A fold's coefficients are combinations of
  rows that it has, thus of all rows, and one basis serves all folds.

Folds are fitted on threads of their own, which wait for each other where many small steps want the GIL: a triangle is
one native call. BLAS must not start threads there, so right-hand sides are solved for one by one.

Reference: Hastie and Tibshirani, Biostatistics 5 (2004), 329-340.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._kernels.row_triangle import row_triangle
from mlwright._runtime.lapack import eigh
from mlwright._runtime.threadpool import blas_of_one_thread
from mlwright.linear_model._glm._row_products import combined, inner_products

_MOST_ROWS = 2048
_LEAST_COLUMNS = 256
_RANK = 1e-12
_FAR = 100.0  # the mean row's square over that of deviations, up to which rows are centred after they are multiplied
_ORTHOGONAL = 0.01  # reciprocal condition number from which a triangle is about diagonal


@dataclass(frozen=True)
class RowGram:
    """Inner products of all rows.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    K : ndarray of shape (n, n)
        Of the rows, centred by their mean where there is an intercept.
    with_mean : ndarray of shape (n,)
        Inner products of the rows with their mean; zeros without an intercept.
    centres : bool
        Whether there is an intercept.
    """

    X: object
    K: np.ndarray
    with_mean: np.ndarray
    centres: bool

    @classmethod
    def of_rows(cls, rows, fit_intercept):
        """Of validated rows; None where their squares overflow or vanish."""
        n = rows.X.shape[0]
        with_mean = np.zeros(n)
        with np.errstate(over="ignore", invalid="ignore"):
            K = _products(rows)
            if fit_intercept:
                with_mean = K.mean(axis=0)
                squared_mean = with_mean.mean()
                if squared_mean <= _FAR * (K.trace() / n - squared_mean):
                    K = K - np.add.outer(with_mean, with_mean) + squared_mean
                else:  # too many digits would cancel
                    mean = np.asarray(rows.X.mean(axis=0), dtype=np.float64).ravel()
                    K, with_mean = _products(rows, mean), rows.X @ mean
        if not np.isfinite(K).all() or not K.any():
            return None
        return cls(rows.X, K, with_mean, fit_intercept)

    def coefficients(self, a, out=None):
        """Of combinations a (k, n) of rows: coefficients (k, p), in `out` if given, and the mean row's scores (k,).

        With an intercept, combinations sum to zero, so that rows need not be centred here.
        """
        out = np.empty((len(a), self.X.shape[1])) if out is None else out
        if sparse.issparse(self.X):
            out[:] = (self.X.T @ a.T).T
        else:
            combined(a, self.X, out)
        return out, a @ self.with_mean

    def scores(self, a, intercept, chosen):
        """Scores (m, k) of the chosen rows, of combinations a (k, n) and intercepts (k,) of centred rows."""
        return affine_map(self.K[chosen], a, intercept)

    def triangular(self, chosen):
        """A basis for the chosen rows; None where they are far from orthogonal."""
        mirror = None
        if self.centres:
            if len(chosen) < 2:
                return None
            mirror = np.full(len(chosen), 1.0 / np.sqrt(len(chosen)))  # between ones and the last axis
            mirror[-1] += 1.0
            mirror /= np.sqrt(mirror @ mirror)
        found = row_triangle(self.K, chosen, mirror, _ORTHOGONAL)
        return None if found is None else TriangularBasis(self, chosen, *found, mirror)

    @cached_property
    def spectral(self):
        """The basis for any of the rows."""
        values, vectors = eigh(self.K)
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
    """Of a Cholesky factor R (r, r) of inner products of chosen rows, reflected at `mirror` (m,) if there is one.

    `rows` (m, r) are the chosen rows in it, centred among themselves where there is a mirror.
    """

    gram: RowGram
    chosen: np.ndarray
    R: np.ndarray
    rows: np.ndarray
    mirror: np.ndarray | None

    def part(self, chosen):
        """A basis for some of the rows, and these in it."""
        own = self.gram.triangular(chosen)
        return self.gram.spectral.part(chosen) if own is None else (own, own.rows)

    def combinations(self, v):
        """As of :class:`SpectralBasis`; rows here are centred by the mean of those chosen."""
        m, n = len(self.chosen), len(self.gram.K)
        a = np.zeros((len(v), m))
        a[:, : len(self.R)] = [blas.dtrsv(self.R.T, each) for each in v]  # by R'
        if self.mirror is not None:
            a -= np.outer(a @ self.mirror, 2.0 * self.mirror)
        a = np.stack([np.bincount(self.chosen, each, n) for each in a])  # rows may be chosen more than once
        if self.mirror is None:
            return a, np.zeros(len(v))
        return a, a @ (self.gram.K @ (np.bincount(self.chosen, minlength=n) / m))


def basis_of(rows, fit_intercept):
    """A basis for all of validated rows; None where their squares overflow or vanish."""
    inner = RowGram.of_rows(rows, fit_intercept)
    if inner is None:
        return None
    with blas_of_one_thread():
        own = inner.triangular(np.arange(len(inner.K)))
    return inner.spectral if own is None else own


def _products(rows, mean=None):
    """Inner products of validated rows, less `mean`."""
    if not rows.is_sparse:
        return inner_products(rows.X, mean)
    n, p = rows.X.shape
    return gram(as_design(rows.X.T.tocsr()), None, np.zeros(p) if mean is None else mean, np.ones(n))


def wants_dual(rows, l1):
    """Whether rows are so few that the dual is the way."""
    n, p = rows.X.shape
    return l1 == 0 and n <= _MOST_ROWS and p >= max(_LEAST_COLUMNS, 2 * n)
