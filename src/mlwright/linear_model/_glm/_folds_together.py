"""The folds of a cross-validation fitted side by side: all of them from each read of the rows.

Where folds leave each row out once, the fit to all rows is a start close to every fit of a fold, and its Hessian close
to theirs. A pass over the rows gives the gradients of all folds (see ``solver/fold_pass.hpp``), a step of each with the
common Hessian leaves some hundredth of what there was to gain, and gradients are exact, so the answers are those of
separate fits. Along the penalties a fold starts where the one before led it, moved as the fit to all rows moved.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels import glm
from mlwright.linear_model._glm._fold_steps import NewtonSteps, ProximalSteps
from mlwright.linear_model._glm._problem import Solution, original, scaled
from mlwright.linear_model._glm._solve import forms_hessian, needs_no_working_set

_ROWS_A_COLUMN, _LEAST_ROWS = 20, 2000  # below, a Hessian of all rows says too little of a fold's
_SHRINKS = 0.1  # what a step leaves of the squared decrement, at most, before the Hessian is formed anew
_FAR = 1e-3  # of the objective: a move of the fit to all rows that makes a new Hessian worth its pass
_MOST_STEPS = 12
_PERFECT = 1e-12


def shares_passes(whole, problem, ratio):
    """Whether a fitter's folds can go side by side under penalties of that ``l1_ratio``."""
    n, p = whole.rows.X.shape
    if whole.n_classes > 2 or whole.basis is not None or n < _LEAST_ROWS + _ROWS_A_COLUMN * p:
        return False
    return needs_no_working_set(problem) if ratio > 0.0 else forms_hessian(problem)


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
    fold : int array of shape (n,)
        The fold that leaves each row out.
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

    def fit(self, l1, l2, solution):
        """Under penalties `l1` and `l2`, from the :class:`Solution` of all rows."""
        self._start(solution)
        problem = self.problem.with_table(self.problem.table, l1, l2)
        going = np.ones(len(self.b), dtype=bool)
        n_iter, before = np.zeros(len(self.b), dtype=int), np.full(len(self.b), np.inf)
        steps = self._steps(problem)
        for _ in range(_MOST_STEPS):
            loss, gradient, scores = self._gradients()
            objective = loss + steps.penalty(self.b)
            deviance = np.maximum(objective, _PERFECT * self.weight)
            move, decrement, violation = steps.of(self.b, gradient, deviance)
            slow = going & (decrement > _SHRINKS * before) & (violation > self.tol)
            if slow.any() and not self.fresh:
                self._curve()
                steps = self._steps(problem)
                move, decrement, violation = steps.of(self.b, gradient, deviance)
            going = ~((decrement <= 0.2 * self.tol**2 * deviance) & (violation <= self.tol))
            if not going.any() or not np.isfinite(decrement).all():
                break
            self.b[going] += move[going, :-1]
            self.b0[going] += move[going, -1]
            n_iter[going] += 1
            before = np.where(going, decrement, np.inf)
        solutions = [
            None if going[f] else self._solution(problem, f, objective[f], violation[f], int(n_iter[f]))
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

    def _steps(self, problem):
        kind = ProximalSteps if problem.l1 > 0.0 else NewtonSteps
        return kind(self.share * self.hessian, *problem.penalties(), problem.fit_intercept, self.tol)

    def _gradients(self):
        loss, gradient, scores = glm.fold_gradients(self.problem.table, self.problem.loss, self.fold, self.b, self.b0)
        self.n_passes += 1.0
        if not self.problem.fit_intercept:
            gradient[:, -1] = 0.0
        return loss, gradient, scores

    def _solution(self, problem, f, objective, violation, n_iter):
        coef, intercept = original(problem, self.b[f], self.b0[f])
        return Solution(coef[None], np.array([intercept]), objective, violation, n_iter, 0.0, glm.CONVERGED)
