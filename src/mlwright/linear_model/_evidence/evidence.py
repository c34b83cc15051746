"""The evidence (type II maximum likelihood) of Bayesian ridge regression, in the eigenvectors of the Gram matrix.

With centred rows X = U diag(sqrt(e)) V', t = U'y and rho = lambda / alpha, the posterior mean is V c, c = sqrt(e) t /
(e + rho), and the squared residuals are perpendicular + sum (rho / (e + rho))^2 t^2: an iteration costs O(number of
columns), not a pass over the rows.

References
----------
MacKay (1992), Bayesian interpolation. Neural Computation 4. Tipping (2001), JMLR 1.
"""

from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np

from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._runtime.lapack import eigh, svd
from mlwright.linear_model._least_squares import centred_rows, spectrum
from mlwright.linear_model._scales import Scales
from mlwright.linear_model._system import Problem

_EPS = float(np.finfo(np.float64).eps)
_N_PENALTIES = 32
_TINY = 1e-290  # in place of zeros that flat priors allow, so that no precision is infinite
_AT_ONCE = 512  # coefficients
_CANCELLED = 1e-6  # of y's squares left perpendicular to X, below which they are summed from the rows instead


@dataclass(frozen=True, slots=True)
class Rotated:
    """Rows seen from the eigenvectors of their Gram matrix.

    Attributes
    ----------
    values : array of shape (k,)
        Eigenvalues e; zero where they are nothing but rounding.
    basis : array of shape (p, k)
        Eigenvectors V; k is p, or fewer where p is larger than the number of rows.
    target : array of shape (k,)
        t, zero where e is.
    perpendicular : float
        Sum of squares of the part of y outside the span of X.
    weight : float
        Sum of weights.
    y_variance : float
    accuracy : float
        Absolute error of the eigenvalues; zero after a decomposition of the rows themselves.
    scales : Scales
        What columns and y are divided by in all of these.
    """

    values: np.ndarray
    basis: np.ndarray
    target: np.ndarray
    perpendicular: float
    weight: float
    y_variance: float
    accuracy: float
    scales: Scales

    @property
    def square(self):
        """Sum of squares of y."""
        return self.perpendicular + float((self.target * self.target).sum())

    def coef(self, shrunk):
        return (self.basis * shrunk).sum(axis=1) if self.basis.shape[1] <= 64 else self.basis @ shrunk


def rotate_statistics(statistics, fit_intercept, rows=None, scale_invariant=False):
    """By the eigenvectors of the p by p Gram matrix."""
    problem = Problem.of(statistics, fit_intercept)
    scales = Scales.of_problem(problem, statistics.weight, scale_invariant)
    values, basis, factor, common = spectrum(problem, scales.x)
    scale = problem.y_scale[0] * scales.y
    largest = max(values[-1], 0.0)
    values = np.where(values > len(values) * _EPS * largest, values, 0.0)
    along = basis.T @ (problem.cross[:, 0] * factor)
    target = np.divide(along, np.sqrt(values), out=np.zeros_like(along), where=values > 0.0)
    square = problem.square[0]
    perpendicular = max(square - float((target * target).sum()), 0.0)
    if rows is not None and perpendicular < _CANCELLED * square:
        slope = np.divide(along, values, out=np.zeros_like(along), where=values > 0.0)
        coef = (basis @ slope) * factor * problem.x_scale
        perpendicular = residual_square(rows, statistics, fit_intercept, coef, problem.y_scale[0])
    p = statistics.n_features
    variance = statistics.scatter[p, p] / (statistics.scale[p] * scales.y) ** 2 / statistics.weight
    return Rotated(
        values / common**2, basis, target / scale, perpendicular / scale**2, statistics.weight, variance,
        _EPS * largest / common**2, scales,
    )  # fmt: skip


def residual_square(rows, statistics, fit_intercept, coef, scale):
    """Of coefficients for y times `scale`: in that scale, as the caller's sums are."""
    p = statistics.n_features
    mean = statistics.mean if fit_intercept else np.zeros_like(statistics.mean)
    fitted = affine_map(rows.design, coef[None, :], -(coef * mean[:p]).sum(keepdims=True))[:, 0]
    residual = (rows.y[:, 0] - mean[p]) * scale - fitted
    return float((residual * residual if rows.w is None else rows.w * residual * residual).sum())


def rotate_dual(rows, x_mean, y_mean, scale_invariant=False):
    """By the eigenvectors of the n by n Gram matrix, for more columns than rows."""
    scales = Scales.of_rows(rows, x_mean, y_mean, scale_invariant)
    root = np.ones(len(rows.y)) if rows.w is None else np.sqrt(rows.w)
    columns = as_design(rows.X.T)
    kernel = gram(columns, 1.0 / scales.x**2 if scale_invariant else None, x_mean, root)
    values, vectors = eigh(kernel)
    y = (rows.y[:, 0] - y_mean[0]) * root / scales.y
    target = vectors.T @ y
    keep = values > len(values) * _EPS * max(values[-1], 0.0)
    perpendicular = float((target[~keep] ** 2).sum())
    values, target, vectors = values[keep], target[keep], vectors[:, keep]
    weights = vectors * root[:, None] / np.sqrt(values)
    if x_mean.any():  # weights that add up to zero see centred rows: X less its weighted means need not be formed
        weights -= np.multiply.outer(root * root / (root * root).sum(), weights.sum(axis=0))
    basis = rows.X.astype(np.float64, copy=False).T @ weights
    if scale_invariant:
        basis /= scales.x[:, None]
    accuracy = _EPS * max(values[-1:], default=0.0)
    return Rotated(values, basis, target, perpendicular, *weight_and_variance(rows, scales.y), accuracy, scales)


def rotate_rows(rows, x_mean, y_mean, scale_invariant=False):
    """By the singular value decomposition of the rows themselves."""
    scales = Scales.of_rows(rows, x_mean, y_mean, scale_invariant)
    X, y = centred_rows(rows, x_mean, y_mean)
    X /= scales.x
    y /= scales.y
    u, s, vt = svd(X)
    target = u.T @ y[:, 0]
    rest = y[:, 0] - u @ target
    perpendicular = float((rest * rest).sum())
    return Rotated(s * s, vt.T, target, perpendicular, *weight_and_variance(rows, scales.y), 0.0, scales)


def weight_and_variance(rows, y_scale=1.0):
    """Sum of weights, and variance of y about its mean."""
    y = rows.y[:, 0] / y_scale
    if rows.w is None:
        return float(len(y)), float(y.var())
    return float(rows.w.sum()), float(np.average((y - np.average(y, weights=rows.w)) ** 2, weights=rows.w))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the iteration ended."""

    coef: np.ndarray
    alpha: float
    lam: float
    n_iter: int
    scores: list
    log_evidence: float
    error: float  # relative error that the eigenvalues' rounding brings into the coefficients


def maximise_evidence(rotated, model):
    """MacKay's fixed point, iterated and stopped as in scikit-learn.

    Parameters
    ----------
    rotated : Rotated
    model : BayesianRidge
        For its hyperparameters.
    """
    alpha = 1.0 / (rotated.y_variance + _EPS) if model.alpha_init is None else float(model.alpha_init)
    lam = 1.0 if model.lambda_init is None else float(model.lambda_init)
    scores, before, n_iter = [], None, 0
    while n_iter < model.max_iter:
        n_iter += 1
        shrunk, sse = _posterior_mean(rotated, lam / alpha)
        if model.compute_score:
            scores.append(_log_evidence(rotated, alpha, lam, shrunk, sse) + _log_prior(model, alpha, lam))
        done = before is not None and _moved_less(rotated, shrunk - before, model.tol)
        precision = alpha * rotated.values
        effective = float((precision / (lam + precision)).sum())
        square = float((shrunk * shrunk).sum()) + 2.0 * model.lambda_2
        lam = max(effective + 2.0 * model.lambda_1, _TINY) / max(square, _TINY)
        left = max(rotated.weight - effective + 2.0 * model.alpha_1, _EPS)  # weights may add up to less than one row
        alpha = left / max(sse + 2.0 * model.alpha_2, _TINY)
        if done:
            break
        before = shrunk
    shrunk, sse = _posterior_mean(rotated, lam / alpha)
    log_evidence = _log_evidence(rotated, alpha, lam, shrunk, sse)
    if model.compute_score:
        scores.append(log_evidence + _log_prior(model, alpha, lam))
    coef = rotated.coef(shrunk)
    kept = rotated.values[rotated.values > 0.0]
    error = float((rotated.accuracy / (kept + lam / alpha)).max(initial=0.0))
    return Evidence(coef, alpha, lam, n_iter, scores, log_evidence, error)


def gain_of_shrinking_less(rotated):
    """By how much the log evidence at the best of some penalties is higher than without any coefficient.

    At either the noise is the most likely one: y'(I + XX' / rho)^-1 y over the weight.
    """
    seen = rotated.values > 0.0
    values, squares, square = rotated.values[seen], rotated.target[seen] ** 2, rotated.square
    if not len(values) or not square > 0.0:
        return 0.0
    gains = [0.0]
    for rho in np.geomspace(0.1 * values.min(), 10.0 * values.max(), _N_PENALTIES):
        left = max((rotated.perpendicular + float((squares * (rho / (values + rho))).sum())) / square, _EPS)
        gains.append(-0.5 * rotated.weight * log(left) - 0.5 * float(np.log1p(values / rho).sum()))
    return max(gains)


def _posterior_mean(rotated, rho):
    gain = rho / (rotated.values + rho)
    shrunk = np.sqrt(rotated.values) * rotated.target / (rotated.values + rho)
    return shrunk, rotated.perpendicular + float(((gain * rotated.target) ** 2).sum())


def _moved_less(rotated, step, tol):
    """Is the sum of absolute changes of the coefficients below tol? Bounds by the Euclidean norm often tell."""
    distance = sqrt(float((step * step).sum()))
    if distance >= tol * (1 + 1e-9):
        return False
    if sqrt(len(rotated.basis)) * distance < tol * (1 - 1e-9):
        return True
    total = 0.0
    for begin in range(0, len(rotated.basis), _AT_ONCE):  # most often the first coefficients tell
        total += float(np.abs(rotated.basis[begin : begin + _AT_ONCE] @ step).sum())
        if total >= tol:
            return False
    return True


def _log_evidence(rotated, alpha, lam, shrunk, sse):
    p, weight = len(rotated.basis), rotated.weight
    log_det = float(np.log(lam + alpha * rotated.values).sum()) + (p - len(rotated.values)) * log(lam)
    fit = alpha * sse + lam * float((shrunk * shrunk).sum())
    return 0.5 * (p * log(lam) + weight * log(alpha) - fit - log_det - weight * log(2 * pi))


def _log_prior(model, alpha, lam):
    return model.lambda_1 * log(lam) - model.lambda_2 * lam + model.alpha_1 * log(alpha) - model.alpha_2 * alpha
