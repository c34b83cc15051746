"""Least squares, with or without an L2 penalty, from fold statistics: a cheap route, and the routes for when it will
not do.

1. Cholesky of the Gram matrix, where its condition number costs no more than four of sixteen digits.
2. The same factor with residuals from the rows themselves (corrected semi-normal equations), where it costs more.
3. No penalty and a singular Gram matrix with a clear gap in its spectrum: eigenvectors, the minimum-norm answer, and
   residuals from the rows.
4. Anything else, and more columns than rows: SciPy's singular value decomposition of the centred rows.

References
----------
Björck (1987), Stability analysis of the method of seminormal equations. Linear Algebra and its Applications 88/89.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.linalg import residual_gradient
from mlwright._runtime.lapack import eigh, lstsq
from mlwright.linear_model._system import Factor, Problem

_DIRECT = 1e4  # condition number up to which the Gram route is as good as it gets
_REFINE = 1e10  # ... up to which refinement gains at least four digits a pass
_MOST_PASSES = 6
_NOISE = 1e-13  # eigenvalues below, relative to the largest, are rounding of the Gram matrix
_CLEAR = 1e-9  # ... above are not: between the two the spectrum has no clear gap


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients in the original columns.

    Attributes
    ----------
    coef : array of shape (t, p)
    condition : float
        Of the system solved; infinite where that is not known.
    route : {"cholesky", "refined", "eigen", "svd"}
    rank : int or None
    singular : array or None
        Singular values of the rows, where the route found them.
    n_passes : int
        Reads of the rows beyond those that made the statistics.
    problem : Problem or None
        Of the statistics, where the route had them.
    """

    coef: np.ndarray
    condition: float
    route: str
    rank: int | None = None
    singular: np.ndarray | None = None
    n_passes: int = 0
    problem: Problem | None = None


def refine(problem, statistics, rows, fit_intercept, b, solve, penalty=None):
    """Iterative refinement of ``b`` with residuals from the rows, None where it does not converge; and the reads."""
    mean = statistics.mean if fit_intercept else np.zeros_like(statistics.mean)
    scale = np.concatenate([problem.x_scale, problem.y_scale])
    last = np.inf
    for n_passes in range(1, _MOST_PASSES + 1):
        gradient = residual_gradient(rows.design, rows.y, rows.w, mean, scale, np.ascontiguousarray(b))
        if penalty is not None:
            gradient -= penalty[:, None] * b
        step = solve(gradient)
        b = b + step
        size, whole = _size(problem, step), _size(problem, b)
        if not size > 4e-16 * whole:
            return b, n_passes
        if size > 0.25 * last:
            return (b if size < 1e-13 * whole else None), n_passes
        last = size
    return (b if last < 1e-12 * whole else None), _MOST_PASSES


def _size(problem, b):
    return np.sqrt((problem.gram.diagonal()[:, None] * b * b).sum())


def least_squares(statistics, fit_intercept, tol, rows=None):
    """Ordinary least squares from `statistics`; `rows`, where they are at hand, allow the routes beyond the first.

    None where a route is needed that the statistics alone, or the Gram matrix, cannot give.
    """
    problem = Problem.of(statistics, fit_intercept)
    factor = Factor.of(problem.gram, problem.active)
    if not _full_rank_for_sure(problem, factor, tol):
        return _from_spectrum(problem, statistics, fit_intercept, tol, rows)
    rank = int(problem.active.sum())
    b = factor.solve(problem.cross)
    if factor.condition <= _DIRECT or rows is None:
        return Solution(problem.to_coef(b), factor.condition, "cholesky", rank, problem=problem)
    b, n_passes = refine(problem, statistics, rows, fit_intercept, b, factor.solve)
    if b is None:
        return None
    return Solution(problem.to_coef(b), factor.condition, "refined", rank, n_passes=n_passes, problem=problem)


def _full_rank_for_sure(problem, factor, tol):
    """Are all singular values of active columns above ``tol`` times the largest? A bound: it may say no too often."""
    if not factor.condition <= _REFINE:
        return False
    d = factor.d[problem.active]
    if len(d) == 0:
        return True
    norm = problem.x_scale[problem.active] * d  # reciprocals of the columns' norms
    with np.errstate(over="ignore", under="ignore"):
        return (norm.min() / norm.max()) ** 2 > 10 * factor.condition * tol**2


def spectrum(problem, x_scale=None):
    """Eigenvalues and eigenvectors of the Gram matrix in original columns up to a common scale; that scale.

    With `x_scale`, in columns divided by it.
    """
    x_scale = problem.x_scale if x_scale is None else problem.x_scale * x_scale
    common = x_scale.min(initial=np.inf, where=problem.active)
    if not np.isfinite(common):
        common = 1.0
    with np.errstate(under="ignore"):
        factor = np.where(problem.active, common / x_scale, 0.0)
        gram = problem.gram * np.multiply.outer(factor, factor)
    values, vectors = eigh(gram)
    return values, vectors, factor, common


def _from_spectrum(problem, statistics, fit_intercept, tol, rows):
    """Minimum-norm answer where the eigenvalues tell the rank; else None."""
    values, vectors, factor, common = spectrum(problem)
    largest = values[-1] if len(values) else 0.0
    keep = values > max(tol * tol, _NOISE) * largest
    doubtful = (values > _NOISE * largest) & (values < _CLEAR * largest)
    # Too fine a tol for eigenvalues, which see singular values squared.
    blind = tol * tol < _NOISE and keep.sum() < problem.active.sum()
    if rows is not None and (blind or doubtful.any() or (keep & (values < 4 * tol * tol * largest)).any()):
        return None
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=keep)

    def solve(right):
        return factor[:, None] * (vectors @ (inverse[:, None] * (vectors.T @ (factor[:, None] * right))))

    b, n_passes = solve(problem.cross), 0
    if rows is not None:
        b, n_passes = refine(problem, statistics, rows, fit_intercept, b, solve)
        if b is None:
            return None
    condition = largest / values[keep][0] if keep.any() else 1.0
    if blind or doubtful.any():
        condition = np.inf
    singular = np.sqrt(np.maximum(values[::-1], 0.0)) / common
    singular[values[::-1] <= _NOISE * largest] = 0.0
    return Solution(problem.to_coef(b), condition, "eigen", int(keep.sum()), singular, n_passes, problem)


def centred_rows(rows, x_mean, y_mean):
    """Dense copies of X and y, centred and multiplied by the square roots of the weights."""
    X = np.array(rows.X.toarray() if rows.is_sparse else rows.X, dtype=np.float64)
    X -= x_mean
    y = rows.y - y_mean
    if rows.w is not None:
        root = np.sqrt(rows.w)[:, None]
        X *= root
        y *= root
    return X, y


def least_squares_by_svd(rows, x_mean, y_mean, tol):
    """The minimum-norm answer, with rank and singular values, by LAPACK's gelsd: what scikit-learn calls."""
    X, y = centred_rows(rows, x_mean, y_mean)
    coef, _, rank, singular = lstsq(X, y, tol)
    return Solution(coef.T, np.inf, "svd", int(rank), singular, 1)
