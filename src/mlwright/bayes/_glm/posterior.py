"""The posterior of a generalized linear model: Laplace's approximation, and Markov chains that make it exact.

Around the mode the posterior is nearly normal, so candidates are drawn from a Student's t with the mode's
curvature, all at once, and accepted or not by Metropolis and Hastings: the chain's law is the posterior itself,
however rough the approximation. Where few are accepted, or the shape k of the importance ratios' tail says that the
candidates do not reach everywhere (Vehtari et al. 2024), Hamiltonian chains take over.

References
----------
Tierney (1994), Markov chains for exploring posterior distributions. Annals of Statistics 22 (independence chains).
Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.linalg import lapack

from mlwright._bayesian.chains import Chains
from mlwright._kernels import glm, loss
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import chi_square, normal, uniform
from mlwright._kernels.sampler import pareto_smoothed
from mlwright._runtime.errors import NumericalError
from mlwright.bayes._glm.hamiltonian import hamiltonian_chains

_CANDIDATES, _FREEDOM, _ACCEPT = 7401, 7402, 7403  # streams
_NUMBERS_AT_ONCE = 1 << 17  # a megabyte: what one step makes the next finds in cache
_BURN_IN = 20
_GOOD_K, _NEAR = 0.5, 0.7  # k-hat and acceptance from which on independence chains are as good as any


@dataclass(frozen=True)
class Likelihood:
    """Rows under a loss that is minus a log likelihood up to `constant`.

    Attributes
    ----------
    X : array of shape (n, p)
    y, w : arrays of shape (n,); w may be None
    loss : GlmLoss
    constant : array of shape (n,)
        What the loss leaves out of minus the log likelihood of a row.
    shift, scale : arrays of shape (p,)
        The prior is about the coefficients of ``(X - shift) * scale``.
    fit_intercept : bool
    mean : callable
        Of scores: the mean of an observation.
    """

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray | None
    loss: glm.GlmLoss
    constant: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    fit_intercept: bool
    mean: Callable

    @property
    def table(self):
        return glm.Table(as_design(self.X), self.shift, self.scale, self.y, self.w)

    def original(self, theta):
        """Coefficients and intercepts for X as it is, of points of shape (m, p + fit_intercept)."""
        coef = theta[:, : len(self.scale)] * self.scale
        start = theta[:, -1] if self.fit_intercept else np.zeros(len(theta))
        return coef, start - (coef * self.shift).sum(axis=1)

    def log_likelihood(self, begin, end, theta):
        """Of rows under points, shape (end - begin, m); a row's weight does not count."""
        eta = affine_map(as_design(self.X[begin:end]), *self.original(theta))
        y = np.repeat(self.y[begin:end], len(theta))
        values = loss.value(self.loss.name, y, eta.ravel(), self.loss.parameter).reshape(eta.shape)
        return -values - self.constant[begin:end, None]

    def log_density(self, theta):
        """Of all rows together under each point, shape (m,)."""
        total, step = np.zeros(len(theta)), max(1, _NUMBERS_AT_ONCE // len(theta))
        for begin in range(0, len(self.y), step):
            end = min(begin + step, len(self.y))
            part = self.log_likelihood(begin, end, theta)
            total += part.sum(axis=0) if self.w is None else self.w[begin:end] @ part
        return total


@dataclass(frozen=True)
class Laplace:
    """Mode and curvature in the prior's columns, the intercept last.

    Attributes
    ----------
    mode : array of shape (d,)
    root : array of shape (d, d)
        W with ``W W'`` the inverse of the curvature.
    """

    mode: np.ndarray
    root: np.ndarray

    @property
    def log_det(self):
        """Of W."""
        return float(np.log(np.abs(self.root.diagonal())).sum())


def find_mode(likelihood, precision, name):
    """Laplace's approximation under independent normal priors of those precisions, the intercept's flat."""
    p = len(precision)
    coef, intercept, facts = glm.fit_newton(
        likelihood.table, likelihood.loss, precision, likelihood.fit_intercept, np.zeros(p), 0.0, 0.0, 1e-8, 200
    )
    if facts["status"] not in (glm.CONVERGED, glm.STALLED):
        raise NumericalError(
            f"{name}: the mode of the posterior was not found ({facts['n_iter']} steps); expected classes or counts "
            "that do not all agree, and columns within 1e100; scale the columns or lower prior_scale."
        )
    d = p + likelihood.fit_intercept
    _, _, hessian, _ = glm.evaluate(likelihood.table, likelihood.loss, coef, intercept)
    curvature = hessian[:d, :d].copy()
    curvature[np.arange(p), np.arange(p)] += precision
    lower, info = lapack.dpotrf(curvature, lower=1, clean=1)
    if info == 0:
        inverse, info = lapack.dtrtri(lower, lower=1)
    if info != 0:
        raise NumericalError(
            f"{name}: the posterior has no curvature at its mode; expected classes or counts that do not all agree."
        )
    return Laplace(np.append(coef, intercept)[:d], inverse.T.copy())


@dataclass(frozen=True)
class Draws:
    """Draws of points, shape (chains, draws, d), and what they say of themselves."""

    theta: np.ndarray
    acceptance: float
    k_hat: float
    log_evidence: float

    def warn(self, name, stacklevel):
        """Of what makes them doubtful."""
        Chains({"theta": self.theta}).warn(name, stacklevel=stacklevel + 1)


def log_prior(theta, precision):
    """Of the coefficients, normalised; the intercept's is flat."""
    coef = theta[:, : len(precision)]
    return 0.5 * (np.log(precision / (2.0 * np.pi)).sum() - (coef * coef) @ precision)


def sample_posterior(likelihood, precision, laplace, chains, draws, seed):
    """By independence chains where the approximation is good, else by Hamiltonian ones."""
    found = independence_chains(likelihood, precision, laplace, chains, draws, seed)
    if found.acceptance >= _NEAR and found.k_hat <= _GOOD_K:
        return found
    theta, acceptance = hamiltonian_chains(likelihood, precision, laplace, chains, draws, seed)
    return Draws(theta, acceptance, found.k_hat, found.log_evidence)


def independence_chains(likelihood, precision, laplace, chains, draws, seed):
    """Independence Metropolis-Hastings from a Student's t about the mode."""
    d, m = len(laplace.mode), chains * (draws + _BURN_IN)
    freedom = max(20.0, 5.0 * d)  # tails that bound the ratios, at little cost where the posterior is normal
    z = normal(seed, _CANDIDATES, m * d).reshape(m, d)
    z /= np.sqrt(chi_square(seed, _FREEDOM, freedom, m) / freedom)[:, None]
    theta = laplace.mode + affine_map(z, laplace.root, np.zeros(d))
    log_candidate = (
        special.gammaln(0.5 * (freedom + d)) - special.gammaln(0.5 * freedom) - 0.5 * d * np.log(np.pi * freedom)
        - laplace.log_det - 0.5 * (freedom + d) * np.log1p((z * z).sum(axis=1) / freedom)
    )  # fmt: skip
    ratio = likelihood.log_density(theta) + log_prior(theta, precision) - log_candidate
    top = ratio.max()
    if not np.isfinite(top):
        raise NumericalError(
            "posterior: no candidate has a finite density; expected columns and targets of usual size."
        )
    k_hat = float(pareto_smoothed(-np.maximum(ratio - top, -700.0)[None, :])[0, 2])
    at, acceptance = _walk(ratio.reshape(chains, -1), uniform(seed, _ACCEPT, m).reshape(chains, -1))
    rows = at[:, _BURN_IN:] + np.arange(chains)[:, None] * (m // chains)
    return Draws(theta[rows], acceptance, k_hat, float(top + np.log(np.exp(ratio - top).mean())))


def _walk(ratio, u):
    """Which candidate each chain is at after each step, and the share accepted."""
    chains, n = ratio.shape
    at, here, accepted = np.empty((chains, n), dtype=np.int64), np.zeros(chains, dtype=np.int64), 0
    everyone = np.arange(chains)
    with np.errstate(divide="ignore"):
        threshold = np.log(u)
    for step in range(n):
        moves = threshold[:, step] < ratio[:, step] - ratio[everyone, here]
        here = np.where(moves, step, here)
        accepted += int(moves.sum())
        at[:, step] = here
    return at, accepted / (chains * n)
