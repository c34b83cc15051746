"""Penalties of groups of features, and of several targets at once, on sets of rows, in the Gram domain.

With weights w of sum N, everything is in scikit-learn's terms: minimise

    sum_r w_r |y_r - x_r B|^2 / (2 N) + sum_g (l1 |B_g|_1 + norm |B_g|_2 + ridge |B_g|_2^2 / 2)

each strength times a weight of the feature or of the group.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.block_descent import block_paths
from mlwright.linear_model._quadratic import Answers, Quadratics

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

    def solve(self, sets, strengths, weights=None, *, start=None, tol=1e-4, max_iter=1000):
        """One path for each entry of `sets`; strengths l1, norm and ridge of shape (k, s), in users' units.

        Returns
        -------
        Answers
            With ``coef`` of shape (k, s, t, p).
        """
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
        n_iter = np.zeros(l1.shape, dtype=np.int32)
        square = self.square[sets]
        free = bool(((l1 == 0.0) & (norm == 0.0) & (ridge == 0.0)).any())
        free = free or bool(((norm_weight == 0.0) & (ridge_weight == 0.0)).any() or (l1_weight == 0.0).any())
        scaled, gap, violation, objective = block_paths(
            self.gram, sets, self.linear[sets], square, self.groups, (l1, norm, ridge), scaled_weights,
            start=start, tol=tol, violation=tol if free else 0.0, max_iter=max_iter, n_iter=n_iter,
        )  # fmt: skip
        converged = gap <= tol * square[:, None]
        if free:  # no gap to go by where nothing is penalised: the optimality conditions decide
            converged |= violation <= tol * np.sqrt(square)[:, None]
        in_user = unit * self.y_scale**2
        return Answers(scaled * self.to_user, gap / in_user, objective / in_user, converged, n_iter)


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
