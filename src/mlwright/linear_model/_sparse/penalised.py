"""Ridge regression from fold statistics, from the dual problem, and from singular values."""

import numpy as np

from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._runtime.lapack import eigh, svd
from mlwright.linear_model._least_squares import centred_rows, refine
from mlwright.linear_model._system import LARGEST_PENALTY, Factor, Problem

_DIRECT = 1e4
_REFINE = 1e10
_DUAL = 1e8
_ROUNDING = 1e-10  # of a leverage


def ridge_from_statistics(statistics, fit_intercept, alpha, rows=None):
    """Coefficients of shape (t, p), whether they have all their digits, more reads of the rows, and the problem.

    None for the coefficients where the rows are at hand and should be decomposed themselves.
    """
    problem = Problem.of(statistics, fit_intercept)
    b, sure, reads = np.empty_like(problem.cross), True, 0
    for a in sorted(set(alpha.tolist())):
        of_a = alpha == a
        with np.errstate(over="ignore", under="ignore"):
            penalty = np.minimum(a * problem.x_scale**2, LARGEST_PENALTY)
        factor = Factor.of(problem.gram, problem.active, penalty)
        if rows is not None and not factor.condition <= _REFINE:
            return None, False, reads, problem
        if not factor.condition <= _REFINE:
            b[:, of_a], sure = _truncated(problem, factor, penalty, of_a), False
            continue
        b[:, of_a] = factor.solve(problem.cross[:, of_a])
        if rows is not None and factor.condition > _DIRECT:
            everything = np.zeros_like(b)
            everything[:, of_a] = b[:, of_a]
            refined, n_passes = refine(
                problem,
                statistics,
                rows,
                fit_intercept,
                everything,
                lambda g, f=factor, m=of_a: f.solve(g) * m,
                penalty,
            )
            reads += n_passes
            if refined is None:
                return None, False, reads, problem
            b[:, of_a] = refined[:, of_a]
    return problem.to_coef(b), sure, reads, problem


def _truncated(problem, factor, penalty, targets):
    """The answer over the eigenvectors that are certain, in equilibrated columns."""
    d = factor.d[:, None]
    values, vectors = eigh((problem.gram + np.diag(penalty)) * d * d.T)
    keep = values > 1e-12 * values[-1]
    return d * (vectors[:, keep] @ ((vectors[:, keep].T @ (d * problem.cross[:, targets])) / values[keep][:, None]))


def ridge_dual(rows, x_mean, y_mean, alpha, fit_intercept, leave_out=True):
    """``X' (X X' + alpha)^-1 y`` for more columns than rows, and the residuals (n, t) of rows left out, if asked for.

    None for both where that is too ill-conditioned.
    """
    root = np.ones(rows.X.shape[0]) if rows.w is None else np.sqrt(rows.w)
    columns = as_design(rows.X.T)
    x_unit, y_unit = dual_units(rows, y_mean)
    kernel = gram(columns, None, x_mean, root * x_unit)
    kernel, unit = without_the_mean(kernel, root) if fit_intercept else (kernel, np.zeros(len(root)))
    target = (rows.y - y_mean) * y_unit * root[:, None]
    dual, left = np.empty_like(target), np.empty_like(target) if leave_out else None
    active = kernel.diagonal() >= 0.0
    for a in sorted(set(alpha.tolist())):
        of_a = alpha == a
        penalty = a * x_unit * x_unit
        factor = Factor.of(kernel, active, np.full(len(kernel), penalty))
        if not factor.condition <= _DUAL:
            return None, None
        dual[:, of_a] = factor.solve(target[:, of_a])
        if leave_out:
            inverse = (factor.inverse_root() ** 2).sum(axis=1) - (unit @ factor.solve(unit[:, None])) * unit * unit
            left[:, of_a] = one_left_out(dual[:, of_a], inverse, penalty, root)
    coef = coefficients_of_dual(columns, dual * root[:, None], x_mean, x_unit, y_unit)
    return coef, left if left is None else left / y_unit


def dual_units(rows, y_mean):
    """Powers of two that bring X, and each target, to about one: squares and their inverses stay within float64, and
    no bit of ordinary ones changes."""
    data = rows.X.data if rows.is_sparse else rows.X
    largest = max(float(np.max(data, initial=0.0)), -float(np.min(data, initial=0.0)))
    return float(_inverse_power(largest)), _inverse_power(np.abs(rows.y - y_mean).max(axis=0, initial=0.0))


def _inverse_power(size):
    return np.ldexp(1.0, -np.frexp(np.where(size > 0.0, size, 0.5))[1])


def coefficients_of_dual(columns, dual, x_mean, x_unit, y_unit):
    """Coefficients (t, p) of X and y as they are, for dual ones (n, t) in those units, times roots of weights."""
    back = affine_map(columns, dual.T, np.zeros(dual.shape[1])).T - dual.sum(axis=0)[:, None] * x_mean
    with np.errstate(over="ignore"):  # whoever sets coefficients says so
        return back * x_unit * (x_unit / y_unit)[:, None]


def without_the_mean(kernel, root):
    """A kernel matrix of centred rows with the direction of their mean, which it has for a null vector, as its largest
    eigenvector, and that vector: so it can be told and left out."""
    unit = root / np.sqrt((root * root).sum())
    return kernel + np.multiply.outer(unit, unit) * (2.0 * np.abs(kernel).sum(axis=0).max() or 1.0), unit


def one_left_out(dual, inverse, alpha, root):
    """Residuals (n, t) of rows of which one repetition is left out.

    Parameters
    ----------
    dual : array of shape (n, t)
        ``(K + alpha)^-1 y`` in rows times `root`, the roots of their weights.
    inverse : array of shape (n,)
        Diagonal of ``(K + alpha)^-1``, but for the direction of the mean where there is an intercept.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        once = np.minimum(1.0, 1.0 / root**2)[:, None]
        repeated = (1.0 - once) / alpha  # what the other repetitions hold; without a penalty they are met
        return dual / (root[:, None] * (once * inverse[:, None] + np.where(once < 1.0, repeated, 0.0)))


def ridge_svd(rows, x_mean, y_mean, alpha, fit_intercept=True, leave_out=False):
    """By singular values of the centred rows, of which those that are rounding count as zero: coefficients (t, p), and
    the residuals (n, t) of rows left out, if asked for."""
    X, y = centred_rows(rows, x_mean, y_mean)
    u, s, vt = svd(X)
    keep = s > np.finfo(np.float64).eps * max(X.shape) * s[0]
    s, u, vt = s[keep], u[:, keep], vt[keep]
    rotated = u.T @ y
    coef = (vt.T @ (s[:, None] / (s[:, None] ** 2 + alpha) * rotated)).T
    if not leave_out:
        return coef, None
    root = np.ones(len(y)) if rows.w is None else np.sqrt(rows.w)
    unit = root / np.sqrt((root * root).sum()) if fit_intercept else np.zeros_like(root)
    meets = len(s) == np.count_nonzero(root) - fit_intercept  # coefficients can meet every row
    beyond = np.zeros_like(y), np.zeros_like(root)
    if not meets:
        beyond = y - u @ rotated, 1.0 - (u * u).sum(axis=1) - unit**2
    return coef, np.column_stack([_svd_left_out(u, s, rotated, beyond, a, root, k) for k, a in enumerate(alpha)])


def _svd_left_out(u, s, rotated, beyond, alpha, root, k):
    """Residuals (n,) of target k; `beyond`: the rows' residuals and leverages that no coefficients reach."""
    inverse = 1.0 / (s * s + alpha)
    dual, own = u @ (inverse * rotated[:, k]), (u * u) @ inverse
    met = one_left_out(dual[:, None], own, alpha, root)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        once = np.minimum(1.0, 1.0 / root**2)
        left = (alpha * dual + beyond[0][:, k]) / (root * (1.0 - once * (1.0 - alpha * own - beyond[1])))
    return np.where(beyond[1] < _ROUNDING, met, left)
