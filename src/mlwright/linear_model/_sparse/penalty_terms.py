"""Penalties composed from what users name (kind, groups, weights, bounds), each solved in the Gram domain."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mlwright._kernels.coordinate_descent import concave_paths, elastic_net_paths
from mlwright.linear_model._sparse.block_quadratic import BlockQuadratics
from mlwright.linear_model._sparse.quadratic import Quadratics

_HALVINGS = 100  # of an interval of strengths
_STEPS = 30  # of the path by which concave penalties are reached
_LARGEST = 1e290
_DEFAULT_GAMMA = {"mcp": 3.0, "scad": 3.7}


@dataclass(frozen=True)
class Solution:
    """Coefficients of shape (p,) and what certifies them, in users' units; `gap` is None where nothing bounds it."""

    coef: np.ndarray
    objective: float
    gap: float | None
    violation: float
    converged: bool
    n_iter: int


@dataclass(frozen=True)
class Separable:
    """``alpha sum_j weight_j (l1_ratio |b_j| + (1 - l1_ratio) b_j^2 / 2)`` within bounds."""

    alpha: float
    l1_ratio: float
    weights: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    @property
    def held(self):
        """Which coefficients have a penalty."""
        return self.weights > 0.0

    def largest_alpha(self, slope):
        """The least strength at which all penalised coefficients are zero, where slopes of the loss are `slope`."""
        return _largest(np.abs(inward(slope, self.low, self.high)), self.l1_ratio * self.weights)

    def solve(self, statistics, fit_intercept, start, tol, max_iter):
        q = Quadratics.of([statistics], fit_intercept)
        p, n = q.n_features, q.weight[0]
        x, y, square = q.scale[:p], q.scale[p], q.square[0, 0]
        with np.errstate(over="ignore", under="ignore"):
            l1 = np.minimum(self.alpha * self.l1_ratio * n * y, _LARGEST)
            l2 = np.minimum(self.alpha * (1.0 - self.l1_ratio) * n, _LARGEST)
            l1_weight, l2_weight = np.minimum(self.weights * x, _LARGEST), np.minimum(self.weights * x * x, _LARGEST)
        free = not (self.alpha > 0.0 and (self.weights > 0.0).all())  # then no gap is of use: the conditions decide
        bounds = {} if self.low is None else {"low": self.low * (y / x), "high": self.high * (y / x)}
        n_iter = np.zeros((1, 1), dtype=np.int32)
        b, gap, violation, objective = elastic_net_paths(
            q.gram, np.zeros(1, np.int64), q.linear[0], q.square[0], np.array([[l1]]), np.array([[l2]]),
            l1_weight, l2_weight, start=_scaled(start, y / x, q.gram[0]), tol=tol,
            violation=tol if free else 0.0, max_iter=max_iter, n_iter=n_iter, **bounds,
        )  # fmt: skip
        unit, worst = n * y * y, _relative(violation[0, 0], square)
        converged = gap[0, 0] <= tol * square or (free and worst <= tol)
        gap = None if free else float(gap[0, 0] / unit)
        return Solution(b[0, 0] * (x / y), objective[0, 0] / unit, gap, worst, bool(converged), int(n_iter[0, 0]))


@dataclass(frozen=True)
class Grouped:
    """``alpha share sum_j weight_j |b_j|`` and, of groups, ``alpha (1 - share) weight_g`` times norm and ridge, within
    bounds."""

    alpha: float
    l1_ratio: float
    share: float
    weights: np.ndarray
    groups: tuple
    group_weights: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    @property
    def held(self):
        """Which coefficients have a penalty."""
        starts, member = self.groups
        of_group = np.empty(len(member), dtype=np.int64)
        of_group[member] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        return (self.share * self.weights > 0.0) | ((1.0 - self.share) * self.group_weights[of_group] > 0.0)

    def largest_alpha(self, slope):
        """As of :class:`Separable`: where no group's slopes, thresholded, are longer than its penalty."""
        starts, member = self.groups
        single, whole = self.share * self.weights, (1.0 - self.share) * self.l1_ratio * self.group_weights
        slope, most = inward(slope, self.low, self.high), 0.0
        for g, (begin, end) in enumerate(pairwise(starts)):
            at = member[begin:end]
            if single[at].any() or whole[g] > 0.0:
                most = max(most, _least_strength(np.abs(slope[at]), single[at], whole[g]))
        return most

    def solve(self, statistics, fit_intercept, start, tol, max_iter):
        q = BlockQuadratics.of([statistics], fit_intercept, self.groups)
        rest = self.alpha * (1.0 - self.share)
        strengths = [
            np.array([[part]]) for part in (self.alpha * self.share, rest * self.l1_ratio, rest * (1.0 - self.l1_ratio))
        ]
        weights = self.weights[self.groups[1]], self.group_weights, self.group_weights
        start = None if start is None else start[None, None]
        bounds = self.low, self.high
        answers, worst = q.solve_one(strengths, weights, start=start, bounds=bounds, tol=tol, max_iter=max_iter)
        gap = float(answers.gap[0, 0])
        free = not (self.alpha > 0.0 and ((self.group_weights > 0.0) | (self.share == 1.0)).all())
        return Solution(
            answers.coef[0, 0, 0],
            float(answers.objective[0, 0]),
            None if free or not np.isfinite(gap) else gap,
            _relative(worst, q.square[0]),
            bool(answers.converged[0, 0]),
            int(answers.n_iter[0, 0]),
        )


@dataclass(frozen=True)
class Concave:
    """``sum_j P(b_j)``, P the minimax concave penalty or SCAD of strength ``alpha weight_j``, within bounds."""

    kind: str
    alpha: float
    gamma: float
    weights: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    @property
    def held(self):
        """Which coefficients have a penalty."""
        return self.weights > 0.0

    def largest_alpha(self, slope):
        """As of :class:`Separable`."""
        return _largest(np.abs(inward(slope, self.low, self.high)), self.weights)

    def solve(self, statistics, fit_intercept, start, tol, max_iter):
        """A stationary point: from `start`, or down a path of strengths from where all are zero."""
        q = Quadratics.of([statistics], fit_intercept)
        p, n = q.n_features, q.weight[0]
        x, y, square = q.scale[:p], q.scale[p], float(q.square[0, 0])
        # P(c b) of strength c alpha is c^2 P(b) of strength alpha: the factor n y^2 of the problem goes into both.
        unit = np.sqrt(n) * x
        goal = np.sqrt(n) * y * self.alpha
        steps = np.array([goal]) if start is not None else self._path(q, unit, goal)
        bounds = {} if self.low is None else {"low": self.low * (y / x), "high": self.high * (y / x)}
        n_iter = np.zeros((1, len(steps)), dtype=np.int32)
        b, violation = concave_paths(
            q.gram, np.zeros(1, np.int64), q.linear[0], q.square[0], self.kind, steps[None], self.gamma, self.weights,
            unit, start=_scaled(start, y / x, q.gram[0]), violation=tol, max_iter=max_iter, n_iter=n_iter,
            **bounds,
        )  # fmt: skip
        b = b[0, -1]
        value = concave_value(self.kind, self.gamma, np.abs(unit * b), goal * self.weights).sum()
        objective = 0.5 * (square - 2.0 * b @ q.linear[0, 0] + b @ q.gram[0] @ b) + value
        worst = _relative(violation[0, -1], square)
        return Solution(b * (x / y), objective / (n * y * y), None, worst, worst <= tol, int(n_iter.sum()))

    def _path(self, q, unit, goal):
        held = self.weights > 0.0
        pull = np.abs(q.linear[0, 0][held]) / (unit[held] * self.weights[held])
        top = float(pull.max(initial=0.0))
        if not top > goal > 0.0:
            return np.array([goal])
        steps = np.geomspace(top, goal, _STEPS)
        steps[-1] = goal
        return steps


def concave_value(kind, gamma, size, strength):
    """MCP or SCAD of sizes and their strengths."""
    edge = gamma * strength
    if kind == "mcp":
        inside = np.minimum(size, edge)
        return inside * (strength - 0.5 * inside / gamma)
    with np.errstate(over="ignore", invalid="ignore"):  # where another piece is taken
        between = (edge * size - 0.5 * (size * size + strength * strength)) / (gamma - 1.0)
        beyond = 0.5 * strength * strength * (gamma + 1.0)
    return np.where(size <= strength, strength * size, np.where(size >= edge, beyond, between))


def concave_slope(kind, gamma, size, strength):
    """Its derivative in the sizes; at zero, from the right."""
    if kind == "mcp":
        return np.maximum(strength - size / gamma, 0.0)
    return np.where(size <= strength, strength, np.maximum(gamma * strength - size, 0.0) / (gamma - 1.0))


def inward(slope, low, high):
    """Slopes (p,), positive where a coefficient of zero would rise; zero where a bound there stops it."""
    if low is None:
        return slope
    return np.where(((slope > 0.0) & (high == 0.0)) | ((slope < 0.0) & (low == 0.0)), 0.0, slope)


def _largest(slope, weights):
    return float(np.divide(slope, weights, out=np.zeros_like(slope), where=weights > 0.0).max(initial=0.0))


def _least_strength(slope, single, whole):
    """The root of ``|(slope - alpha single)+| = alpha whole``, which falls on the left and rises on the right."""
    low, high = 0.0, np.linalg.norm(slope) / whole if whole > 0.0 else np.inf
    high = min(high, _largest(slope, single)) if (single > 0.0).all() else high
    if not (np.isfinite(high) and single.any()):
        return float(high) if np.isfinite(high) else 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        inside = np.linalg.norm(np.maximum(slope - middle * single, 0.0)) <= middle * whole
        low, high = (low, middle) if inside else (middle, high)
    return float(high)


def _scaled(start, factor, gram):
    return None if start is None else (start * factor * (gram.diagonal() > 0.0))[None]


def _relative(violation, square):
    return float(violation / np.sqrt(square)) if square > 0.0 else 0.0


def groups_of(labels, p):
    """Groups as ``block_paths`` takes them, from a label for each feature; None is each feature for itself."""
    if labels is None:
        return np.arange(p + 1), np.arange(p)
    labels = np.asarray(labels)
    if labels.shape != (p,):
        raise ValueError(f"groups: got an array of shape {labels.shape}, expected a label for each of {p} features.")
    _, codes = np.unique(labels, return_inverse=True)
    member = np.argsort(codes, kind="stable")
    return np.concatenate([[0], np.cumsum(np.bincount(codes))]), member


def vector_of(name, given, n, default, low=0.0):
    """A number for each of n things, finite and not below `low`."""
    if given is None:
        return default
    values = np.broadcast_to(np.asarray(given, dtype=np.float64), (n,)) if np.size(given) in (1, n) else None
    if values is None or np.ndim(given) > 1:
        raise ValueError(f"{name}: got an array of shape {np.shape(given)}, expected one number or {n}.")
    if not (np.isfinite(values).all() and (values >= low).all()):
        raise ValueError(f"{name}: got {given!r}, expected finite numbers that are not below {low:g}.")
    return np.array(values)


def bounds_of(bounds, p):
    """Lower and upper bounds of each coefficient, or two times None."""
    if bounds is None:
        return None, None
    if len(bounds) != 2:
        raise ValueError(f"bounds: got {bounds!r}, expected a pair of a lower and an upper bound.")
    sides = []
    for given, default in zip(bounds, (-np.inf, np.inf), strict=True):
        side = np.full(p, default) if given is None else np.asarray(given, dtype=np.float64)
        if side.ndim > 1 or side.size not in (1, p) or np.isnan(side).any():
            raise ValueError(f"bounds: got {given!r}, expected None, a number, or one for each of {p} features.")
        sides.append(np.array(np.broadcast_to(side, (p,))))
    if not ((sides[0] <= 0.0).all() and (sides[1] >= 0.0).all()):
        raise ValueError(f"bounds: got {bounds!r}, expected lower bounds up to 0 and upper bounds from 0 on.")
    return sides


def default_gamma(kind, gamma):
    """gamma, or the value that its authors recommend."""
    gamma = _DEFAULT_GAMMA[kind] if gamma is None else float(gamma)
    least = 1.0 if kind == "scad" else 0.0
    if not gamma > least or not np.isfinite(gamma):
        raise ValueError(f"gamma: got {gamma!r}, expected a finite number above {least:g} for penalty={kind!r}.")
    return gamma
