"""Logistic fits of folds along penalties: all folds from the same reads of the rows, or each by itself."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mlwright._kernels import glm
from mlwright._runtime.side_by_side import side_by_side
from mlwright._runtime.threadpool import blas_of_one_thread
from mlwright.linear_model._glm._alo import error_of, left_out
from mlwright.linear_model._glm._folds_together import FoldsTogether, shares_passes
from mlwright.linear_model._glm._penalty import strength_of


@dataclass(frozen=True)
class Grid:
    """The penalties to choose from, and how exactly each is fitted."""

    Cs: np.ndarray
    ratios: np.ndarray
    tol: float
    max_iter: int

    def penalties(self, c, r):
        """``(l1, l2)`` of a place in the grid."""
        strength = strength_of(float(self.Cs[c]))
        return self.ratios[r] * strength, (1.0 - self.ratios[r]) * strength

    @property
    def strongest_first(self):
        """The places of Cs, by which paths go."""
        return np.argsort(self.Cs, kind="stable")


class FoldFits:
    """What the fits of a cross-validation gave.

    Attributes
    ----------
    scores, steps : arrays of shape (n_folds, n_cs, n_ratios)
        Of held-out rows, and how many steps the fits took.
    paths : array of shape (n_folds, n_cs, n_ratios, k, p + 1), or (..., p) without intercepts
        Coefficients and intercepts.
    n_passes : float
        Reads of all rows.
    known : dict of Solution
        Fits to all rows that were made on the way, by place in the grid.

    ``explain()`` raises the error of rows that are not finite.
    """

    def __init__(self, whole, rows, grid, judge, n_folds, explain):
        self.whole, self.rows, self.grid, self.judge, self.explain = whole, rows, grid, judge, explain
        self.p = rows.X.shape[1]
        shape = (n_folds, len(grid.Cs), len(grid.ratios))
        self.scores, self.steps = np.empty(shape), np.empty(shape, dtype=np.int32)
        self.paths = np.empty((*shape, whole.n_rows_of_coef, self.p + bool(whole.fit_intercept)))
        self.n_passes, self.known = 0.0, {}

    def fit(self, splits):
        """The folds of `splits` at every place of the grid; returns itself."""
        if self.whole.basis is not None:
            self._fit_side_by_side(splits)
            return self
        problem, apart, lent = self.whole.problem(), [], {}
        for r, ratio in enumerate(self.grid.ratios):
            if splits.fold_numbers is not None and shares_passes(self.whole, problem, ratio):
                self._fit_together(problem, splits, r)
                continue
            apart.append(r)
            if ratio > 0.0 and self.whole.lends:
                lent[r] = self._fit_whole(problem, r)
        for f, (train, test) in enumerate(zip(splits.train, splits.test, strict=True)):
            fitter = self.whole.part(train) if apart else None
            for r in apart:
                path = self._lent_path(problem, fitter, r, lent[r]) if r in lent else None
                self._fit_alone(fitter, f, r, train, test, path)
        return self

    def _fit_together(self, problem, splits, r):
        order, grid = self.grid.strongest_first, self.grid
        path = self._path(self.whole, problem, r)
        together = FoldsTogether(problem, splits.fold_numbers, len(splits), grid.tol)
        for c in order:
            found = together.fit(*grid.penalties(c, r), path[c])
            for f, (train, test) in enumerate(zip(splits.train, splits.test, strict=True)):
                one, scores = found.solutions[f], found.scores[test, None]
                if one is None:
                    one, scores = self._fit_again(path[c], c, r, train, test)
                self._keep(self.whole, [one], f, [c], r)
                self.scores[f, c, r] = self.judge(scores, test, self.paths[f, c, r])
        self.n_passes += together.n_passes + sum(solution.n_passes for solution in path)
        self.known |= {(c, r): replace(path[c], n_passes=0.0) for c in order}

    def _fit_again(self, start, c, r, train, test):
        """A fold by itself, where it is far from the others."""
        fitter, grid = self.whole.part(train), self.grid
        start = start.coef, start.intercept
        one = fitter.solve(fitter.problem(), *grid.penalties(c, r), start, grid.tol, grid.max_iter)
        self.n_passes += one.n_passes * len(train) / len(self.whole.codes)
        return one, self._held_out(fitter, [one], test)[0]

    def _fit_whole(self, problem, r):
        """All rows of several classes along the penalties; the Hessians there."""
        start, grid, curvatures = self.whole.start(), self.grid, {}
        for c in grid.strongest_first:
            found = self.whole.solve_lent(problem, *grid.penalties(c, r), start, grid.tol, grid.max_iter)
            solution, curvatures[c] = found
            self._require_finite([solution])
            start = solution.coef, solution.intercept
            self.known[c, r] = replace(solution, n_passes=0.0)
            self.n_passes += solution.n_passes
        return curvatures

    def _lent_path(self, problem, fitter, r, curvatures):
        """Of a fold: from the fits to all rows, and with their Hessians as long as these will do."""
        grid, path = self.grid, [None] * len(self.grid.Cs)
        share = fitter.weight / self.whole.weight
        own = fitter.problem().with_columns(problem.table.shift, problem.table.scale)
        moved = 0.0, 0.0
        for c in grid.strongest_first:
            known = self.known[c, r]
            start = known.coef + moved[0], known.intercept + moved[1]
            lent = curvatures[c].times(share)
            path[c], _ = fitter.solve_lent(own, *grid.penalties(c, r), start, grid.tol, grid.max_iter, lent)
            moved = path[c].coef - known.coef, path[c].intercept - known.intercept
        return path

    def _fit_alone(self, fitter, f, r, train, test, path=None):
        path = self._path(fitter, fitter.problem(), r) if path is None else path
        self._keep(fitter, path, f, range(len(path)), r)
        self._judge(self._held_out(fitter, path, test), f, r, test)
        self._count(path, train)

    def _held_out(self, fitter, path, test):
        """Scores (m, k) of rows `test` for each Solution of a path, with the rows' offsets."""
        return [self.whole.with_offset(each, test) for each in fitter.scores(path, self.rows.X, test)]

    def _fit_side_by_side(self, splits):
        """Each fold on a thread of its own, all rows like one fold more; the coefficients of all by one product."""
        fitters = [*(partial(self.whole.fold, train) for train in splits.train), lambda: self.whole]
        fitted, shape = [None] * len(fitters), self.scores.shape[1:]

        def fit(f):
            fitter = fitters[f]()
            problem = fitter.problem()
            paths = [self._path(fitter, problem, r) for r in range(shape[1])]
            path = [paths[r][c] for c, r in np.ndindex(shape)]
            fitted[f] = path, *fitter.combinations(path)

        with blas_of_one_thread():
            side_by_side([partial(fit, f) for f in range(len(fitters))])
        together = self._coefficients_of(fitted)
        self.paths = together[:-1]
        for f, (path, a, intercept) in enumerate(fitted[:-1]):
            test = splits.test[f]
            scores = np.split(self.whole.basis.gram.scores(a, intercept, test), len(path), axis=1)
            self.steps[f] = np.reshape([one.n_iter for one in path], shape)
            self._judge([self.whole.with_offset(each, test) for each in scores], f, slice(None), test)
            self._count(path, splits.train[f])
        self._know(fitted[-1][0], together[-1])

    def _coefficients_of(self, fitted):
        """Of combinations of rows, for each fit of several paths: like `paths`."""
        a, intercept = (np.concatenate([each[i] for each in fitted]) for i in (1, 2))
        together = np.empty((len(fitted), *self.paths.shape[1:]))
        rows = together.reshape(len(a), -1)
        _, of_user = self.whole.of_combinations(a, intercept, out=rows[:, : self.p])
        if self.whole.fit_intercept:
            rows[:, -1] = of_user
        return together

    def _know(self, path, stacked):
        """Keeps fits to all rows in a dual basis, their coefficients and intercepts by place."""
        for place, solution in zip(np.ndindex(self.scores.shape[1:]), path, strict=True):
            rows = stacked[place]
            intercept = rows[:, -1] if self.whole.fit_intercept else solution.intercept
            self.known[place] = replace(solution, coef=rows[:, : self.p], intercept=intercept, n_passes=0.0)
            self.n_passes += solution.n_passes

    def _judge(self, scores, f, r, test):
        """How good scores of the rows are that fold `f` has not seen: one array a place, at the ratios `r`."""
        held_out, paths = self.judge.of_rows(test), self.paths[f][:, r]
        found = [held_out(each, path) for each, path in zip(scores, paths.reshape(-1, *paths.shape[-2:]), strict=True)]
        self.scores[f][:, r] = np.reshape(found, paths.shape[:-2])

    def _count(self, path, train):
        """Adds the reads that fits to some of the rows took."""
        self.n_passes += sum(solution.n_passes for solution in path) * len(train) / len(self.whole.codes)

    def _path(self, fitter, problem, r):
        """Solutions for every C, each from that of the stronger penalty before it."""
        order, grid = self.grid.strongest_first, self.grid
        penalties = [grid.penalties(c, r) for c in order]
        path = fitter.solve_path(problem, penalties, fitter.start(), grid.tol, grid.max_iter)
        self._require_finite(path)
        return [path[i] for i in np.argsort(order, kind="stable")]

    def _require_finite(self, path):
        if any(one.status == glm.NOT_FINITE for one in path):
            self.explain()

    def _keep(self, fitter, path, f, places, r):
        """Solutions of fold `f` at `places` of Cs."""
        k = fitter.n_rows_of_coef
        coef, intercept = (np.concatenate([getattr(one, name) for one in path]) for name in ("coef", "intercept"))
        stacked, shift = fitter.original(coef, intercept)
        for i, c in enumerate(places):
            kept = self.paths[f, c, r]
            kept[:, : self.p] = stacked[i * k : (i + 1) * k]
            if fitter.fit_intercept:
                kept[:, -1] = shift[i * k : (i + 1) * k]
            self.steps[f, c, r] = path[i].n_iter

    def fit_left_out(self):
        """Every row left out, approximately, from paths on all rows; the best place's scores (n, k) and their error."""
        everyone, grid, problem = np.arange(len(self.whole.codes)), self.grid, self.whole.problem()
        paths = [self._path(self.whole, problem, r) for r in range(len(grid.ratios))]
        for r, path in enumerate(paths):
            self._keep(self.whole, path, 0, range(len(path)), r)
            self.n_passes += sum(solution.n_passes for solution in path)
            for c, solution in enumerate(path):
                guess = left_out(self.whole, solution, *grid.penalties(c, r))
                self.scores[0, c, r] = self.judge(guess.scores, everyone)
        c, r = best_place(self.scores[0])
        chosen = paths[r][c], *grid.penalties(c, r)
        guess = left_out(self.whole, *chosen)
        return guess.scores, error_of(self.whole, *chosen, guess, grid.tol, grid.max_iter)


def best_place(scores):
    """The first of the best of scores (n_cs, n_ratios)."""
    return np.unravel_index(np.argmax(scores), scores.shape)
