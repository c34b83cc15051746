"""Penalties of groups of features, and of several targets at once, on sets of rows, in the Gram domain.

With weights w of sum N, everything is in scikit-learn's terms: minimise

    sum_r w_r |y_r - x_r B|^2 / (2 N) + sum_g (l1 |B_g|_1 + norm |B_g|_2 + ridge |B_g|_2^2 / 2)

each strength times a weight of the feature or of the group.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.block_descent import block_paths
from mlwright.linear_model._sparse.quadratic import Answers, Quadratics

_BEFORE_A_PATH = 200  # sweeps
_STEPS = 30
_FAR = 1e140  # of bounds in scaled columns: above it they are none, since squares overflow
_LARGEST = 1e290  # of penalty weights: above it squares overflow; the coefficient is zero long before


def each_its_own(p):
    """Groups of one feature."""
    return np.arange(p + 1), np.arange(p)


@dataclass(frozen=True, slots=True)
class BlockQuadratics:
    """Second moments of `m` sets of rows; columns of a group are scaled alike, and so are the targets.

    Attributes
    ----------
    gram : array of shape (m, p, p)
    linear : array of shape (m, t, p)
    square, weight : arrays of shape (m,)
    mean : array of shape (m, p + t)
        What the moments are about; zeros without an intercept.
    x_scale : array of shape (p,)
    y_scale : float
    groups : pair of int64 arrays
        As of ``block_paths``.
    """

    gram: np.ndarray
    linear: np.ndarray
    square: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    x_scale: np.ndarray
    y_scale: float
    groups: tuple

    @classmethod
    def of(cls, sets, fit_intercept, groups=None):
        """From fold statistics; groups of one feature each if left out."""
        apart = Quadratics.of(sets, fit_intercept)
        p = apart.n_features
        groups = each_its_own(p) if groups is None else groups
        x_scale = _least_of_group(apart.scale[:p], groups)
        y_scale = float(apart.scale[p:].min())
        of_x, of_y = x_scale / apart.scale[:p], y_scale / apart.scale[p:]
        alike = (of_x == 1.0).all()
        return cls(
            apart.gram if alike else apart.gram * np.multiply.outer(of_x, of_x),
            apart.linear * of_y[:, None] * of_x,
            (apart.square * of_y**2).sum(axis=1),
            apart.weight,
            apart.mean,
            x_scale,
            y_scale,
            groups,
        )

    @property
    def n_features(self):
        return self.gram.shape[1]

    @property
    def to_user(self):
        """Coefficients of the columns that users brought are those of the scaled ones times this."""
        return self.x_scale / self.y_scale

    def correlations(self):
        """``X'Y / N`` of the first set, in users' columns: shape (t, p)."""
        return self.linear[0] / self.x_scale / self.y_scale / self.weight[0]

    def solve(self, sets, strengths, weights=None, **options):
        """One path for each entry of `sets`; strengths l1, norm and ridge of shape (k, s), in users' units.

        `tol` is of the gap, or of the violation of the optimality conditions alone: ``by_violation=True``. `bounds` are
        two arrays of shape (p,), or two times None.

        Returns
        -------
        Answers
            With ``coef`` of shape (k, s, t, p).
        """
        return self._solve(sets, strengths, weights, **options)[0]

    def solve_one(self, strengths, weights=None, *, start=None, bounds=(None, None), tol=1e-4, max_iter=1000):
        """The first set for strengths of one step, down a path of them where many sweeps do not get there.

        Returns
        -------
        answers : Answers
        violation : float
            Of the optimality conditions, the largest, as of ``block_paths``.
        """
        first, sweeps = np.zeros(1, np.int64), min(max_iter, _BEFORE_A_PATH)
        options = {"start": start, "bounds": bounds, "tol": tol}
        answers, violation = self._solve(first, strengths, weights, max_iter=sweeps, **options)
        factor = self._largest_factor(strengths, weights or _ones(self.groups))
        if answers.converged.all() or max_iter <= sweeps or not 2.0 < factor < np.inf:
            if not answers.converged.all() and max_iter > sweeps:
                answers, violation = self._solve(first, strengths, weights, max_iter=max_iter, **options)
            return answers, float(violation[0, 0])
        path = np.geomspace(factor, 1.0, _STEPS)[None]
        options["start"] = None
        steps = [part * path for part in strengths]
        most = max(1, (max_iter - sweeps) // _STEPS)
        answers, violation = self._solve(first, steps, weights, max_iter=most, **options)
        n_iter = sweeps + answers.n_iter.sum(axis=1, keepdims=True, dtype=np.int32)
        last = (part[:, -1:] for part in (answers.coef, answers.gap, answers.objective, answers.converged))
        return Answers(*last, n_iter), float(violation[0, -1])

    def _largest_factor(self, strengths, weights):
        """About how many times stronger the penalty would have to be for every coefficient to be zero."""
        starts, member = self.groups
        l1, norm = float(strengths[0][0, 0]), float(strengths[1][0, 0])
        cross = self.correlations()[:, member]
        pull = np.sqrt(np.add.reduceat((cross * cross).sum(axis=0), starts[:-1]))
        hold = norm * weights[1] + l1 * np.minimum.reduceat(weights[0], starts[:-1])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return float(np.where(hold > 0.0, pull / hold, 0.0).max(initial=0.0))

    def _solve(
        self, sets, strengths, weights, *, start=None, bounds=(None, None), tol=1e-4, max_iter=1000, by_violation=False
    ):
        starts, member = self.groups
        l1_weight, norm_weight, ridge_weight = weights or _ones(self.groups)
        of_group = self.x_scale[member[starts[:-1]]]
        unit = self.weight[sets][:, None]
        with np.errstate(over="ignore", under="ignore"):
            l1, norm = (np.minimum(part * unit * self.y_scale, _LARGEST) for part in strengths[:2])
            ridge = np.minimum(strengths[2] * unit, _LARGEST)
            scaled_weights = (
                np.minimum(l1_weight * self.x_scale[member], _LARGEST),
                np.minimum(norm_weight * of_group, _LARGEST),
                np.minimum(ridge_weight * of_group**2, _LARGEST),
            )
        if start is not None:
            start = start / self.to_user * (self.gram[sets].diagonal(axis1=1, axis2=2) > 0.0)[:, None]
        low, high = (side if side is None else self._scaled_bound(side) for side in bounds)
        n_iter = np.zeros(l1.shape, dtype=np.int32)
        square = self.square[sets]
        gap_tol = -1.0 if by_violation else tol  # no gap is below -1
        free = by_violation or bool(((l1 == 0.0) & (norm == 0.0) & (ridge == 0.0)).any())
        free = free or bool(((norm_weight == 0.0) & (ridge_weight == 0.0)).any() or (l1_weight == 0.0).any())
        scaled, gap, violation, objective = block_paths(
            self.gram, sets, self.linear[sets], square, self.groups, (l1, norm, ridge), scaled_weights,
            start=start, low=low, high=high, tol=gap_tol, violation=tol if free else 0.0, max_iter=max_iter,
            n_iter=n_iter,
        )  # fmt: skip
        converged = gap <= tol * square[:, None]
        if free:  # no gap to go by where nothing is penalised: the optimality conditions decide
            converged |= violation <= tol * np.sqrt(square)[:, None]
        in_user = unit * self.y_scale**2
        return Answers(scaled * self.to_user, gap / in_user, objective / in_user, converged, n_iter), violation

    def _scaled_bound(self, side):
        with np.errstate(over="ignore", under="ignore"):
            scaled = (side / self.to_user)[self.groups[1]]
        return np.where(np.abs(scaled) < _FAR, scaled, np.copysign(np.inf, scaled))


def _ones(groups):
    n = len(groups[0]) - 1
    return np.ones(len(groups[1])), np.ones(n), np.ones(n)


def _least_of_group(scale, groups):
    starts, member = groups
    if len(member) == len(starts) - 1 == len(scale):
        return scale
    least = scale.copy()
    least[member] = np.repeat(np.minimum.reduceat(scale[member], starts[:-1]), np.diff(starts))
    return least
