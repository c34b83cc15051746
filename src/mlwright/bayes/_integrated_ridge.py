"""The posterior of ridge regression over its penalty: one eigendecomposition, and one dimension of quadrature.

In the eigenvectors of the Gram matrix (values e, target t, see ``linear_model/_evidence/evidence.py``), with lam the
prior precision of the coefficients in units of the noise's, coefficients and noise integrate out:

    ln p(y | lam) = 1/2 sum ln(lam / (e + lam)) - a ln(rate + S(lam) / 2) + constant
    S = rest + sum t^2 lam / (e + lam)
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

_STEP, _BEYOND = 0.2, 40.0  # of ln lam, to find where the posterior is: about 1 and the prior's own scale, and beyond
_POINTS = 257
_NEGLIGIBLE = 36.0  # e-folds below the largest density
_ALIKE = 1e-11  # sums over one share of a grid's points and another


@dataclass(frozen=True)
class Integrated:
    """The posterior of ln lam on an even grid.

    Attributes
    ----------
    log_lam, weight : arrays of shape (m,)
        Weights add up to 1.
    step : float
        Of the grid.
    shape, rate : float
        The noise's variance given lam is InverseGamma(shape, rate + S(lam) / 2).
    log_evidence : float
        Of y as the model scales it.
    """

    log_lam: np.ndarray
    weight: np.ndarray
    step: float
    shape: float
    rate: float
    log_evidence: float


def rest_of(values, target, perpendicular, lam):
    """S at each of lam, shape (m,)."""
    return perpendicular + (target**2 * (lam[:, None] / (values + lam[:, None]))).sum(axis=1)


def integrate_penalty(rotated, model):
    """By the trapezoidal rule, which for a density that dies away at both ends is exact to many digits.

    Parameters
    ----------
    rotated : Rotated
        With scales.
    model : BayesianLinearRegression
        For its priors.
    """
    flat = bool(model.fit_intercept)
    shape = float(model.noise_shape) + 0.5 * max(rotated.weight - flat, 0.0)
    rate = float(model.noise_rate)

    def log_density(log_lam):
        lam = np.exp(log_lam)
        shrunk = 0.5 * (np.log(lam[:, None]) - np.log(rotated.values + lam[:, None])).sum(axis=1)
        rest = rest_of(rotated.values, rotated.target, rotated.perpendicular, lam)
        return shrunk - shape * np.log(rate + 0.5 * rest) + _log_prior(log_lam, model.prior_scale)

    ends = sorted([0.0, -2.0 * float(np.log(model.prior_scale))])
    wide = np.arange(ends[0] - _BEYOND, ends[1] + _BEYOND, _STEP)
    found = log_density(wide)
    there = np.flatnonzero(found > found.max() - _NEGLIGIBLE)
    low, high = wide[max(there[0] - 1, 0)], wide[min(there[-1] + 1, len(wide) - 1)]
    log_lam = np.linspace(low, high, _POINTS)
    density = log_density(log_lam)
    total, step = special.logsumexp(density), log_lam[1] - log_lam[0]
    constant = (
        model.noise_shape * np.log(model.noise_rate) - special.gammaln(model.noise_shape) + special.gammaln(shape)
    )
    constant -= 0.5 * (rotated.weight - flat) * np.log(2.0 * np.pi) + 0.5 * flat * np.log(rotated.weight)
    return Integrated(
        log_lam, np.exp(density - total), float(step), shape, rate, float(total + np.log(step) + constant)
    )


def sparser(weight):
    """Every how many points of the grid are enough to average over: 1, 2 or 4.

    The trapezoidal rule converges at a stroke where the grid resolves what is summed. It does so with every k-th point
    where all k ways to take them have the same sum; half of k is taken, for what is averaged bends a little more.
    """
    step = 1
    while step < 8:
        shares = 2 * step * np.array([weight[i :: 2 * step].sum() for i in range(2 * step)])
        if np.abs(shares - weight.sum()).max() > _ALIKE:
            break
        step *= 2
    return max(step // 2, 1)


def _log_prior(log_lam, prior_scale):
    """Of ln lam, where tau = lam^(-1/2) is half-Cauchy: p(tau) = 2 A / (pi (A^2 + tau^2)), times |d tau / d ln lam|."""
    log_tau = -0.5 * log_lam
    return np.log(prior_scale / np.pi) + log_tau - np.logaddexp(2.0 * np.log(prior_scale), 2.0 * log_tau)
