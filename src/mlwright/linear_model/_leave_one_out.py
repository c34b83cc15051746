"""Exact leave-one-out predictions of ridge regression for many penalties from one eigendecomposition.

Without row i the prediction for it misses y_i by ``e_i / (1 - w_i l_i)``, e the residuals of the fit to all rows and
l_i what a unit of y_i moves its own prediction by. In the eigenvectors V of the centred Gram matrix, for all penalties
at once,

    l_i(alpha) = 1/N + sum_j ((x_i - m)' v_j)^2 / (lambda_j + alpha)

With no more rows than columns the same comes from the eigenvectors Q of the centred, weighted kernel:
``c_i / d_i``, ``c = Q (Lambda + alpha)^-1 Q' y`` and ``d_i = sum_j Q_ij^2 / (lambda_j + alpha)``, where the direction
that the intercept takes is left out of Q instead of subtracted from d.

References
----------
Rifkin and Lippert (2007), Notes on Regularized Least Squares. MIT-CSAIL-TR-2007-025.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.lapack import eigh, svd
from mlwright.linear_model._least_squares import centred_rows
from mlwright.linear_model._sparse.penalised import coefficients_of_dual, dual_units, one_left_out, without_the_mean

_ROWS_AT_ONCE = 4096  # of 200 columns: what stays in the caches between the products
_SEPARATED = 1e-10  # smallest (lambda + alpha) over the largest, up to which eigenvalues of the Gram matrix will do


@dataclass(frozen=True)
class Primal:
    """Eigenvectors of the Gram matrix: no more columns than rows.

    Attributes
    ----------
    rows : Rows
    x_mean, y_mean : arrays of shape (p,) and (t,)
    weight : float
        Sum of weights; infinite without an intercept, which then moves nothing.
    values : array of shape (k,)
    vectors : array of shape (p, k)
    cross : array of shape (k, t)
        ``V' X' y`` of the centred, weighted rows.
    """

    rows: object
    x_mean: np.ndarray
    y_mean: np.ndarray
    weight: float
    values: np.ndarray
    vectors: np.ndarray
    cross: np.ndarray

    def coefficients(self, alpha):
        """Shape (t, p)."""
        return (self.vectors @ (self.cross / (self.values[:, None] + alpha))).T

    def predictions(self, alphas):
        """Blocks of rows: where they begin and end, and leave-one-out predictions of shape (rows, m, t)."""
        inverse = 1.0 / (self.values + alphas[:, None])  # (m, k)
        t = self.cross.shape[1]
        maps = (inverse[:, None, :] * self.cross.T).reshape(-1, len(self.values))
        start = -(self.vectors * self.x_mean[:, None]).sum(axis=0)
        y, w = self.rows.y, self.rows.w
        X = self.rows.X.tocsr() if self.rows.is_sparse else self.rows.X
        for begin in range(0, len(y), _ROWS_AT_ONCE):
            end = min(len(y), begin + _ROWS_AT_ONCE)
            rotated = affine_map(as_design(X[begin:end]), self.vectors.T, start)
            fitted = affine_map(rotated, maps, np.tile(self.y_mean, len(alphas))).reshape(-1, len(alphas), t)
            np.square(rotated, out=rotated)
            moved = affine_map(rotated, inverse, np.full(len(alphas), 1.0 / self.weight))
            if w is not None:
                moved *= w[begin:end, None]
            target = y[begin:end, None, :]
            with np.errstate(divide="ignore", invalid="ignore"):  # whoever asked finds what is not finite
                left = target - (target - fitted) / (1.0 - moved[:, :, None])
            yield begin, end, left


@dataclass(frozen=True)
class Dual:
    """Eigenvectors of the kernel matrix, of X times `x_unit`, y times `y_unit`: more columns than rows."""

    rows: object
    x_mean: np.ndarray
    y_mean: np.ndarray
    root: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    x_unit: float
    y_unit: np.ndarray

    def _rotated_target(self):
        return self.vectors.T @ (self.root[:, None] * ((self.rows.y - self.y_mean) * self.y_unit))

    def _inverse(self, alpha):
        return 1.0 / (self.values + alpha * self.x_unit * self.x_unit)

    def coefficients(self, alpha):
        """Shape (t, p)."""
        dual = self.vectors @ (self._inverse(alpha)[:, None] * self._rotated_target()) * self.root[:, None]
        return coefficients_of_dual(as_design(self.rows.X.T), dual, self.x_mean, self.x_unit, self.y_unit)

    def residuals_left_out(self, alpha):
        """Residuals (n, t) of rows of which one repetition is left out."""
        inverse = self._inverse(alpha)
        dual = self.vectors @ (inverse[:, None] * self._rotated_target())
        left = one_left_out(dual, self.vectors**2 @ inverse, alpha * self.x_unit * self.x_unit, self.root)
        return left / self.y_unit

    def predictions(self, alphas):
        """As of :class:`Primal`, in one block."""
        out = np.empty((len(self.root), len(alphas), self.rows.y.shape[1]))
        target, square = self._rotated_target(), self.vectors**2
        seen = self.root > 0.0
        X = self.rows.X.tocsr() if self.rows.is_sparse else self.rows.X
        unseen = X[~seen] if not seen.all() else None  # rows of weight zero are in no fit
        for k, alpha in enumerate(alphas):
            inverse = self._inverse(alpha)
            c, d = self.vectors @ (inverse[:, None] * target), square @ inverse
            out[seen, k] = self.rows.y[seen] - c[seen] / (d * self.root)[seen, None] / self.y_unit
            if unseen is not None:
                coef = self.coefficients(alpha)
                out[~seen, k] = affine_map(as_design(unseen), coef, self.y_mean - (coef * self.x_mean).sum(axis=1))
        yield 0, len(out), out


def decompose(rows, statistics, fit_intercept, smallest, mode=None):
    """Eigenvectors by which all penalties from `smallest` on are answered.

    Parameters
    ----------
    rows : Rows
    statistics : FoldStatistics of the rows
    smallest : float
    mode : {"auto", "svd", "eigen"} or None
        ``"svd"`` decomposes dense rows themselves.
    """
    p = rows.X.shape[1]
    x_mean, y_mean = (
        (statistics.mean[:p], statistics.mean[p:]) if fit_intercept else (np.zeros(p), np.zeros(rows.y.shape[1]))
    )
    weight = statistics.weight if fit_intercept else np.inf
    second, scale = statistics.moments(fit_intercept)
    with np.errstate(over="ignore", under="ignore"):
        second = second / scale / scale[:, None]
    if not np.isfinite(second).all():
        raise NumericalError(
            "leave-one-out: sums of squares of X or y overflow float64; expected magnitudes below 1e150; rescale them."
        )
    if mode != "svd" or rows.is_sparse:
        values, vectors = eigh(second[:p, :p])
        values = np.maximum(values, 0.0)
        if rows.is_sparse or values[0] + smallest >= _SEPARATED * (values[-1] + smallest):
            return Primal(rows, x_mean, y_mean, weight, values, vectors, vectors.T @ second[:p, p:])
    X, y = centred_rows(rows, x_mean, y_mean)
    u, s, vt = svd(X)
    return Primal(rows, x_mean, y_mean, weight, s * s, vt.T, s[:, None] * (u.T @ y))


def decompose_dual(rows, x_mean, y_mean, fit_intercept):
    """Eigenvectors of the kernel matrix of the centred, weighted rows."""
    n = rows.X.shape[0]
    root = np.ones(n) if rows.w is None else np.sqrt(rows.w)
    x_unit, y_unit = dual_units(rows, y_mean)
    kernel = gram(as_design(rows.X.T), None, x_mean, root * x_unit)
    if fit_intercept:
        kernel, _ = without_the_mean(kernel, root)
    values, vectors = eigh(kernel)
    if fit_intercept:
        values, vectors = values[:-1], vectors[:, :-1]
    return Dual(rows, x_mean, y_mean, root, np.maximum(values, 0.0), vectors, x_unit, y_unit)
