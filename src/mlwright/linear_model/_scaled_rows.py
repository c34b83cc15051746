"""Training rows in columns of about unit spread, for solvers that take no scale for granted."""

from dataclasses import dataclass, replace

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design, residual_gradient
from mlwright._validation import explain_not_finite


@dataclass(frozen=True)
class ScaledRows:
    """Rows of positive weight; their columns ``(X - shift) * scale`` and target ``(y - y_shift) * y_scale``.

    Scales are powers of two; 0 for columns without spread, whose coefficients are zero. Without an intercept nothing is
    shifted.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    design : what the kernels read of it
    y : array of shape (n,)
        The scaled target.
    w : array of shape (n,), or None
        Weights that are one on average, up to a power of two.
    total : float
        Sum of `w`.
    shift, scale : arrays of shape (p,)
    y_shift, y_scale : float
    weight_unit : float
        `w` are the weights given times this power of two.
    fit_intercept : bool
    """

    X: object
    design: object
    y: np.ndarray
    w: np.ndarray | None
    total: float
    shift: np.ndarray
    scale: np.ndarray
    y_shift: float
    y_scale: float
    weight_unit: float
    fit_intercept: bool

    @classmethod
    def of(cls, estimator, rows, fit_intercept):
        """From validated `Rows` of one target; raises for NaN and infinity."""
        sums = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
        if sums is None:
            explain_not_finite(estimator, rows)
        X, design, y, w, unit_of_weight = _of_positive_weight(rows, sums.weight)
        p = X.shape[1]
        second, unit = sums.moments(fit_intercept)
        square = sums.spread() if fit_intercept else second.diagonal()
        scale = _unit_scale(square, sums.weight, unit)
        shift = sums.mean if fit_intercept else np.zeros(p + 1)
        y_scale = float(scale[p]) or 1.0
        scaled = (y - shift[p]) * y_scale
        total = float(len(y)) if w is None else float(w.sum())
        y_shift = float(shift[p])
        return cls(X, design, scaled, w, total, shift[:p], scale[:p], y_shift, y_scale, unit_of_weight, fit_intercept)

    @property
    def n_parameters(self):
        return len(self.scale) + bool(self.fit_intercept)

    def weights(self):
        return np.ones(len(self.y)) if self.w is None else self.w

    def take(self, at):
        """The rows `at`, in the same columns."""
        X = self.X[at] if isinstance(self.X, np.ndarray) else self.X.tocsr()[at]
        w = None if self.w is None else self.w[at]
        total = float(len(at)) if w is None else float(w.sum())
        return replace(self, X=X, design=as_design(X), y=self.y[at], w=w, total=total)

    def residuals(self, b):
        """``y - z b`` of shape (k, n) for parameters of shape (k, q), the intercept last where there is one."""
        slopes = b[:, : len(self.scale)] * self.scale
        start = -(slopes * self.shift).sum(axis=1) + (b[:, -1] if self.fit_intercept else 0.0)
        return self.y - affine_map(self.design, slopes, start).T

    def sums(self, factors):
        """``sum_i factor_i z_i`` for factors of shape (k, n); shape (k, q)."""
        p, k = len(self.scale), len(factors)
        mean, unit = np.concatenate([self.shift, np.zeros(k)]), np.concatenate([self.scale, np.ones(k)])
        out = residual_gradient(self.design, factors.T, None, mean, unit, np.zeros((p, k))).T
        return np.column_stack([out, factors.sum(axis=1)]) if self.fit_intercept else out

    def to_coef(self, b):
        """Coefficients (k, p) and intercepts (k,) of the original columns and target."""
        with np.errstate(over="ignore", invalid="ignore"):
            coef = b[:, : len(self.scale)] * (self.scale / self.y_scale)
            if not self.fit_intercept:
                return coef, np.zeros(len(b))
            return coef, b[:, -1] / self.y_scale + self.y_shift - (coef * self.shift).sum(axis=1)

    def from_coef(self, coef, intercept):
        """The inverse of :meth:`to_coef` for one target; columns without spread get zero."""
        slopes = np.divide(coef, self.scale, out=np.zeros_like(coef), where=self.scale > 0.0) * self.y_scale
        if not self.fit_intercept:
            return slopes
        return np.append(slopes, (intercept - self.y_shift + (coef * self.shift).sum()) * self.y_scale)


def _of_positive_weight(rows, weight):
    """X, design, y, w and its unit without the rows of weight zero; w is one on average up to a power of two."""
    X, design, y, w = rows.X, rows.design, rows.y[:, 0], rows.w
    if w is None:
        return X, design, y, None, 1.0
    keep = np.flatnonzero(w > 0.0)
    if len(keep) < len(w):
        X = X[keep] if isinstance(X, np.ndarray) else X.tocsr()[keep]
        design, y, w = as_design(X), y[keep], w[keep]
    unit = float(_power_of_two(len(w) / weight))
    return X, design, y, w * unit, unit


def _unit_scale(square, weight, unit):
    """Powers of two that bring columns of these sums of squares, in columns times `unit`, to about unit spread."""
    with np.errstate(divide="ignore"):
        return np.where(square > 0.0, _power_of_two(np.sqrt(weight / square)) * unit, 0.0)


def _power_of_two(x):
    """Largest power of two not above x; infinite x gives an unused number."""
    return np.ldexp(0.5, np.frexp(x)[1])
