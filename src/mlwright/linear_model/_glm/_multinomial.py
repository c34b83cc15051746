"""Several classes: the multinomial problem to its solver and back."""

from dataclasses import replace

import numpy as np

from mlwright._kernels import glm
from mlwright.linear_model._glm._coded_table import is_sparse
from mlwright.linear_model._glm._problem import Solution, original_classes, scaled_classes
from mlwright.linear_model._glm._proximal_classes import solve_classes_l1
from mlwright.linear_model._glm._proximal_joint import forms_joint, runs_away, solve_joint
from mlwright.linear_model._glm._solve import INNER_STEPS, LARGEST_HESSIAN, centred

_PATIENCE = 100  # steps of L-BFGS, and one a coefficient, before a joint Hessian that can be formed is


def solve_classes(problem, n_classes, coef, intercept, tol, max_iter, diagonal=False):
    """Minimise over coefficients of shape (n_classes, p) and intercepts (n_classes,), from where they are.

    ``diagonal``: the Gram matrix of the columns is about diagonal, and needs not be formed.
    """
    if problem.l1 > 0:
        method = solve_joint if forms_joint(problem, n_classes) else solve_classes_l1
        return method(problem, n_classes, coef, intercept, tol, max_iter)
    joint = forms_joint(problem, n_classes)
    most = max_iter * INNER_STEPS
    first = min(most, _PATIENCE + coef.size) if joint else most
    solution = _descend(problem, n_classes, coef, intercept, tol, first, diagonal)
    if solution.status in (glm.ITERATIONS, glm.STALLED) and joint and first < most:
        more = solve_joint(problem, n_classes, solution.coef, solution.intercept, tol, max_iter)
        solution = replace(more, n_iter=solution.n_iter + more.n_iter, n_passes=solution.n_passes + more.n_passes)
    lost = problem.l2 == 0.0 and solution.status != glm.NOT_FINITE
    if lost and runs_away(problem, n_classes, solution.coef, solution.intercept, solution.objective):
        return replace(solution, status=glm.DIVERGING)
    return solution


def _descend(problem, n_classes, coef, intercept, tol, max_iter, diagonal):
    """By L-BFGS, of no more than `max_iter` steps."""
    squares, passes = None, 0.0
    if diagonal or len(problem.scale) > LARGEST_HESSIAN or _wide_sparse(problem):
        problem, squares, passes = centred(problem)
    _, l2 = problem.penalties()
    b, b0, facts = glm.fit_multinomial(
        problem.table,
        n_classes,
        l2,
        problem.fit_intercept,
        *scaled_classes(problem, coef, intercept),
        squares,
        tol,
        max_iter,
    )
    violation = facts["violation"] if np.isfinite(facts["violation"]) else np.inf
    passes += facts["n_passes"]
    coef, intercept = original_classes(problem, b, b0)
    return Solution(coef, intercept, facts["objective"], violation, facts["n_iter"], passes, facts["status"])


def _wide_sparse(problem):
    return is_sparse(problem.table.X) and len(problem.scale) > glm.PACKED_COLUMNS
