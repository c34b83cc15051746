"""Elastic nets on sets of rows as quadratics in scaled columns, solved by coordinate descent in the Gram domain.

With weights w of sum N, everything is in scikit-learn's terms: minimise

    sum_r w_r (y_r - x_r b)^2 / (2 N) + alpha l1_ratio ||b||_1 + alpha (1 - l1_ratio) ||b||^2 / 2
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.column_products import quadratic_forms
from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright._kernels.units import norms

_BEFORE_A_PATH = 200  # sweeps
_STEPS = 30
_NOTHING = 1e-11  # a penalty over what it is added to
_LARGEST = 1e290  # of penalty weights: above it squares overflow; the coefficient is zero long before


@dataclass(frozen=True, slots=True)
class Answers:
    """What paths came to, in the columns that users brought; `k` paths of `s` steps.

    Attributes
    ----------
    coef : array of shape (k, s, p)
    gap : array of shape (k, s)
        Bound of what the objective is above its minimum.
    objective : array of shape (k, s)
    converged : bool array of shape (k, s)
    n_iter : int32 array of shape (k, s)
    """

    coef: np.ndarray
    gap: np.ndarray
    objective: np.ndarray
    converged: np.ndarray
    n_iter: np.ndarray


@dataclass(frozen=True, slots=True)
class Quadratics:
    """Second moments of `m` sets of rows in columns scaled alike.

    Attributes
    ----------
    gram : array of shape (m, p, p)
    linear : array of shape (m, t, p)
    square : array of shape (m, t)
    weight : array of shape (m,)
    mean : array of shape (m, p + t)
        What the moments are about; zeros without an intercept.
    scale : array of shape (p + t,)
    """

    gram: np.ndarray
    linear: np.ndarray
    square: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, sets, fit_intercept):
        """From fold statistics, about the mean of each set where there is an intercept."""
        moments = [s.moments(fit_intercept) for s in sets]
        p = sets[0].n_features
        spread = [_spread(s, second, fit_intercept) for s, (second, _) in zip(sets, moments, strict=True)]
        scales = [np.where(v > 0.0, scale, np.inf) for v, (_, scale) in zip(spread, moments, strict=True)]
        scale = np.min(scales, axis=0)
        scale[np.isinf(scale)] = 1.0
        seconds = np.empty((len(sets), len(scale), len(scale)))
        for out, v, (second, own) in zip(seconds, spread, moments, strict=True):
            factor = np.where(v > 0.0, scale / own, 0.0)  # zero: a column without spread
            if (factor == 1.0).all():
                out[...] = second
            else:
                np.multiply(second, np.multiply.outer(factor, factor), out=out)
        return cls(
            np.ascontiguousarray(seconds[:, :p, :p]),
            np.ascontiguousarray(seconds[:, p:, :p]),
            np.ascontiguousarray(np.diagonal(seconds, axis1=1, axis2=2)[:, p:]),
            np.array([s.weight for s in sets]),
            np.array([s.mean for s in sets]) * bool(fit_intercept),
            scale,
        )

    @property
    def n_features(self):
        return self.gram.shape[1]

    def largest_alpha(self, l1_ratio, positive=False):
        """The least penalty at which every coefficient of the first set is zero."""
        p = self.n_features
        cross = self.linear[0] / self.scale[p:, None] / self.scale[:p]
        size = cross.max(axis=1) if positive else norms(cross, axis=0)
        return max(0.0, float(size.max(initial=0.0))) / (self.weight[0] * l1_ratio)

    def solve(self, sets, targets, alpha, l1_ratio, *, positive=False, start=None, tol=1e-4, max_iter=1000):
        """One path for each entry of `sets` and `targets`; `alpha` of shape (k, s), `l1_ratio` (k,) or a number."""
        p = self.n_features
        x_scale, y_scale = self.scale[:p], self.scale[p:][targets]
        weight, square = self.weight[sets], self.square[sets, targets]
        ratio = np.broadcast_to(np.asarray(l1_ratio, dtype=np.float64), (len(sets),))[:, None]
        with np.errstate(over="ignore", under="ignore"):
            l1 = np.minimum(alpha * ratio * weight[:, None] * y_scale[:, None], _LARGEST)
            l2 = np.minimum(alpha * (1.0 - ratio) * weight[:, None], _LARGEST)
            l2_weight = np.minimum(x_scale * x_scale, _LARGEST)
        to_user = y_scale[:, None] / x_scale
        options = {"low": np.zeros(p), "high": np.full(p, np.inf)} if positive else {}
        if start is not None:
            options["start"] = start / to_user * (self.gram[sets].diagonal(axis1=1, axis2=2) > 0.0)
        n_iter = np.zeros(alpha.shape, dtype=np.int32)
        free = self._negligible(sets, square, l1, l2).any()  # no gap to go by: the optimality conditions decide
        scaled, gap, violation, objective = elastic_net_paths(
            self.gram, sets, self.linear[sets, targets], square, l1, l2, x_scale, l2_weight,
            tol=tol, violation=tol if free else 0.0, max_iter=max_iter, n_iter=n_iter, **options,
        )  # fmt: skip
        converged = gap <= tol * square[:, None]
        if free:
            converged |= violation <= tol * np.sqrt(square)[:, None]
        unit = weight[:, None] * y_scale[:, None] ** 2
        return Answers(scaled / to_user[:, None], gap / unit, objective / unit, converged, n_iter)

    def _negligible(self, sets, square, l1, l2):
        """Where penalties are below the rounding of slopes, which no dual point then meets; shape (k, s)."""
        largest = self.gram.diagonal(axis1=1, axis2=2).max(axis=1, initial=0.0)[sets][:, None]
        slope = np.sqrt(largest * square[:, None])
        unit = self.scale[: self.n_features].max(initial=0.0)
        with np.errstate(over="ignore"):
            below = (l2 * unit * unit <= _NOTHING * largest) & (l1 * unit <= _NOTHING * slope) & (slope > 0.0)
        return below | ((l1 == 0.0) & (l2 == 0.0))

    def solve_one(self, alpha, l1_ratio, *, max_iter=1000, **options):
        """The first set, every target, for one penalty; along a path where many sweeps do not get there."""
        targets = np.arange(self.square.shape[1])
        first, goal = np.zeros_like(targets), np.full((len(targets), 1), float(alpha))
        sweeps = min(max_iter, _BEFORE_A_PATH)
        answers = self.solve(first, targets, goal, l1_ratio, max_iter=sweeps, **options)
        if answers.converged.all() or max_iter <= sweeps:
            return answers
        top = self.largest_alpha(max(l1_ratio, 1e-3))
        if alpha >= 0.5 * top or alpha == 0.0:
            return self.solve(first, targets, goal, l1_ratio, max_iter=max_iter, **options)
        path = np.geomspace(top, alpha, _STEPS)
        path[-1] = alpha
        options["start"] = None
        steps = np.tile(path, (len(targets), 1))
        answers = self.solve(first, targets, steps, l1_ratio, max_iter=max(1, (max_iter - sweeps) // _STEPS), **options)
        n_iter = sweeps + answers.n_iter.sum(axis=1, keepdims=True, dtype=np.int32)
        last = (part[:, -1:] for part in (answers.coef, answers.gap, answers.objective, answers.converged))
        return Answers(*last, n_iter)

    def squared_errors(self, at, target, coef, intercept):
        """Weighted mean squared errors on set `at` of coefficients of shape (s, p), without a look at a row."""
        p = self.n_features
        y_scale = self.scale[p + target]
        inside = _squared_error(
            self.gram[at], self.linear[at, target], self.square[at, target], coef * (y_scale / self.scale[:p])
        )
        off = self.mean[at, p + target] - intercept - coef @ self.mean[at, :p]
        return inside / (self.weight[at] * y_scale**2) + off * off


def _spread(statistics, second, fit_intercept):
    return statistics.spread() if fit_intercept else second.diagonal()


def _squared_error(gram, linear, square, b):
    """``||y - X b||^2`` for every row of b."""
    return np.maximum(square - 2.0 * (b * linear).sum(axis=1) + quadratic_forms(gram, b), 0.0)
