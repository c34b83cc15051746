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
from mlwright.linear_model._system import LARGEST_PENALTY, Problem

_SURE = 1e-9  # violation up to which sums are not asked whether it is their rounding
_LEFT = 1e-9  # share of the terms of a sum of squares below which it has fewer than six digits

#: To stand in the ``_model_state`` of what :func:`certify` is called for; models of older files have none.
STATIONARY = {
    name: Maybe(field)
    for name, field in certificate_fields("kkt_violation_", objective=AnyOf(Number(0.0), Tensor("f8", "t"))).items()
}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns as they are seen here: shifted by `mean`, multiplied by `scale`; of X and of y.

    Sums of squares are in that scale; zero: no spread.
    """

    x_mean: np.ndarray
    x_scale: np.ndarray
    x_square: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray
    y_square: np.ndarray

    @classmethod
    def of_problem(cls, problem, statistics, fit_intercept):
        p = statistics.n_features
        mean = statistics.mean if fit_intercept else np.zeros_like(statistics.mean)
        x_square = problem.gram.diagonal() * problem.active
        return cls(mean[:p], problem.x_scale, x_square, mean[p:], problem.y_scale, problem.square)

    @classmethod
    def of_rows(cls, rows, fit_intercept):
        return cls(*_moments(rows.design, rows.w, fit_intercept), *_moments(rows.y, rows.w, fit_intercept))

    def gradient(self, rows, b):
        """Of half the squared residuals, its negative: shape (p, t), from the rows."""
        mean, scale = np.append(self.x_mean, self.y_mean), np.append(self.x_scale, self.y_scale)
        return residual_gradient(rows.design, rows.y, rows.w, mean, scale, np.ascontiguousarray(b.T))

    def squares(self, rows, coef):
        """Sums of squared residuals of each target, from the rows."""
        residual = rows.y - affine_map(rows.design, coef, self.y_mean - (coef * self.x_mean).sum(axis=1))
        squares = (residual * residual if rows.w is None else rows.w[:, None] * residual * residual).sum(axis=0)
        return squares * self.y_scale**2


def _moments(X, w, fit_intercept):
    """Means, scales and sums of squares of columns."""
    weight, mean, scatter = column_moments(X, w)
    square = scatter if fit_intercept else scatter + weight * mean**2
    rounding = weight * (4 * np.finfo(float).eps * mean) ** 2 * bool(fit_intercept)
    square = np.where(square > rounding, square, 0.0)
    scale = np.ldexp(1.0, -np.frexp(np.sqrt(np.where(square > 0.0, square, 1.0)))[1])
    return mean * bool(fit_intercept), scale, square * scale**2


@dataclass(frozen=True, slots=True)
class _Target:
    """The fit of one target in such columns; one target at a time, since products of vectors cost least.

    `penalty` is one a column, or None.
    """

    b: np.ndarray
    penalty: np.ndarray | None
    x_square: np.ndarray
    y_square: float
    positive: bool

    def violation(self, slope):
        """Of the optimality conditions, where the loss has the negative gradient `slope`."""
        square = self.x_square
        if self.penalty is not None:
            slope = slope - self.penalty * self.b
            square = (square + self.penalty) * (square > 0.0)
        return largest_violation(slope, self.b, np.sqrt(square * self.y_square), positive=self.positive)

    def by_sums(self, gram, cross):
        """Violation, sum of squares, and whether both are more than rounding."""
        slope = cross - gram @ self.b
        squares = self.y_square - self.b @ (cross + slope)
        terms = self.y_square + self.x_square @ (self.b * self.b)  # what cancels in the squares
        violation = self.violation(slope)
        return violation, squares, violation <= _SURE and squares >= _LEFT * terms

    def objective(self, squares, y_scale):
        """In users' units, of the sum of squared residuals in these."""
        ridge = 0.0 if self.penalty is None else self.penalty @ (self.b * self.b)
        return (max(squares, 0.0) + ridge) / y_scale**2


def _targets(columns, coef, alpha, positive):
    for k, row in enumerate(coef):
        penalty = None
        if alpha is not None:
            with np.errstate(over="ignore"):
                penalty = np.minimum(columns.x_scale * columns.x_scale * alpha[k], LARGEST_PENALTY)
        b = row * (columns.y_scale[k] / columns.x_scale)
        yield _Target(b, penalty, columns.x_square, columns.y_square[k], positive)


def certify(model, coef, alpha, n_passes, *, statistics=None, rows=None, problem=None, iterated=False):
    """Certify ``||y - X b||^2 + alpha ||b||^2`` at `coef`, with ``positive`` where the model has it.

    Parameters
    ----------
    model : estimator with ``fit_intercept`` and ``coef_``
    coef : array of shape (t, p)
        Coefficients in full precision.
    alpha : array of shape (t,), or None
        None is no penalty.
    n_passes : int
        Reads of the rows so far.
    statistics : FoldStatistics, or None where the route formed none
    rows : Rows, or None after a stream
    problem : Problem of the statistics, where it is at hand
    iterated : bool
        Whether the route may have ended early; a ConvergenceWarning says so if it did.
    """
    sure = False
    if statistics is not None:
        problem = Problem.of(statistics, model.fit_intercept) if problem is None else problem
        columns = _Columns.of_problem(problem, statistics, model.fit_intercept)
    else:
        columns, n_passes = _Columns.of_rows(rows, model.fit_intercept), n_passes + 1
    targets = list(_targets(columns, coef, alpha, getattr(model, "positive", False)))
    if statistics is not None:
        found = [one.by_sums(problem.gram, problem.cross[:, k]) for k, one in enumerate(targets)]
        violation, squares = max(v for v, _, _ in found), [s for _, s, _ in found]
        sure = all(sure for _, _, sure in found)
    if rows is not None and not sure:
        slope, squares = columns.gradient(rows, np.array([one.b for one in targets])), columns.squares(rows, coef)
        violation, n_passes = max(one.violation(slope[:, k]) for k, one in enumerate(targets)), n_passes + 2
    each = [one.objective(*of_one) for one, *of_one in zip(targets, squares, columns.y_scale, strict=True)]
    converged = violation <= CERTIFIED
    objective = each[0] if model.coef_.ndim == 1 else np.array(each)
    keep_certificate(model, objective=objective, kkt_violation=violation, converged=converged, n_passes=n_passes)
    if iterated and not converged:
        _warn(model)


def _warn(model):
    warnings.warn(
        f"{type(model).__name__}: LSQR ended with kkt_violation_ {model.kkt_violation_:.1e}, above {CERTIFIED:g}; "
        "raise max_iter, or scale the columns.",
        ConvergenceWarning,
        stacklevel=6,
    )
