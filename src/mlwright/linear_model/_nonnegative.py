"""Nonnegative least squares, with or without an L2 penalty, in the Gram domain and with a certificate.

min 1/2 b'Ab - r'b over b >= 0 is the least-squares problem ||L'b - L^-1 r|| for A = L L', of size p by p whatever the
number of rows. Its active set is polished by the unconstrained routes, residuals from the rows included.

Reference: Lawson and Hanson (1974), Solving Least Squares Problems, chapter 23.
"""

import numpy as np
from scipy import linalg as sla
from scipy.optimize import nnls

from mlwright._runtime.lapack import eigh
from mlwright.linear_model._certificate import largest_violation
from mlwright.linear_model._least_squares import refine
from mlwright.linear_model._system import LARGEST_PENALTY, Factor, Problem

_ILL = 1e10


def nonnegative_least_squares(statistics, fit_intercept, alpha, rows=None):
    """Coefficients of shape (t, p), and reads of the rows beyond those that made the statistics."""
    problem = Problem.of(statistics, fit_intercept)
    alpha = np.broadcast_to(np.asarray(alpha, dtype=np.float64), (problem.cross.shape[1],))
    columns, reads = [], 0
    for k, a in enumerate(alpha):
        with np.errstate(over="ignore", under="ignore"):
            penalty = np.minimum(a * problem.x_scale**2, LARGEST_PENALTY)
        b, n_passes = _solve_one(problem, statistics, fit_intercept, penalty, k, rows)
        reads += n_passes
        columns.append(b)
    return problem.to_coef(np.stack(columns, axis=1)), reads


def _solve_one(problem, statistics, fit_intercept, penalty, k, rows):
    root, right, d = _compressed(problem, penalty, k)
    u, _ = nnls(root, right, maxiter=max(100, 30 * len(d)))
    rough = u * d
    passive = rough > 0.0
    polished, n_passes = _polish(problem, statistics, fit_intercept, penalty, k, passive, rows)
    if polished is None or (polished < 0.0).any():
        return rough, n_passes
    better = _violation(problem, penalty, polished, k) <= _violation(problem, penalty, rough, k)
    return (polished if better else rough), n_passes


def _compressed(problem, penalty, k):
    """The p by p least-squares problem in equilibrated columns, and the equilibration."""
    factor = Factor.of(problem.gram, problem.active, penalty)
    right = problem.cross[:, k] * factor.d
    if factor.condition < _ILL:
        return factor.lower.T, sla.solve_triangular(factor.lower, right, lower=True), factor.d
    gram = (problem.gram + np.diag(penalty)) * np.multiply.outer(factor.d, factor.d)
    values, vectors = eigh(gram)
    keep = values > len(values) * 2.3e-16 * max(values[-1], 0.0)
    # Columns left out hold rounding of the eigenvectors, which a solver would take for a direction.
    vectors = np.where(factor.d[:, None] > 0.0, vectors[:, keep], 0.0)
    root = np.sqrt(values[keep])
    return root[:, None] * vectors.T, (vectors.T @ right) / root, factor.d


def _polish(problem, statistics, fit_intercept, penalty, k, passive, rows):
    factor = Factor.of(problem.gram, passive, penalty)
    if not factor.condition < _ILL:
        return None, 0
    b = factor.solve(problem.cross[:, k : k + 1])
    if rows is None or rows.y.shape[1] > 1 or factor.condition < 1e4:
        return b[:, 0], 0
    b, n_passes = refine(problem, statistics, rows, fit_intercept, b, factor.solve, penalty)
    return (None if b is None else b[:, 0]), n_passes


def _violation(problem, penalty, b, k):
    """Of the optimality conditions, relative to column norms and y."""
    slope = problem.cross[:, k] - problem.gram @ b - penalty * b
    size = np.sqrt((problem.gram.diagonal() + penalty) * problem.square[k])
    return largest_violation(slope, b, size, positive=True)
