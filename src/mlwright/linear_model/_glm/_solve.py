"""Which solver takes a problem."""

import numpy as np
from scipy import sparse

from mlwright._kernels import glm
from mlwright.linear_model._glm._coded_table import is_sparse
from mlwright.linear_model._glm._problem import Solution, original, scaled
from mlwright.linear_model._glm._proximal import solve_proximal, solve_working_set

LARGEST_HESSIAN = 2048  # columns up to which Newton's method forms a Hessian
_LARGEST_SPARSE_HESSIAN = 512
DENSE_PROXIMAL, _SPARSE_PROXIMAL = 512, 256  # columns up to which an L1 penalty needs no working set
INNER_STEPS = 20  # a step of L-BFGS is a twentieth of a step of Newton's method, as max_iter counts


def solve(problem, coef, intercept, tol, max_iter):
    """Minimise; `coef` and `intercept` (of the original columns) are where to start."""
    if problem.l1 > 0:
        return solve_l1(problem, coef, intercept, tol, max_iter)
    method = solve_smooth if forms_hessian(problem) else solve_wide
    return method(problem, coef, intercept, tol, max_iter)


def solve_l1(problem, coef, intercept, tol, max_iter):
    """Proximal Newton; on working sets where the columns are many."""
    if needs_no_working_set(problem):
        return solve_proximal(problem, coef, intercept, tol, max_iter)
    problem, squares, _ = centred(problem)

    def columns_of(members):
        table = problem.table
        return table._replace(X=some_columns(table.X, members), shift=table.shift[members], scale=table.scale[members])

    return solve_working_set(problem, coef, intercept, tol, max_iter, squares, columns_of)


def needs_no_working_set(problem):
    """Whether an L1 penalty is fitted over all columns at once."""
    return len(problem.scale) <= (_SPARSE_PROXIMAL if is_sparse(problem.table.X) else DENSE_PROXIMAL)


def some_columns(X, members):
    """A design of some of the columns, dense."""
    if not is_sparse(X):
        return np.ascontiguousarray(X[:, members])
    indptr, indices, data, p = X
    csr = sparse.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, p))
    return np.asarray(csr[:, members].todense())


def solve_smooth(problem, coef, intercept, tol, max_iter):
    """Newton's method."""
    start, start0 = scaled(problem, coef, intercept)
    _, l2 = problem.penalties()
    b, b0, facts = glm.fit_newton(
        problem.table,
        problem.loss,
        l2,
        problem.fit_intercept,
        start,
        start0,
        problem.saturated,
        tol,
        max_iter,
    )
    coef, intercept = original(problem, b, b0)
    return solution(problem, coef, intercept, facts["loss"], facts)


def solve_smooth_path(problem, l2s, coef, intercept, tol, max_iter):
    """Newton's method along L2 penalties `l2s`, each from the answer before; a list of Solutions."""
    start, start0 = scaled(problem, coef, intercept)
    problems = [problem.with_table(problem.table, 0.0, l2) for l2 in l2s]
    fits = glm.fit_newton_path(
        problem.table,
        problem.loss,
        [each.penalties()[1] for each in problems],
        problem.fit_intercept,
        start,
        start0,
        problem.saturated,
        tol,
        max_iter,
    )
    return [
        solution(each, *original(each, b, b0), facts["loss"], facts)
        for each, (b, b0, facts) in zip(problems, fits, strict=True)
    ]


def forms_hessian(problem):
    """Whether Newton's method forms a Hessian of all columns."""
    most = _LARGEST_SPARSE_HESSIAN if is_sparse(problem.table.X) else LARGEST_HESSIAN
    return len(problem.scale) <= most


def solve_wide(problem, coef, intercept, tol, max_iter):
    """L-BFGS, preconditioned by the diagonal of centred columns."""
    return solve_wide_path(problem, [problem.l2], coef, intercept, tol, max_iter)[0]


def solve_wide_path(problem, l2s, coef, intercept, tol, max_iter):
    """L-BFGS along L2 penalties `l2s`, each from the answer before; a list of Solutions."""
    problem, squares, passes = centred(problem)
    start, start0 = scaled(problem, coef, intercept)
    problems = [problem.with_table(problem.table, 0.0, l2) for l2 in l2s]
    penalties = [each.penalties()[1] for each in problems]
    fits = glm.fit_lbfgs_path(
        problem.table,
        problem.loss,
        penalties,
        problem.fit_intercept,
        start,
        start0,
        problem.saturated,
        squares,
        0.25,
        tol,
        max_iter * INNER_STEPS,
    )
    fits[0][2]["n_passes"] += passes
    solutions = []
    for each, penalty, (b, b0, facts) in zip(problems, penalties, fits, strict=True):
        loss = facts["objective"] - float(penalty @ b**2) / 2
        solutions.append(solution(each, *original(each, b, b0), loss, facts))
    return solutions


def centred(problem):
    """The problem of wide sparse columns centred and scaled by their moments, sums of squares, and reads it took."""
    table = problem.table
    weight, first, second = glm.moments(table.X, table.w)
    if not is_sparse(table.X):
        z_square = table.scale**2 * (second - 2 * table.shift * first + weight * table.shift**2)
        return problem, np.maximum(z_square, 0.0), 1.0
    mean = first / weight if problem.fit_intercept else np.zeros_like(first)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = second - weight * mean**2
        usable = (spread > 1e-14 * second) & np.isfinite(spread) & (spread > 0)
        root = np.sqrt(np.where(usable, spread, 1.0) / weight)
    scale = np.ldexp(1.0, -np.frexp(root)[1])
    squares = np.where(usable, spread, 0.0) * scale**2
    return problem.with_columns(mean, scale), squares, 1.0


def solution(problem, coef, intercept, loss, facts):
    """A Solution from a solver's facts."""
    violation = facts["violation"]
    return Solution(
        coef,
        intercept,
        problem.objective(loss, coef),
        violation if np.isfinite(violation) else np.inf,
        facts["n_iter"],
        facts["n_passes"],
        facts["status"],
    )
