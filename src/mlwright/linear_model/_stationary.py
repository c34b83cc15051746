"""The certificate of a least-squares fit, penalised or not, whichever route it took.

The sums tell it for nothing: the gradient is ``X'y - (X'X + alpha) b``. Where what they tell might be their own
rounding (ill-conditioned columns, a fit that is all but perfect), and where a route formed none, the rows are read.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from mlwright._kernels.column_moments import column_moments
from mlwright._kernels.linalg import affine_map, residual_gradient
from mlwright.io.composite import AnyOf, Maybe
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._certificate import CERTIFIED, certificate_fields, keep_certificate, largest_violation

_SURE = 1e-9  # violation up to which sums are not asked whether it is their rounding
_LEFT = 1e-9  # share of the terms of a sum of squares below which it has fewer than six digits
_LARGEST_PENALTY = 1e290

#: To stand in the ``_model_state`` of what :func:`certify` is called for; models of older files have none.
STATIONARY = {
    name: Maybe(field)
    for name, field in certificate_fields("kkt_violation_", objective=AnyOf(Number(0.0), Tensor("f8", "t"))).items()
}


@dataclass(frozen=True, slots=True)
class _Columns:
    """What columns of X and y are shifted and multiplied by here, and their sums of squares then; zero: no spread."""

    mean: np.ndarray
    scale: np.ndarray
    square: np.ndarray

    @classmethod
    def of_statistics(cls, statistics, second, scale, fit_intercept):
        spread = statistics.spread() if fit_intercept else second.diagonal()
        mean = statistics.mean if fit_intercept else np.zeros_like(statistics.mean)
        return cls(mean, scale, np.where(spread > 0.0, second.diagonal(), 0.0))

    @classmethod
    def of_rows(cls, rows, fit_intercept):
        of_both = zip(column_moments(rows.design, rows.w), column_moments(rows.y, rows.w), strict=True)
        weight, mean, scatter = (np.concatenate(part) for part in of_both)
        square = scatter if fit_intercept else scatter + weight * mean**2
        rounding = weight * (4 * np.finfo(float).eps * mean) ** 2 * bool(fit_intercept)
        square = np.where(square > rounding, square, 0.0)
        scale = np.ldexp(1.0, -np.frexp(np.sqrt(np.where(square > 0.0, square, 1.0)))[1])
        return cls(mean * bool(fit_intercept), scale, square * scale**2)


def certify(model, coef, alpha, n_passes, *, statistics=None, rows=None, iterated=False):
    """Certify ``||y - X b||^2 + alpha ||b||^2`` at `coef`, with ``positive`` where the model has it.

    Parameters
    ----------
    model : estimator with ``fit_intercept`` and ``coef_``
    coef : array of shape (t, p)
        Coefficients in full precision.
    alpha : array of shape (t,)
    n_passes : int
        Reads of the rows so far.
    statistics : FoldStatistics, or None where the route formed none
    rows : Rows, or None after a stream
    iterated : bool
        Whether the route may have ended early; a ConvergenceWarning says so if it did.
    """
    fit_intercept, p = model.fit_intercept, coef.shape[1]
    second = None
    if statistics is not None:
        second, scale = statistics.moments(fit_intercept)
        columns = _Columns.of_statistics(statistics, second, scale, fit_intercept)
    else:
        columns, n_passes = _Columns.of_rows(rows, fit_intercept), n_passes + 1
    x_scale, y_scale = columns.scale[:p, None], columns.scale[p:]
    with np.errstate(over="ignore", under="ignore"):
        b = coef.T * y_scale / x_scale
        penalty = np.minimum(np.asarray(alpha) * x_scale**2, _LARGEST_PENALTY)
    slope = squares = None
    if second is not None:
        slope = second[:p, p:] - second[:p, :p] @ b
        squares = columns.square[p:] - (b * (second[:p, p:] + slope)).sum(axis=0)
        violation = _violation(model, columns, penalty, slope, b)
        terms = columns.square[p:] + (columns.square[:p, None] * b * b).sum(axis=0)  # what cancels in the squares
        sure = violation <= _SURE and (squares >= _LEFT * terms).all()
    if second is None or (rows is not None and not sure):
        slope = residual_gradient(rows.design, rows.y, rows.w, columns.mean, columns.scale, np.ascontiguousarray(b))
        squares, n_passes = _residual_squares(rows, coef, columns.mean) * y_scale**2, n_passes + 2
        violation = _violation(model, columns, penalty, slope, b)
    with np.errstate(over="ignore"):
        objective = (np.maximum(squares, 0.0) + (penalty * b * b).sum(axis=0)) / y_scale**2
    converged = violation <= CERTIFIED
    keep_certificate(
        model,
        objective=objective[0] if model.coef_.ndim == 1 else objective,
        converged=converged,
        n_passes=n_passes,
        kkt_violation=violation,
    )
    if iterated and not converged:
        warnings.warn(
            f"{type(model).__name__}: LSQR ended with kkt_violation_ {violation:.1e}, above {CERTIFIED:g}; raise "
            "max_iter, or scale the columns.",
            ConvergenceWarning,
            stacklevel=5,
        )


def _violation(model, columns, penalty, slope, b):
    p = len(b)
    square = columns.square
    size = np.sqrt((square[:p, None] + penalty) * square[p:] * (square[:p, None] > 0.0))
    return largest_violation(slope - penalty * b, b, size, positive=getattr(model, "positive", False))


def _residual_squares(rows, coef, mean):
    p = coef.shape[1]
    residual = rows.y - affine_map(rows.design, coef, mean[p:] - (coef * mean[:p]).sum(axis=1))
    return (residual * residual if rows.w is None else rows.w[:, None] * residual * residual).sum(axis=0)
