"""The folds of a cross-validation fitted side by side: all of them from each read of the rows.

Where folds leave each row out once, the fit to all rows is a start close to every fit of a fold, and its Hessian close
to theirs. A pass over the rows gives the gradients of all folds (see ``solver/fold_pass.hpp``), a step of each with the
common Hessian leaves some hundredth of what there was to gain, and gradients are exact, so the answers are those of
separate fits. Along the penalties a fold starts where the one before led it, moved as the fit to all rows moved.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from mlwright._kernels import glm
from mlwright.linear_model._glm._problem import Solution, original, scaled
from mlwright.linear_model._glm._solve import forms_hessian

_ROWS_A_COLUMN, _LEAST_ROWS = 20, 2000  # below, a Hessian of all rows says too little of a fold's
_SHRINKS = 0.1  # what a step leaves of the squared decrement, at most, before the Hessian is formed anew
_FAR = 1e-3  # of the objective: a move of the fit to all rows that makes a new Hessian worth its pass
_MOST_STEPS = 12
_ROUNDING, _PERFECT = 1e-14, 1e-12


def fold_numbers(folds, n):
    """The fold that leaves each row out, int32; None unless each is left out once, and trained on in all others."""
    fold = np.full(n, -1, dtype=np.int32)
    for f, (train, test) in enumerate(folds):
        if len(train) + len(test) != n or (fold[test] != -1).any():
            return None
        fold[test] = f
        if (fold[train] == f).any() or np.min(train) < 0 or np.bincount(train, minlength=n).max() > 1:
            return None
    return None if (fold < 0).any() else fold


def shares_passes(whole, problem, l1):
    """Whether a fitter's folds can go side by side."""
    n, p = whole.rows.X.shape
    smooth = l1 == 0.0 and whole.n_classes == 2 and whole.basis is None and forms_hessian(problem)
    return smooth and n >= _LEAST_ROWS + _ROWS_A_COLUMN * p


@dataclass
class FoldsOfPenalty:
    """The fits of all folds under one penalty.

    Attributes
    ----------
    solutions : list of Solution, or None for a fold that has to be fitted by itself
    scores : array of shape (n,)
        Of every row by the fit that does not see it.
    """

    solutions: list
    scores: np.ndarray


class FoldsTogether:
    """The fits of one cross-validation, penalty after penalty.

    Parameters
    ----------
    problem : Problem of all rows, of two classes
    fold : int32 array of shape (n,)
    n_folds : int
    tol : float
    """

    def __init__(self, problem, fold, n_folds, tol):
        self.problem, self.fold, self.tol = problem, fold, tol
        w = np.ones(len(fold)) if problem.table.w is None else problem.table.w
        left_out = np.bincount(fold, w, n_folds)
        self.share = 1.0 - left_out.mean() / w.sum()
        self.weight = w.sum() - left_out
        self.b, self.b0 = None, None
        self.hessian = None
        self.n_passes = 0.0

    def fit(self, l2, solution):
        """Under penalty `l2`, from the :class:`Solution` of all rows."""
        self._start(solution)
        problem = self.problem.with_table(self.problem.table, 0.0, l2)
        penalty = problem.penalties()[1]
        going = np.ones(len(self.b), dtype=bool)
        n_iter, before = np.zeros(len(self.b), dtype=int), np.full(len(self.b), np.inf)
        system = self._system(penalty)
        for _ in range(_MOST_STEPS):
            loss, gradient, scores = self._gradients(penalty)
            deviance = np.maximum(loss, _PERFECT * self.weight)
            step, decrement, violation = _step(system, gradient, deviance)
            slow = going & (decrement > _SHRINKS * before) & (violation > self.tol)
            if slow.any() and not self.fresh:
                self._curve()
                system = self._system(penalty)
                step, decrement, violation = _step(system, gradient, deviance)
            going = ~((decrement <= 0.2 * self.tol**2 * deviance) & (violation <= self.tol))
            if not going.any() or not np.isfinite(decrement).all():
                break
            self.b[going] -= step[going, :-1]
            self.b0[going] -= step[going, -1]
            n_iter[going] += 1
            before = np.where(going, decrement, np.inf)
        solutions = [
            None if going[f] else self._solution(problem, f, loss[f], violation[f], int(n_iter[f]))
            for f in range(len(self.b))
        ]
        return FoldsOfPenalty(solutions, scores)

    def _start(self, solution):
        b, b0 = scaled(self.problem, solution.coef[0], float(solution.intercept[0]))
        if self.b is None:
            n_folds, self.whole = len(self.weight), (b, b0)
            self.b, self.b0 = np.tile(b, (n_folds, 1)), np.full(n_folds, b0)
            self._curve()
            return
        move = np.append(b - self.whole[0], b0 - self.whole[1])
        self.b, self.b0 = self.b + move[:-1], self.b0 + move[-1]
        self.whole, self.fresh = (b, b0), False
        if (move * (self.hessian * move).sum(axis=1)).sum() > _FAR * solution.objective:
            self._curve()

    def _curve(self):
        """The Hessian of all rows, where their fit is."""
        self.hessian = glm.evaluate(self.problem.table, self.problem.loss, *self.whole)[2]
        self.n_passes += 1.0
        self.fresh = True

    def _system(self, penalty):
        """A fold's Hessian and penalty: its Cholesky factor in columns of unit diagonal, those units, the diagonal."""
        H = self.share * self.hessian
        H[np.diag_indices(len(penalty))] += penalty
        free = len(H) if self.problem.fit_intercept else len(penalty)
        diagonal = np.maximum(H.diagonal()[:free], 1e-300)
        unit = 1.0 / np.sqrt(diagonal)
        factor, info = lapack.dpotrf(H[:free, :free] * np.multiply.outer(unit, unit), lower=1)
        return (factor if info == 0 else None), unit, diagonal

    def _gradients(self, penalty):
        loss, gradient, scores = glm.fold_gradients(self.problem.table, self.problem.loss, self.fold, self.b, self.b0)
        self.n_passes += 1.0
        gradient[:, :-1] += penalty * self.b
        if not self.problem.fit_intercept:
            gradient[:, -1] = 0.0
        return loss + (penalty * self.b**2).sum(axis=1) / 2.0, gradient, scores

    def _solution(self, problem, f, objective, violation, n_iter):
        coef, intercept = original(problem, self.b[f], self.b0[f])
        return Solution(coef[None], np.array([intercept]), objective, violation, n_iter, 0.0, glm.CONVERGED)


def _step(system, gradient, deviance):
    """Steps to be taken away (n_folds, p + 1), squared decrements, and violations."""
    factor, unit, diagonal = system
    step = np.zeros_like(gradient)
    if factor is None:
        nothing = np.full(len(gradient), np.nan)
        return step, nothing, nothing
    free = len(unit)
    right = gradient[:, :free] * unit
    step[:, :free] = lapack.dpotrs(factor, right.T, lower=1)[0].T * unit
    violation = (np.abs(gradient[:, :free]) / np.sqrt(diagonal)).max(axis=1, initial=0.0) / np.sqrt(deviance)
    return step, (step * gradient).sum(axis=1), violation
