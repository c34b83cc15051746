"""Predictive means and standard deviations of least squares and ridge, from fold statistics.

With A the (penalised) Gram matrix of the centred columns, G that without the penalty, k = tr(A^-1 G) the effective
number of coefficients (without a penalty, all) and sigma^2 = RSS / (N - k - 1), a new observation at x has variance
sigma^2 (1 + 1/N + (x - mean)' A^-1 (x - mean)). For ridge these are the posterior variance under the prior that the
penalty stands for, and the estimate of sigma^2 that is unbiased under it (Seber and Lee 2003, Linear Regression
Analysis, sections 5.3 and 12.3), for more columns than rows too.
"""

import numpy as np

from mlwright._kernels.linalg import affine_map, as_design
from mlwright._runtime.lapack import eigh
from mlwright._validation import require_finite, rows_for_predict
from mlwright.base import as_fitted
from mlwright.linear_model._system import Factor, Problem

_ROWS_AT_ONCE = 8192
_LEAST_FREEDOM = 0.1  # of the residuals: with less, t has no quantiles to speak of


def quadratic(X, centre, root, last=0.0):
    """``|| (x - centre)' root + last ||^2`` for every row of X."""
    start = last - (root * centre[:, None]).sum(axis=0)
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
    a = bool(as_fitted(model, "fit_intercept"))
    problem = Problem.of(statistics, a)
    p, weight = statistics.n_features, statistics.weight
    centre = statistics.mean[:p] if a else np.zeros(p)
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    variance, freedom, known = np.empty((X.shape[0], len(coef))), np.empty(len(coef)), {}
    for k, target in enumerate(coef):
        penalty = float(alpha[k % len(alpha)])
        if penalty not in known:
            root = inverse_root(problem, penalty)
            reach = quadratic(X, centre, root) + (1.0 / weight if a and weight > 0.0 else 0.0)
            known[penalty] = reach, rank if rank is not None and penalty == 0.0 else effective_parameters(problem, root)
        reach, used = known[penalty]
        freedom[k] = weight - used - a
        if freedom[k] < _LEAST_FREEDOM:
            raise ValueError(
                f"predict_interval: {weight:g} rows (or weight) and {p} features leave no degrees of freedom; expected "
                "more rows than parameters, or a larger penalty; use BayesianRidge."
            )
        variance[:, k] = residual_squares(problem, target, k) / freedom[k] * (1.0 + reach)
    deviation = np.sqrt(variance)
    return mean, deviation.reshape(mean.shape), freedom[0] if mean.ndim == 1 else freedom


def effective_parameters(problem, root):
    """What the coefficients count as under the penalty: the trace of the fit's projection but for the intercept.

    From W of :func:`inverse_root`; without a penalty their number, less those that others determine.
    """
    own = np.divide(root, problem.x_scale[:, None], out=np.zeros_like(root), where=problem.x_scale[:, None] > 0.0)
    return float((own * (problem.gram @ own)).sum())


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
    values, vectors = eigh(problem.gram + np.diag(penalty))
    keep = values > 1e-12 * values[-1]
    return vectors[:, keep] / np.sqrt(values[keep]) * problem.x_scale[:, None]
