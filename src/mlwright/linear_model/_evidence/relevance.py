"""Automatic relevance determination: type II maximum likelihood with a precision for every coefficient.

The posterior of the coefficients kept is normal with covariance S = (alpha G + diag(lambda))^-1 and mean b = alpha S
c; G is the Gram matrix, c = X'y. An iteration costs a Cholesky factor and its inverse, k^3 / 3 each, for k columns
kept; rows are not read. While more columns are kept than there are rows, the same numbers come from the n by n matrix
I / alpha + X diag(1 / lambda) X'. The residual sum of squares is y'y - b'c - sum lambda b^2 / alpha.

References
----------
MacKay (1994), Bayesian nonlinear modeling for the prediction competition. Tipping (2001), Sparse Bayesian learning and
the relevance vector machine. JMLR 1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from mlwright._runtime.lapack import eigh

_EPS = float(np.finfo(np.float64).eps)
_TINY, _LARGEST = 1e-306, 1e306  # squares of coefficients of 1e150, and of their inverses, are within
_CANCELLED = 1e-6  # of y's squares left by the fit, below which they are summed from the rows instead
_PSEUDO = 1e-14


@dataclass(frozen=True, slots=True)
class Posterior:
    """Of the coefficients kept, in the system's own scale.

    Attributes
    ----------
    mean, variance : arrays of shape (k,)
    sse : float
        Squared residuals, in the system's scale of y.
    log_det : float
        Of the covariance.
    root : array of shape (k, k), or None
        W with ``W W'`` the covariance, where it was formed on the way.
    """

    mean: np.ndarray
    variance: np.ndarray
    sse: float
    log_det: float
    root: np.ndarray | None


class GramSystem:
    """By the Gram matrix of all columns.

    Parameters
    ----------
    gram : array of shape (p, p)
    cross : array of shape (p,)
    square : float
        Sum of squares of y.
    residual_square : callable, optional
        Of coefficients of shape (p,), from the rows: for fits so close that the sums cancel.
    """

    def __init__(self, gram, cross, square, residual_square=None):
        self.gram, self.cross, self.square, self.residual_square = gram, cross, square, residual_square
        self._kept, self._of_kept = None, None

    def squared_correlations(self):
        return _squared_correlations(self.cross, self.gram.diagonal(), self.square)

    def posterior(self, keep, alpha, lam):
        """Of the columns `keep`, a bool array of shape (p,), at these precisions."""
        if self._kept is None or (keep != self._kept).any():
            self._kept = keep.copy()
            self._of_kept = (self.gram if keep.all() else self.gram[np.ix_(keep, keep)]).copy(order="F")
        precision = self._of_kept * alpha
        precision[np.diag_indices_from(precision)] += lam
        root, log_det = _inverse_root(precision)
        cross = self.cross[keep]
        mean = root @ ((cross @ root) * alpha)
        sse = self.square - mean @ cross - (lam * mean * mean).sum() / alpha
        if sse < _CANCELLED * self.square and self.residual_square is not None:
            everything = np.zeros(len(keep))
            everything[keep] = mean
            sse = self.residual_square(everything)
        return Posterior(mean, np.einsum("ij,ij->i", root, root), max(float(sse), 0.0), log_det, root)


class RowSystem:
    """By the rows themselves, fewer than the columns: Woodbury's identity, until no more columns than rows are left.

    Parameters
    ----------
    X : CentredColumns of shape (n, p)
    y : array of shape (n,)
        Centred, and multiplied by the roots of the weights.
    """

    def __init__(self, X, y):
        self.X, self.y, self.square = X, y, float(y @ y)
        self._kept, self._columns, self._small = None, None, None

    def squared_correlations(self):
        squares, cross = self.X.moments(self.y)
        return _squared_correlations(cross, squares, self.square)

    def _choose(self, keep):
        if self._kept is not None and (keep == self._kept).all():
            return
        self._kept = keep.copy()
        self._columns = self.X.take(keep)
        self._small = None
        if self._columns.shape[1] <= len(self.y):
            Z, y = self._columns.dense(), self.y
            self._small = GramSystem(Z.T @ Z, Z.T @ y, self.square, lambda b: float(np.square(y - Z @ b).sum()))

    def posterior(self, keep, alpha, lam):
        self._choose(keep)
        if self._small is not None:
            return self._small.posterior(np.ones(len(lam), dtype=bool), alpha, lam)
        deviation = 1.0 / np.sqrt(lam)
        kernel = np.diag(np.full(len(self.y), 1.0 / alpha))
        for at, columns in self._columns.pieces():
            scaled = columns * deviation[at]
            kernel += scaled @ scaled.T
        root, log_det = _inverse_root(kernel)
        rotated, residual = root.T @ self.y, self.y.copy()
        mean, explained = np.empty(len(lam)), np.empty(len(lam))
        for at, columns in self._columns.pieces():
            half = root.T @ (columns * deviation[at])
            mean[at] = deviation[at] * (half.T @ rotated)
            explained[at] = np.einsum("ij,ij->j", half, half)
            residual -= columns @ mean[at]
        variance = np.maximum(1.0 - explained, 0.0) / lam
        # |alpha Z'Z + diag(lam)| = |kernel| alpha^n prod(lam)
        log_det -= len(self.y) * np.log(alpha) + np.log(lam).sum()
        return Posterior(mean, variance, float(residual @ residual), float(log_det), None)

    def root(self, alpha, lam):
        """W for more columns than rows: k by k, formed once, at the end."""
        Z = self._columns.dense()
        precision = alpha * (Z.T @ Z)
        precision[np.diag_indices_from(precision)] += lam
        return _inverse_root(precision)[0]


def _inverse_root(precision):
    """W with ``W W'`` the inverse, and the inverse's log determinant.

    Of a matrix that rounding left singular, the pseudo-inverse as scikit-learn's.
    """
    d = 1.0 / np.sqrt(np.maximum(precision.diagonal(), _TINY))
    precision *= d[:, None]
    precision *= d
    lower, info = lapack.dpotrf(precision, lower=1, clean=1, overwrite_a=0)
    if info == 0:
        inverse, info = lapack.dtrtri(lower, lower=1, overwrite_c=1)
    if info == 0:
        return (inverse * d).T, 2.0 * float(np.log(inverse.diagonal() * d).sum())
    values, vectors = eigh(precision)
    kept = values > _PSEUDO * max(values[-1], _TINY)
    root = np.where(kept, vectors / np.sqrt(np.where(kept, values, 1.0)), 0.0) * d[:, None]
    return root, 2.0 * float(np.log(d).sum()) - float(np.log(values[kept]).sum())


@dataclass(frozen=True, slots=True)
class Relevance:
    """Where the iteration ended; coefficients in the model's own scale of columns."""

    coef: np.ndarray
    keep: np.ndarray
    root: np.ndarray
    alpha: float
    lam: np.ndarray
    effective: float
    n_iter: int
    scores: list
    log_evidence: float


def maximise_relevance(system, units, y_variance, model):
    """MacKay's fixed point for every coefficient, iterated, pruned and stopped as in scikit-learn.

    Parameters
    ----------
    system : GramSystem or RowSystem
    units : object
        ``of_coef``, of shape (p,): a coefficient of the system times it is one of the model; ``of_noise``: so of a
        squared residual; ``weight``: the sum of weights.
    y_variance : float
        In the model's scale.
    model : ARDRegression
        For its hyperparameters.
    """
    p = len(units.of_coef)
    alpha, lam, keep = 1.0 / (y_variance + _EPS), np.ones(p), np.ones(p, dtype=bool)
    coef, before, scores, n_iter = np.zeros(p), None, [], 0
    while n_iter < model.max_iter:
        n_iter += 1
        now = _posterior(system, units, keep, alpha, lam)
        coef[keep] = now.mean
        gamma = 1.0 - lam[keep] * now.variance
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            lam[keep] = (gamma + 2.0 * model.lambda_1) / (coef[keep] ** 2 + 2.0 * model.lambda_2)
        lam[keep] = np.maximum(lam[keep], _TINY)
        alpha = max(units.weight - gamma.sum() + 2.0 * model.alpha_1, _EPS) / max(now.sse + 2.0 * model.alpha_2, _TINY)
        keep = lam < model.threshold_lambda
        coef[~keep] = 0.0
        if model.compute_score:
            constant = 0.5 * units.weight * np.log(2.0 * np.pi)  # which scikit-learn leaves out
            scores.append(_log_prior(model, alpha, lam) + _log_marginal(alpha, lam, coef, now, units.weight) + constant)
        if (before is not None and np.abs(before - coef).sum() < model.tol) or not keep.any():
            break
        before = coef.copy()
    return _settle(system, units, keep, alpha, lam, n_iter, scores)


def _posterior(system, units, keep, alpha, lam):
    """In the model's units."""
    u = units.of_coef[keep]
    with np.errstate(over="ignore", under="ignore"):
        now = system.posterior(keep, alpha * units.of_noise, np.minimum(lam[keep] * u**2, _LARGEST))
        return Posterior(
            now.mean * u,
            now.variance * u**2,
            now.sse * units.of_noise,
            now.log_det + 2.0 * np.log(u).sum(),
            None if now.root is None else now.root * u[:, None],
        )


def gain_of_one_column(system, weight):
    """By how much the log evidence is higher with the best single column than with none, less the log of their number.

    At the most likely noise, under a prior of the coefficient that knows as much as one row (Zellner's, g = weight).
    """
    correlations = system.squared_correlations()
    left = max(1.0 - correlations.max() * weight / (1.0 + weight), _EPS)
    return -0.5 * (weight * np.log(left) + np.log1p(weight)) - np.log(len(correlations))


def _squared_correlations(cross, squares, square):
    """Of columns and y; zero of columns without spread."""
    size = np.sqrt(squares) * np.sqrt(square)
    return np.divide(cross, size, out=np.zeros_like(size), where=size > 0.0) ** 2


def _settle(system, units, keep, alpha, lam, n_iter, scores):
    """The posterior at the last precisions."""
    coef = np.zeros(len(keep))
    now = Posterior(np.zeros(0), np.zeros(0), system.square * units.of_noise, 0.0, np.zeros((0, 0)))
    if keep.any():
        now = _posterior(system, units, keep, alpha, lam)
    root = now.root
    if root is None:
        u = units.of_coef[keep]
        root = system.root(alpha * units.of_noise, np.minimum(lam[keep] * u**2, _LARGEST)) * u[:, None]
    coef[keep] = now.mean
    effective = float((1.0 - lam[keep] * now.variance).sum())
    evidence = _log_marginal(alpha, lam[keep], now.mean, now, units.weight)
    return Relevance(coef, keep, root, float(alpha), lam, effective, n_iter, scores, evidence)


def _log_marginal(alpha, lam, coef, posterior, weight):
    """At other precisions and coefficients than those of the posterior, scikit-learn's objective."""
    fit = alpha * posterior.sse + (lam * coef * coef).sum()
    logs = posterior.log_det + weight * np.log(alpha) + np.log(lam).sum()
    return float(0.5 * (logs - fit - weight * np.log(2.0 * np.pi)))


def _log_prior(model, alpha, lam):
    return (
        (model.lambda_1 * np.log(lam) - model.lambda_2 * lam).sum()
        + model.alpha_1 * np.log(alpha)
        - model.alpha_2 * alpha
    )
