"""Several classes: the multinomial problem to its solver and back."""

import numpy as np

from mlwright._kernels import glm
from mlwright.linear_model._glm._problem import Solution
from mlwright.linear_model._glm._proximal_classes import solve_classes_l1
from mlwright.linear_model._glm._proximal_joint import forms_joint, runs_away, solve_joint
from mlwright.linear_model._glm._solve import INNER_STEPS, LARGEST_HESSIAN, centred


def solve_classes(problem, n_classes, coef, intercept, tol, max_iter, diagonal=False):
    """Minimise over coefficients of shape (n_classes, p) and intercepts (n_classes,), from where they are.

    ``diagonal``: the Gram matrix of the columns is about diagonal, and needs not be formed.
    """
    if problem.l1 > 0:
        method = solve_joint if forms_joint(problem, n_classes) else solve_classes_l1
        return method(problem, n_classes, coef, intercept, tol, max_iter)
    squares, passes = None, 0.0
    if diagonal or len(problem.scale) > LARGEST_HESSIAN or _wide_sparse(problem):
        problem, squares, passes = centred(problem)
    scale, shift = problem.scale, problem.table.shift
    _, l2 = problem.penalties()
    start = (coef / scale).T
    b, b0, facts = glm.fit_multinomial(
        problem.table,
        n_classes,
        l2,
        problem.fit_intercept,
        np.ascontiguousarray(start),
        intercept + coef @ shift,
        squares,
        tol,
        max_iter * INNER_STEPS,
    )
    coef = b.T * scale
    intercept = b0 - coef @ shift if problem.fit_intercept else np.zeros(n_classes)
    objective = facts["objective"]
    violation = facts["violation"] if np.isfinite(facts["violation"]) else np.inf
    intercept = intercept - intercept.mean()
    status = facts["status"]
    if problem.l2 == 0.0 and status != glm.NOT_FINITE and runs_away(problem, n_classes, coef, intercept, objective):
        status = glm.DIVERGING
    return Solution(coef, intercept, objective, violation, facts["n_iter"], facts["n_passes"] + passes, status)


def _wide_sparse(problem):
    return isinstance(problem.table.X, tuple) and len(problem.scale) > glm.PACKED_COLUMNS
