"""Multi-task lasso of more columns than a Gram matrix is worth: working sets, for all targets at once.

The columns that may matter are kept with their Gram matrix and solved as a multi-task lasso of their own; one pass over
X then gives the correlations of all residuals with every column, by which the duality gap is certified and columns that
are missing are found. Columns join by the sequential strong rule on the norms of their correlations.

Reference: Tibshirani et al. (2012), Strong rules for discarding predictors in lasso-type problems. JRSS B 74.
"""

import numpy as np

from mlwright._kernels.block_descent import block_paths
from mlwright._kernels.units import norms
from mlwright.linear_model._sparse.block_quadratic import each_its_own
from mlwright.linear_model._sparse.quadratic import Answers
from mlwright.linear_model._sparse.working_set import Columns

_FEWEST = 128  # columns that may join at once
_INNER = 0.3  # of the tolerance: what the working set is solved to
_MOST_ROUNDS = 100


class BlockPath:
    """A path of falling penalties of rows of coefficients, on a `RowsProblem`.

    Parameters
    ----------
    problem : RowsProblem
    alpha : array of shape (s,)
    l1_ratio : float
    """

    def __init__(self, problem, alpha, l1_ratio, tol=1e-4, max_iter=1000):
        self.problem, self.tol, self.max_iter = problem, tol, max_iter
        self.norm, self.ridge = alpha * l1_ratio * problem.weight, alpha * (1.0 - l1_ratio) * problem.weight
        self.square = float((problem.w[:, None] * problem.y * problem.y).sum())
        self.set = Columns(problem, problem.y)
        self.coef = np.zeros((problem.y.shape[1], 0))
        self.correlation = None  # (p, t) of the residuals

    def run(self, start=None):
        """The answers, as of one path: ``coef`` of shape (1, s, t, p)."""
        if start is not None and start.any():
            self.set.add(np.flatnonzero(start.any(axis=0)))
            self.coef = start[:, self.set.member]
        self.correlation = self.problem.correlations(self.set.residuals(self.coef))
        parts, before = [], np.inf
        for norm, ridge in zip(self.norm, self.ridge, strict=True):
            parts.append(self._step(norm, ridge, before))
            before = norm
        coef, gap, objective, converged, n_iter = zip(*parts, strict=True)
        unit = self.problem.weight
        return Answers(
            np.array(coef)[None],
            np.array([gap]) / unit,
            np.array([objective]) / unit,
            np.array([converged]),
            np.array([n_iter], dtype=np.int32),
        )

    def _step(self, norm, ridge, before):
        n_iter = 0
        for _ in range(_MOST_ROUNDS):
            grown = self._admit(norm, ridge, before)
            sweeps = self._solve(norm, ridge)
            n_iter += sweeps
            residuals = self.set.residuals(self.coef)
            self.correlation = self.problem.correlations(residuals)
            gap, objective = self._judge(residuals, norm, ridge)
            if gap <= self.tol * self.square or n_iter >= self.max_iter or not (grown or sweeps):
                break
            before = np.inf  # what is missing now is what violates
        coef = np.zeros((len(self.coef), self.problem.X.shape[1]))
        coef[:, self.set.member] = self.coef
        return coef, gap, objective, gap <= self.tol * self.square, n_iter

    def _admit(self, norm, ridge, before):
        """Columns that the strong rule keeps, or that violate; False where none joins."""
        size = self._pull(ridge)
        size[self.set.member] = -np.inf
        wanted = np.flatnonzero(size > (max(2.0 * norm - before, 0.0) if np.isfinite(before) else norm))
        most = max(_FEWEST, len(self.set.member))
        if len(wanted) > most:
            wanted = np.sort(wanted[np.argsort(-size[wanted], kind="stable")[:most]])
        if len(wanted):
            self.set.add(wanted)
            self.coef = np.hstack([self.coef, np.zeros((len(self.coef), len(wanted)))])
        return len(wanted) > 0

    def _pull(self, ridge):
        """Norms of the columns' correlations, their ridge taken off."""
        balanced = self.correlation.copy()
        balanced[self.set.member] -= ridge * self.coef.T
        return norms(balanced, axis=1)

    def _solve(self, norm, ridge):
        m = len(self.set.member)
        if m == 0:
            return 0
        n_iter = np.zeros((1, 1), dtype=np.int32)
        gram, linear, x, y = self.set.in_units(self.square)
        coef, *_ = block_paths(
            gram[None], np.zeros(1, np.int64), np.ascontiguousarray(linear)[None],
            np.array([self.square * y * y]), each_its_own(m),
            [np.array([[part]]) for part in (0.0, norm * x * y, ridge * x * x)], [np.ones(m)] * 3,
            start=np.ascontiguousarray(self.coef * (y / x))[None], tol=_INNER * self.tol, max_iter=self.max_iter,
            n_iter=n_iter,
        )  # fmt: skip
        self.coef = coef[0, 0] * (x / y)
        return int(n_iter[0, 0])

    def _judge(self, residuals, norm, ridge):
        """Duality gap over all columns, and the objective, summed over rows."""
        w = self.problem.w[:, None]
        rest, cross = float((w * residuals**2).sum()), float((w * residuals * self.problem.y).sum())
        lengths = norms(self.coef, axis=0)
        square = float((lengths * lengths).sum()) if ridge > 0.0 else 0.0
        value = norm * float(lengths.sum()) + 0.5 * ridge * square
        largest = float(self._pull(ridge).max(initial=0.0))
        scale = 1.0 if largest <= norm else norm / largest
        conjugate = 0.5 * scale * scale * ridge * square
        gap = 0.5 * rest * (1.0 + scale * scale) + value - scale * cross + conjugate
        if ridge > 0.0:
            beyond = np.maximum(norms(self.correlation, axis=1) - norm, 0.0)
            gap = min(gap, rest + value - cross + 0.5 * float((beyond * beyond).sum()) / ridge)
        return max(gap, 0.0), 0.5 * rest + value
