"""L1 and elastic-net penalties: proximal Newton steps, each a quadratic solved by coordinate descent.

The Hessian of a step comes from the fused pass, the intercept is eliminated from it exactly, and the quadratic in the
new coefficients goes to the coordinate descent of least squares. Where there are more columns than a Hessian may have,
the same is done on a working set of columns, until no other column violates its optimality condition.

Reference: Lee, Sun and Saunders, SIAM Journal on Optimization 24 (2014), 1420-1443.
"""

import numpy as np

from mlwright._kernels import glm
from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright.linear_model._glm._line_search import LineSearch
from mlwright.linear_model._glm._problem import Solution, original, scaled

_ROUNDING, _PERFECT = 1e-14, 1e-12
_INNER, _LAST = 0.1, 1e-3  # of the violation now, of the last one: how far a quadratic is solved
LEFT = 0.1  # times tol^2 and the deviance: what may be left to gain
_SWEEPS = 10_000


class ProximalNewton(LineSearch):
    """The state of one minimisation in scaled columns."""

    def __init__(self, problem, b, b0):
        self.problem = problem
        self.l1, self.l2 = problem.penalties()
        self.b, self.b0 = b, b0
        self.n_passes, self.n_iter, self.status = 0.0, 0, glm.ITERATIONS
        self.first = None

    def run(self, tol, max_iter):
        """To the optimum, or as far as `max_iter` steps go; returns itself."""
        self._move_to(self.b, self.b0, self._evaluate(self.b, self.b0))
        while True:
            if not np.isfinite(self.objective):
                self.status = glm.NOT_FINITE
                return self
            d, d0, expected = self._direction(tol)
            if self.violation <= tol and -expected <= max(LEFT * tol**2 * self.deviance, self._noise):
                self.status = glm.CONVERGED
            elif self.n_iter < max_iter:
                if self._step(d, d0, expected):
                    continue
                self.status = glm.CONVERGED if self.violation <= tol else glm.STALLED
            return self

    @property
    def _noise(self):
        """What rounding makes of the objective."""
        return _ROUNDING * (abs(self.objective) + abs(self.problem.saturated))

    def penalty(self, b):
        """The penalty at scaled coefficients."""
        return float(self.l2 @ b**2 / 2 + self.l1 @ np.abs(b))

    def _evaluate(self, b, b0):
        self.n_passes += 1.0
        return glm.evaluate(self.problem.table, self.problem.loss, b, b0)

    def _move_to(self, b, b0, evaluated):
        self.b, self.b0 = b, b0
        self.loss, self.gradient, self.hessian, _ = evaluated
        self.objective = self.loss + self.penalty(b)
        excess = self.objective - self.problem.saturated
        self.first = abs(excess) if self.first is None else self.first
        self.deviance = max(excess, _PERFECT * self.first, 1e-300)
        p = len(b)
        self.violation = violation(self.gradient[:p], self.hessian.diagonal()[:p], b, self.l1, self.l2, self.deviance)
        if self.problem.fit_intercept and self.hessian[p, p] > 0:
            size = np.sqrt(self.hessian[p, p]) * np.sqrt(self.deviance)
            self.violation = max(self.violation, abs(self.gradient[p]) / size)

    def _direction(self, tol):
        """Steps to the minimum of the quadratic model plus penalty, and what they are expected to change."""
        p = len(self.b)
        H, g = self.hessian[:p, :p], self.gradient[:p]
        border, corner = self.hessian[:p, p], self.hessian[p, p]
        intercept = self.problem.fit_intercept and corner > 0
        if intercept:
            H = H - np.outer(border, border / corner)
            g = g - border * (self.gradient[p] / corner)
        linear = _times(H, self.b) - g
        square = 4 * self.deviance + abs(float(self.b @ linear)) + 2 * abs(float(g @ self.b))
        inner = how_far(self.violation, tol) * np.sqrt(self.deviance / square)
        coef, *_ = elastic_net_paths(
            H[None],
            np.zeros(1, dtype=np.int64),
            linear[None],
            np.array([square]),
            np.ones((1, 1)),
            np.ones((1, 1)),
            self.l1,
            self.l2,
            start=self.b[None],
            tol=-1.0,  # the gap is rounding long before the violation is
            violation=inner,
            max_iter=_SWEEPS,
        )
        d = coef[0, 0] - self.b
        d0 = -(self.gradient[p] + float(border @ d)) / corner if intercept else 0.0
        expected = float(self.gradient[:p] @ d) + self.gradient[p] * d0
        return d, d0, expected + self.penalty(coef[0, 0]) - self.penalty(self.b)


def how_far(violation, tol):
    """The violation to which a quadratic is solved: a tenth of the one now; at the end so that its gain can be told."""
    return _INNER * min(violation, 1.0) if violation > tol else _LAST * tol


def _times(H, b):
    """``H b`` in one order of summation, whatever BLAS would do."""
    return (H * b).sum(axis=1)


def violation(gradient, diagonal, b, l1, l2, deviance):
    """The largest distance of a coordinate's gradient from optimality, over ``sqrt(hessian_jj * deviance)``."""
    slope = gradient + l2 * b
    at_zero = np.maximum(np.abs(slope) - l1, 0.0)
    distance = np.where(b == 0, at_zero, np.abs(slope + l1 * np.sign(b)))
    rounding = 1e-13 * (np.abs(gradient) + l1)
    distance = np.where(distance > rounding, distance, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.sqrt(diagonal + l2) * np.sqrt(deviance)  # root by root: weights may be anything
        relative = np.where(distance > 0, distance / size, 0.0)
    return float(relative.max(initial=0.0))


def solve_proximal(problem, coef, intercept, tol, max_iter):
    """Proximal Newton over all columns."""
    state = ProximalNewton(problem, *scaled(problem, coef, intercept)).run(tol, max_iter)
    return as_solution(problem, state)


def as_solution(problem, state):
    """A Solution in the original columns."""
    coef, intercept = original(problem, state.b, state.b0)
    objective = problem.objective(state.loss, coef)
    worst = state.violation if np.isfinite(state.violation) else np.inf
    return Solution(coef, intercept, objective, worst, state.n_iter, state.n_passes, state.status)


def solve_working_set(problem, coef, intercept, tol, max_iter, squares, columns_of):
    """Proximal Newton over working sets; ``columns_of(indices)`` is their table, `squares` are sums of ``w z**2``."""
    b, b0 = scaled(problem, coef, intercept)
    l1, l2 = problem.penalties()
    n_passes, n_iter, status, first = 0.0, 0, glm.ITERATIONS, None
    while True:
        loss, gradient, _, _ = glm.evaluate(problem.table, problem.loss, b, b0, False)
        n_passes += 1.0
        objective = float(loss + l2 @ b**2 / 2 + l1 @ np.abs(b))
        first = abs(objective - problem.saturated) if first is None else first
        deviance = max(objective - problem.saturated, _PERFECT * first, 1e-300)
        curvature = 0.25 * squares
        worst = violation(gradient[:-1], curvature, b, l1, l2, deviance)
        if not np.isfinite(objective):
            status = glm.NOT_FINITE
        elif worst <= tol and n_iter > 0:
            status = glm.CONVERGED
        elif n_iter < max_iter:
            members = _working_set(gradient[:-1], curvature, b, l1, l2)
            inner = problem.with_table(columns_of(members), problem.l1, problem.l2)
            state = ProximalNewton(inner, b[members], b0).run(0.3 * tol, max_iter)
            moved = float(np.abs(state.b - b[members]).max(initial=0.0)) > 0 or state.b0 != b0
            b = b.copy()
            b[members], b0 = state.b, state.b0
            n_iter += 1
            n_passes += state.n_passes * len(members) / len(b)
            if moved:
                continue
            status = glm.STALLED
        coef, intercept = original(problem, b, b0)
        return Solution(coef, intercept, problem.objective(loss, coef), worst, n_iter, n_passes, status)


def _working_set(gradient, curvature, b, l1, l2):
    """The support, and as many again (ten or more) of the columns that violate most."""
    slope = gradient + l2 * b
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (np.abs(slope) - l1) / np.sqrt(curvature + l2)
    excess = np.where((b == 0) & np.isfinite(excess), excess, -np.inf)
    support = np.flatnonzero(b)
    room = min(max(10, len(support)), len(b) - len(support))
    order = np.argsort(-excess, kind="stable")[:room]
    return np.sort(np.concatenate([support, order[excess[order] > 0]]))
