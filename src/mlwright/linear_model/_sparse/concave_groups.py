"""Concave penalties of the norms of groups: MCP or SCAD of ``|b_g|``, by group lassos that touch them from above.

A concave P is below its tangent: ``P(|b_g|) <= P(s_g) + P'(s_g) (|b_g| - s_g)``, s_g the norms now. The group lasso of
weights P'(s_g) that this leaves is solved where the last one ended, so that the objective falls; points that it does
not move are, by the optimality conditions of the group lasso, exactly the stationary points.

References
----------
Breheny and Huang (2015), Group descent algorithms for nonconvex penalized linear and logistic regression models with
grouped predictors. Statistics and Computing 25. Zou and Li (2008), One-step sparse estimates in nonconcave penalized
likelihood models. Annals of Statistics 36.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mlwright.linear_model._sparse.block_quadratic import BlockQuadratics
from mlwright.linear_model._sparse.penalty_terms import Grouped, Solution, concave_slope, concave_value

_STEPS = 30  # of the path from where all groups are zero
_ON_PATH = 1e-3  # violation at which a step of it ends
_OF_TOL, _OF_VIOLATION = 0.3, 0.1  # what a group lasso is solved to: of the tolerance, or of what is left before it


@dataclass(frozen=True)
class ConcaveGroups:
    """``sum_g P(|b_g|)``, P the minimax concave penalty or SCAD of strength ``alpha weight_g``, within bounds."""

    kind: str
    alpha: float
    gamma: float
    groups: tuple
    group_weights: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    @property
    def _lasso(self):
        """The group lasso that has the same slope at zero."""
        ones = np.ones(len(self.groups[1]))
        return Grouped(self.alpha, 1.0, 0.0, ones, self.groups, self.group_weights, self.low, self.high)

    @property
    def held(self):
        """Which coefficients have a penalty."""
        return self._lasso.held

    def largest_alpha(self, slope):
        """The least strength at which all penalised groups are zero, where slopes of the loss are `slope`."""
        return self._lasso.largest_alpha(slope)

    def solve(self, statistics, fit_intercept, start, tol, max_iter):
        """A stationary point: from `start`, or down a path of strengths from where all are zero."""
        q = BlockQuadratics.of([statistics], fit_intercept, self.groups)
        problem, n_iter = _Problem(self, q, _largest_eigenvalues(q)), 0
        b = np.zeros(q.n_features) if start is None else start * (q.gram[0].diagonal() > 0.0)
        if start is None:
            for alpha in self._path(q):
                b, _, used = problem.settle(b, alpha, max(tol, _ON_PATH), max_iter)
                n_iter += used
        b, violation, used = problem.settle(b, self.alpha, tol, max_iter)
        return Solution(b, problem.objective(b), None, violation, violation <= tol, n_iter + used)

    def _path(self, q):
        top = self.largest_alpha(q.correlations()[0])
        return np.geomspace(top, self.alpha, _STEPS)[:-1] if top > self.alpha > 0.0 else []


@dataclass(frozen=True)
class _Problem:
    penalty: ConcaveGroups
    q: BlockQuadratics
    curvature: np.ndarray

    def settle(self, b, alpha, tol, max_iter):
        """From b (p,) to a stationary point of strength `alpha`; its violation, and sweeps."""
        first, n_iter = np.zeros(1, np.int64), 0
        one, zero = np.ones((1, 1)), np.zeros((1, 1))
        violation, slopes = self.violation(b, alpha)
        while violation > tol and n_iter < max_iter:
            weights = np.ones(len(b)), slopes, np.ones(len(slopes))
            bounds = self.penalty.low, self.penalty.high
            inner = max(_OF_TOL * tol, _OF_VIOLATION * violation)
            options = {"start": b[None, None], "bounds": bounds, "tol": inner, "max_iter": max_iter - n_iter}
            found = self.q.solve(first, (zero, one, zero), weights, by_violation=True, **options)
            moved = not np.array_equal(found.coef[0, 0, 0], b)
            b = found.coef[0, 0, 0]
            n_iter += max(1, int(found.n_iter[0, 0]))
            violation, slopes = self.violation(b, alpha)
            if not moved:  # rounding is all that is left
                break
        return b, violation, n_iter

    def violation(self, b, alpha):
        """The largest distance of a group's correlations to where they should be, as of the group lasso; slopes of P
        at the norms (n_groups,)."""
        q, (starts, member) = self.q, self.penalty.groups
        norms = self._norms(b)
        slopes = concave_slope(self.penalty.kind, self.penalty.gamma, norms, alpha * self.penalty.group_weights)
        gradient = q.gram[0] @ (b / q.to_user) - q.linear[0, 0]
        edge = slopes * q.weight[0] * q.y_scale * q.x_scale[member[starts[:-1]]]
        ratio = np.divide(edge, norms, out=np.zeros_like(edge), where=norms > 0.0)
        slope = gradient.copy()
        slope[member] += b[member] * np.repeat(ratio, np.diff(starts))
        distance = np.sqrt(np.add.reduceat(self._inside(b, slope)[member] ** 2, starts[:-1]))
        distance = np.where(norms > 0.0, distance, np.maximum(distance - edge, 0.0))
        scale = np.sqrt(self.curvature * q.square[0])
        return float(np.divide(distance, scale, out=np.zeros_like(scale), where=scale > 0.0).max()), slopes

    def _inside(self, b, slope):
        """Slopes of the objective, but for those that a bound at b takes up."""
        if self.penalty.low is None:
            return slope
        slope = np.where(b >= self.penalty.high, np.maximum(slope, 0.0), slope)
        return np.where(b <= self.penalty.low, np.minimum(slope, 0.0), slope)

    def objective(self, b):
        q, own = self.q, b / self.q.to_user
        loss = 0.5 * (own @ q.gram[0] @ own - 2.0 * own @ q.linear[0, 0] + q.square[0])
        strength = self.penalty.alpha * self.penalty.group_weights
        value = concave_value(self.penalty.kind, self.penalty.gamma, self._norms(b), strength).sum()
        return float(loss / (q.weight[0] * q.y_scale**2) + value)

    def _norms(self, b):
        """Of every group; of the largest entry times what is left, so that no square is lost."""
        starts, member = self.penalty.groups
        size = np.abs(b[member])
        largest = np.maximum.reduceat(size, starts[:-1])
        unit = np.where(largest > 0.0, largest, 1.0)
        return unit * np.sqrt(np.add.reduceat((size / np.repeat(unit, np.diff(starts))) ** 2, starts[:-1]))


def _largest_eigenvalues(q):
    """Of every group's Gram matrix."""
    starts, member = q.groups
    of_group = [member[begin:end] for begin, end in pairwise(starts)]
    return np.array([max(0.0, np.linalg.eigvalsh(q.gram[0][np.ix_(at, at)])[-1]) for at in of_group])
