"""Lasso and elastic net of more columns than a Gram matrix is worth: working sets, with passes that look ahead.

A set of columns that may matter is kept with its Gram matrix, which grows by columns and is never formed anew; steps
of a path are solved on it several at a time. One pass over X then gives the correlations of all their residuals with
every column: a step whose duality gap over all columns is small enough is accepted, the first that is not is solved
again with the columns that were missing. Columns join by the sequential strong rule, the most correlated first; the
answer does not rest on that rule, since the gap is over all columns.

References
----------
Tibshirani, Bien, Friedman, Hastie, Simon, Taylor and Tibshirani (2012), Strong rules for discarding predictors in
lasso-type problems. Journal of the Royal Statistical Society B 74.
Massias, Gramfort and Salmon (2018), Celer: a fast solver for the lasso with dual extrapolation. ICML.
"""

from dataclasses import dataclass, field

import numpy as np

from mlwright._kernels.column_products import column_products
from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright._kernels.layout import floats
from mlwright._kernels.linalg import affine_map
from mlwright._kernels.units import norms, unit_for
from mlwright._runtime.errors import NumericalError
from mlwright.linear_model._sparse.quadratic import Answers

_SMALL = 512  # columns up to which a Gram matrix costs next to nothing, whatever the number of rows
_WIDEST_GRAM = 2048
_FEWEST = 128  # columns that may join at once
_LIKELY = 1.0  # of a penalty: columns that far from it are left for a pass to find
_MOST_AHEAD = 16  # steps solved before a pass
_INNER = 0.3  # of the tolerance: what the working set is solved to
_LARGE = 2.0**200  # a magnitude whose powers may overflow


def wants_rows(rows):
    """Whether X has too many columns for a Gram matrix of them all to be worth it."""
    n, p = rows.X.shape
    return p > _SMALL and (n < p or p > _WIDEST_GRAM)


@dataclass(slots=True)
class RowsProblem:
    """Rows of which no Gram matrix is formed.

    Attributes
    ----------
    X : array or CSC matrix of shape (n, p)
    y : array of shape (n, t)
        About the mean where there is an intercept.
    w : array of shape (n,)
        Weights, all ones where there are none.
    x_mean, y_mean : arrays
    weight : float
    """

    X: object
    y: np.ndarray
    w: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    weight: float
    n_passes: int = field(default=1)

    @classmethod
    def of(cls, rows, fit_intercept, w=None):
        """None where X, y or the weights are not finite; `w` in place of the rows' own weights."""
        w = rows.w if w is None else w
        w = np.ones(rows.X.shape[0]) if w is None else w
        X = rows.X.tocsc().astype(np.float64, copy=False) if rows.is_sparse else floats(rows.X)
        sums, weight = (X.T @ w if rows.is_sparse else column_products(X, w[:, None])[:, 0]), float(w.sum())
        # A sum over numbers of which one is not finite is not finite either.
        if not (np.isfinite(sums).all() and np.isfinite(rows.y).all() and np.isfinite(weight)):
            return None
        if rows.is_sparse and not np.isfinite(X.data).all():
            return None
        x_mean, y_mean = sums / weight, column_products(rows.y, w[:, None])[:, 0] / weight
        if not fit_intercept:
            x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
        return cls(X, rows.y - y_mean, w, x_mean, y_mean, weight)

    def correlations(self, residuals):
        """``(X - mean)' diag(w) R`` for residuals of shape (n, b): one pass over X."""
        self.n_passes += 1
        weighted = self.w[:, None] * residuals
        if isinstance(self.X, np.ndarray):
            products = column_products(self.X, weighted)
        else:
            products = self.X.T @ weighted
        return products - self.x_mean[:, None] * weighted.sum(axis=0)

    def largest_alpha(self, l1_ratio, positive=False):
        """The least penalty at which every coefficient is zero."""
        cross = self.correlations(self.y)
        size = cross.max(axis=1) if positive else norms(cross, axis=1)
        return max(0.0, float(size.max(initial=0.0))) / (self.weight * l1_ratio)

    def solve(self, alpha, l1_ratio, *, positive=False, start=None, tol=1e-4, max_iter=1000):
        """One path of falling penalties for each target; `alpha` of shape (t, s)."""
        parts = [
            _Path(self, k, alpha[k], l1_ratio, positive, tol, max_iter).run(None if start is None else start[k])
            for k in range(self.y.shape[1])
        ]
        return Answers(*(np.array(part) for part in zip(*parts, strict=True)))


class Columns:
    """The columns of a working set, centred, their weighted Gram matrix, and their products (m, t) with targets."""

    def __init__(self, problem, y):
        self.problem, self.y = problem, y
        self.member = np.empty(0, dtype=np.int64)
        self.gram = np.empty((0, 0))
        self.linear = np.empty((0, y.shape[1]))
        self.dense = np.empty((problem.X.shape[0], 0), order="F")  # of dense X: its columns about their means

    def add(self, new):
        """Take in the columns `new`, none of which is in the set."""
        problem = self.problem
        if isinstance(problem.X, np.ndarray):
            block = np.ascontiguousarray(problem.X.T[new], dtype=np.float64) - problem.x_mean[new][:, None]
            self.dense = np.vstack([self.dense.T, block]).T
            cross = column_products(self.dense, (problem.w * block).T)
        else:
            member = np.concatenate([self.member, new])
            weighted = problem.X[:, new].multiply(problem.w[:, None]).tocsc()
            cross = (problem.X[:, member].T @ weighted).toarray()
            sums = np.asarray(weighted.sum(axis=0)).ravel()
            mean, all_sums = problem.x_mean, problem.x_mean[member] * problem.weight
            cross -= np.multiply.outer(mean[member], sums) + np.multiply.outer(all_sums, mean[new])
            cross += np.multiply.outer(mean[member], mean[new]) * problem.weight
        m, k = len(self.member), len(new)
        grown = np.empty((m + k, m + k))
        grown[:m, :m] = self.gram
        grown[:, m:] = cross
        grown[m:, :m] = cross[:m].T
        corner = grown[m:, m:]
        corner[...] = 0.5 * (corner + corner.T)
        self.gram = grown
        self.member = np.concatenate([self.member, new])
        self.linear = np.concatenate([self.linear, self._products(new, problem.w[:, None] * self.y)])

    def _products(self, new, v):
        problem = self.problem
        if isinstance(problem.X, np.ndarray):
            return column_products(self.dense[:, -len(new) :], v)
        return problem.X[:, new].T @ v - problem.x_mean[new][:, None] * v.sum(axis=0)

    def in_units(self, square):
        """Gram matrix, products (t, m), and the powers of two of columns and targets that they are multiplied by.

        Ones, and nothing is copied, unless squares of these numbers could overflow or vanish; targets have a sum of
        squares of `square`.
        """
        sizes = np.sqrt([self.gram.diagonal().max(), square])
        if ((sizes > 1.0 / _LARGE) & (sizes < _LARGE)).all():
            return self.gram, self.linear.T, 1.0, 1.0
        x, y = map(unit_for, sizes.tolist())
        return self.gram * x * x, self.linear.T * x * y, x, y

    def residuals(self, coef):
        """Residuals of shape (n, b) of coefficients of shape (b, m); of one target, or a row of `coef` for each."""
        problem = self.problem
        used = np.flatnonzero((coef != 0.0).any(axis=0))
        if len(used) == 0:
            return np.repeat(self.y, len(coef) // self.y.shape[1], axis=1)
        if isinstance(problem.X, np.ndarray):
            return self.y - affine_map(self.dense[:, used], coef[:, used], np.zeros(len(coef)))
        members = self.member[used]
        return self.y - (problem.X[:, members] @ coef[:, used].T - problem.x_mean[members] @ coef[:, used].T)


class _Path:
    """One target's path."""

    def __init__(self, problem, target, alpha, l1_ratio, positive, tol, max_iter):
        self.problem, self.positive, self.tol, self.max_iter = problem, positive, tol, max_iter
        self.l1, self.l2 = alpha * l1_ratio * problem.weight, alpha * (1.0 - l1_ratio) * problem.weight
        self.y = problem.y[:, target]
        self.square = float((problem.w * self.y * self.y).sum())
        if not np.isfinite(self.square):
            raise NumericalError(
                "lasso of wide data: finite targets whose sum of squares overflows float64; expected magnitudes below "
                "1e150; divide y and alpha by a constant."
            )
        self.set = Columns(problem, problem.y[:, target : target + 1])
        self.correlation = None  # with every column, of the residual at `at`
        self.coef = np.empty(0)  # of the working set

    def run(self, start):
        steps, p = len(self.l1), self.problem.X.shape[1]
        out = np.zeros((steps, p)), np.empty(steps), np.empty(steps), np.zeros(steps, bool), np.zeros(steps, np.int32)
        self._begin(start)
        done, ahead, before, rounds = 0, 1, np.inf, 0
        while done < steps:
            batch = slice(done, min(steps, done + ahead))
            self._admit(self.l1[batch], self.l2[done], before)
            coef, n_iter = self._solve(batch)
            residuals = self.set.residuals(coef)
            correlations = self.problem.correlations(residuals)
            gaps, objectives, missing = self._judge(batch, coef, residuals, correlations)
            rounds += int(n_iter[0])
            stuck = not gaps[0] <= self.tol * self.square and (not missing or rounds >= self.max_iter * 10)
            good = max(_prefix(gaps <= self.tol * self.square), int(stuck))
            for k in range(good):
                step = done + k
                out[0][step, self.set.member] = coef[k]
                out[1][step], out[2][step] = gaps[k] / self.problem.weight, objectives[k] / self.problem.weight
                out[3][step], out[4][step] = gaps[k] <= self.tol * self.square, n_iter[k] if k else rounds
                rounds = 0
            last = max(good - 1, 0)
            self.coef, self.correlation = coef[last], correlations[:, last]
            if good:
                before = self.l1[done + good - 1]
            done += good
            ahead = min(_MOST_AHEAD, 2 * ahead) if good == batch.stop - batch.start else max(1, good)
        return out

    def _begin(self, start):
        if start is not None and start.any():
            self.set.add(np.flatnonzero(start))
            self.coef = start[self.set.member]
        self.correlation = self.problem.correlations(self.set.residuals(self.coef[None]))[:, 0]

    def _admit(self, l1, l2, before):
        """Columns that the strong rule keeps for the last step of a batch, and all that violate its first."""
        coef = np.zeros(len(self.correlation))
        coef[self.set.member] = self.coef
        size = self._pull(self.correlation - l2 * coef)
        size[self.set.member] = -np.inf
        threshold = min(l1[0], max(2.0 * l1[-1] - before, _LIKELY * l1[-1])) if np.isfinite(before) else l1[0]
        wanted = np.flatnonzero(size > threshold)
        most = max(_FEWEST, len(self.set.member) // 2)
        if len(wanted) > most:
            wanted = wanted[np.argsort(-size[wanted], kind="stable")[:most]]
        if len(wanted):
            self.set.add(np.sort(wanted))
            self.coef = np.concatenate([self.coef, np.zeros(len(wanted))])

    def _pull(self, correlation):
        return np.maximum(correlation, 0.0) if self.positive else np.abs(correlation)

    def _solve(self, batch):
        m, l1, l2 = len(self.coef), self.l1[None, batch], self.l2[None, batch]
        n_iter = np.zeros(l1.shape, dtype=np.int32)
        if m == 0:
            return np.zeros((l1.shape[1], 0)), n_iter[0]
        options = {"low": np.zeros(m), "high": np.full(m, np.inf)} if self.positive else {}
        gram, linear, x, y = self.set.in_units(self.square)
        coef, *_ = elastic_net_paths(
            gram[None], np.zeros(1, np.int64), linear,
            np.array([self.square * y * y]), l1 * x * y, l2 * x * x, np.ones(m), np.ones(m),
            start=self.coef[None] * (y / x), tol=_INNER * self.tol, max_iter=self.max_iter, n_iter=n_iter, **options,
        )  # fmt: skip
        return coef[0] * (x / y), n_iter[0]

    def _judge(self, batch, coef, residuals, correlations):
        """Duality gaps over all columns, objectives, and whether the first step misses columns."""
        gaps, objectives, missing = [], [], False
        w = self.problem.w
        for k, (l1, l2) in enumerate(zip(self.l1[batch], self.l2[batch], strict=True)):
            r, u = residuals[:, k], correlations[:, k]
            rest = float((w * r * r).sum())
            cross = float((w * r * self.y).sum())
            norm1, norm2 = float(np.abs(coef[k]).sum()), float((coef[k] * coef[k]).sum()) if l2 > 0.0 else 0.0
            value = l1 * norm1 + 0.5 * l2 * norm2
            balanced = u.copy()
            if l2 > 0.0:
                balanced[self.set.member] -= l2 * coef[k]
            largest = float(self._pull(balanced).max(initial=0.0))
            scale = 1.0 if largest <= l1 else l1 / largest
            conjugate = 0.5 * scale * scale * l2 * norm2
            gap = 0.5 * rest * (1 + scale * scale) + value - scale * cross + conjugate
            if l2 > 0.0:
                beyond = np.maximum(self._pull(u) - l1, 0.0)
                gap = min(gap, rest + value - cross + 0.5 * float((beyond * beyond).sum()) / l2)
            gaps.append(max(gap, 0.0))
            objectives.append(0.5 * rest + value)
            if k == 0:
                outside = self._pull(u)
                outside[self.set.member] = 0.0
                missing = bool((outside > l1).any())
        return np.array(gaps), np.array(objectives), missing


def _prefix(good):
    """How many entries from the first on are true."""
    bad = np.flatnonzero(~good)
    return int(bad[0]) if len(bad) else len(good)
