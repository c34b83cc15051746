"""Exact linear quantile regression: interior point, fewer rows where there are many, a vertex at the end.

References: Koenker (2005), Quantile Regression, chapter 6.
Portnoy and Koenker (1997), The Gaussian hare and the Laplacian tortoise. Statistical Science 12.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.quantile import frisch_newton
from mlwright._kernels.rng import sample_without_replacement

_LEAST_SHARE = 5  # rows are left out where that leaves fewer than one in so many
_ROUNDING = 1e-12  # of an objective: zeros instead of numbers next to zero may cost that much
_ROUNDS = 8  # of guessing the signs of the rows left out, before all rows are taken


@dataclass
class QuantileFit:
    """Parameters in scaled columns (k, q), slopes of the rows' losses (k, n), and how they were found."""

    b: np.ndarray
    dual: np.ndarray
    n_iter: np.ndarray
    n_passes: np.ndarray
    objective: np.ndarray | None = None
    gap: np.ndarray | None = None


def fit_quantiles(rows, levels, penalty, tol, max_iter):
    """Minimise ``sum_i w_i rho(y_i - z_i b) + sum_j penalty_j |b_j|`` of :class:`ScaledRows` at each level.

    Returns
    -------
    QuantileFit
        `gap` bounds how far each objective is above the minimum.
    """
    few = 2 * int(np.ceil((len(rows.y) * rows.n_parameters) ** (2 / 3)))
    if few * _LEAST_SHARE < len(rows.y):
        parts = [_few_rows(rows, levels[k : k + 1], penalty, tol, max_iter, few) for k in range(len(levels))]
        fit = QuantileFit(*(np.concatenate([getattr(p, name) for p in parts]) for name in _ARRAYS))
    else:
        fit = _all_rows(rows, levels, penalty, tol, max_iter)
    vertex = np.array([_vertex(rows, *problem, penalty) for problem in zip(levels, fit.b, fit.dual, strict=True)])
    residuals, at_vertex = rows.residuals(fit.b), rows.residuals(vertex)
    fit.objective = _objective(rows, levels, penalty, fit.b, residuals)
    lower = _objective(rows, levels, penalty, vertex, at_vertex)
    better = lower <= fit.objective * (1.0 + _ROUNDING)
    fit.b[better], fit.objective[better] = vertex[better], lower[better]
    fit.gap = _gap(rows, penalty, fit)
    return fit


_ARRAYS = ("b", "dual", "n_iter", "n_passes")


def _all_rows(rows, levels, penalty, tol, max_iter, rhs=None):
    n_iter = np.zeros(len(levels), dtype=np.int64)
    b, dual = frisch_newton(
        rows.design, rows.y, rows.w, levels, rows.shift, rows.scale, rows.fit_intercept, penalty, rhs,
        tol=tol, max_iter=max_iter, n_iter=n_iter,
    )  # fmt: skip
    return QuantileFit(b, dual, n_iter, 3 * n_iter + 1)


def _few_rows(rows, level, penalty, tol, max_iter, few):
    """One level from the rows near its plane: those far above or below enter by the sum of their gradients alone.

    A guess of the plane comes from a sample. Rows on the other side than was guessed join in, until there are none.
    """
    n = len(rows.y)
    sample = np.sort(sample_without_replacement(0, 0, n, few))
    first = _all_rows(rows.take(sample), level, _share(penalty, few / n), 1e-6, max_iter)
    residuals, passes, n_iter = rows.residuals(first.b)[0], 1, first.n_iter
    near = np.zeros(n, dtype=bool)
    near[np.argpartition(np.abs(residuals), few)[:few]] = True
    above = residuals > 0.0
    weights = rows.weights()
    for _ in range(_ROUNDS):
        dual = np.where(above, level, level - 1.0)
        rhs = -rows.sums(np.where(near, 0.0, weights * dual)[None, :])
        at = np.flatnonzero(near)
        fit = _all_rows(rows.take(at), level, penalty, tol, max_iter, rhs)
        residuals, passes, n_iter = rows.residuals(fit.b)[0], passes + 2, n_iter + fit.n_iter
        wrong = ~near & ((residuals > 0.0) != above)
        if np.isfinite(fit.b).all() and not wrong.any():
            dual[at] = fit.dual[0]
            return QuantileFit(fit.b, dual[None, :], n_iter, np.array([passes]))
        if wrong.sum() > few // 2 or not np.isfinite(fit.b).all():
            break
        near |= wrong
    whole = _all_rows(rows, level, penalty, tol, max_iter)
    return QuantileFit(whole.b, whole.dual, n_iter + whole.n_iter, whole.n_passes + passes)


def _share(penalty, share):
    return None if penalty is None else penalty * share


def _vertex(rows, level, b, dual, penalty):
    """The point where as many rows are fitted exactly as there are coefficients, from an interior point near it.

    Where more or fewer rows than that may be, as between the two middle ones of a median, b with its zeros exact.
    """
    residual = rows.residuals(b[None, :])[0]
    inside = np.minimum(dual - (level - 1.0), level - dual)
    unit = max(np.abs(residual).mean(), np.abs(b[: len(rows.scale)]).mean())  # residuals may all be next to zero
    free = np.append(rows.scale > 0.0, True) if rows.fit_intercept else rows.scale > 0.0
    if penalty is not None:
        slope = rows.sums((rows.weights() * dual)[None, :])[0, : len(penalty)]
        zero = np.abs(b[: len(penalty)]) <= (penalty - np.abs(slope)) / (2.0 * penalty) * unit
        free[: len(penalty)] &= ~zero
    basic = np.flatnonzero(np.abs(residual) <= inside * unit)
    vertex = np.where(free, b, 0.0)
    if len(basic) != free.sum() or not len(basic):
        return vertex
    part = rows.take(basic)
    X = part.X if isinstance(part.X, np.ndarray) else part.X.toarray()
    Z = (X - rows.shift) * rows.scale
    Z = np.column_stack([Z, np.ones(len(Z))]) if rows.fit_intercept else Z
    try:
        solved = np.linalg.solve(Z[:, free], part.y)
    except np.linalg.LinAlgError:
        return vertex
    if np.isfinite(solved).all():
        vertex[free] = solved
    return vertex


def _objective(rows, levels, penalty, b, residuals):
    losses = np.maximum(levels[:, None] * residuals, (levels[:, None] - 1.0) * residuals)
    if rows.w is not None:
        losses *= rows.w
    value = losses.sum(axis=1)
    return value if penalty is None else value + (np.abs(b[:, : len(penalty)]) * penalty).sum(axis=1)


def _gap(rows, penalty, fit):
    """Objective less the dual's; what the dual variables lack to be feasible is charged at the coefficients' size."""
    slopes = fit.dual if rows.w is None else fit.dual * rows.w
    excess = np.abs(rows.sums(slopes))
    if penalty is not None:
        excess[:, : len(penalty)] = np.maximum(excess[:, : len(penalty)] - penalty, 0.0)
    gap = fit.objective - (slopes * rows.y).sum(axis=1) + (np.abs(fit.b) * excess).sum(axis=1)
    return np.maximum(gap, 0.0)
