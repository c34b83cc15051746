"""Predictive means and standard deviations of least squares and ridge, from fold statistics.

With sigma^2 = RSS / (N - k), k the number of parameters, and A the (penalised) Gram matrix of the centred columns, a
new observation at x has variance sigma^2 (1 + 1/N + (x - mean)' A^-1 (x - mean)). For ridge that is the posterior
variance under the prior that the penalty stands for (Seber and Lee 2003, Linear Regression Analysis, sections 5.3 and
12.3).
"""

import numpy as np

from mlwright._kernels.linalg import affine_map, as_design
from mlwright._validation import require_finite, rows_for_predict
from mlwright.linear_model._system import Factor, Problem

_ROWS_AT_ONCE = 8192


def quadratic(X, centre, root):
    """``|| (x - centre)' root ||^2`` for every row of X."""
    start = -(root * centre[:, None]).sum(axis=0)
    out = np.empty(X.shape[0])
    for begin in range(0, X.shape[0], _ROWS_AT_ONCE):
        block = affine_map(as_design(X[begin : begin + _ROWS_AT_ONCE]), root.T, start)
        out[begin : begin + _ROWS_AT_ONCE] = (block * block).sum(axis=1)
    return out


def predictive(model, X, alpha, rank):
    """Mean, standard deviation and degrees of freedom at the rows of X; alpha one for each target."""
    statistics = model._required_statistics("predict_interval")
    X, finite = rows_for_predict(model, X, accept_sparse=model._accept_sparse)
    if not finite:
        require_finite(model, X)
    mean = model.predict(X)
    problem = Problem.of(statistics, model.fit_intercept)
    p, weight = statistics.n_features, statistics.weight
    centre = statistics.mean[:p] if model.fit_intercept else np.zeros(p)
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    freedom = weight - (int(problem.active.sum()) if rank is None else rank) - bool(model.fit_intercept)
    if freedom <= 0:
        raise ValueError(
            f"predict_interval: {weight:g} rows (or weight) and {p} features leave no degrees of freedom; expected "
            "more rows than parameters; use BayesianRidge."
        )
    variance = np.empty((X.shape[0], len(coef)))
    reach = {}
    for k, target in enumerate(coef):
        a = float(alpha[k % len(alpha)])
        if a not in reach:
            reach[a] = quadratic(X, centre, inverse_root(problem, a)) + (1.0 / weight if model.fit_intercept else 0.0)
        variance[:, k] = residual_squares(problem, target, k) / freedom * (1.0 + reach[a])
    deviation = np.sqrt(variance)
    return mean, deviation.reshape(mean.shape), freedom


def residual_squares(problem, coef, k):
    """Sum of squared residuals of target k for coefficients of the original columns."""
    b = coef / problem.x_scale * problem.y_scale[k]
    rss = problem.square[k] - 2.0 * (b * problem.cross[:, k]).sum() + (b * (problem.gram @ b)).sum()
    return max(rss, 4e-16 * problem.square[k]) / problem.y_scale[k] ** 2


def inverse_root(problem, alpha):
    """W with ``W W'`` the inverse, or pseudo-inverse, of the penalised Gram matrix in original columns."""
    with np.errstate(over="ignore", under="ignore"):
        penalty = alpha * problem.x_scale**2
    factor = Factor.of(problem.gram, problem.active, penalty)
    if factor.condition < 1e12:
        return factor.inverse_root() * problem.x_scale[:, None]
    values, vectors = np.linalg.eigh(problem.gram + np.diag(penalty))
    keep = values > 1e-12 * values[-1]
    return vectors[:, keep] / np.sqrt(values[keep]) * problem.x_scale[:, None]
