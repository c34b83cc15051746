"""Simulation-based calibration: parameters from the prior, data from them, and their ranks among posterior draws.

If a sampler is exact, ranks are uniform. A broken model must not pass.

Talts, Betancourt, Simpson, Vehtari, Gelman (2018), arXiv:1804.06788. Modrák et al. (2023), Bayesian Analysis: with the
log likelihood among the quantities, errors show that ranks of parameters alone hide.
"""

import math

import numpy as np
import pytest
from scipy import stats

from mlwright import bayes
from mlwright.extend import densities, log_density, positive, real

LEVEL = 1e-3  # of all quantities of a sampler together
DRAWS, THIN = 63, 6
# Short chains are to be ranked, not trusted.
pytestmark = pytest.mark.filterwarnings("ignore:posterior:sklearn.exceptions.ConvergenceWarning")


@log_density(mean=real(), sd=positive())
def normal_model(mean, sd, y):
    total = densities.normal(mean, 0.0, 1.0) + densities.exponential(sd, 1.0)
    for i in range(len(y)):
        total += densities.normal(y[i], mean, sd)
    return total


@log_density(mean=real(), log_sd=real())
def lost_jacobian(mean, log_sd, y):
    """The same in terms of the logarithm, whose Jacobian ``+ log_sd`` is forgotten."""
    sd = math.exp(log_sd)
    total = densities.normal(mean, 0.0, 1.0) + densities.exponential(sd, 1.0)
    for i in range(len(y)):
        total += densities.normal(y[i], mean, sd)
    return total


@log_density(b=real(2))
def counts_model(b, x, y):
    total = densities.normal(b[0], 0.0, 0.5) + densities.normal(b[1], 0.0, 0.5)
    for i in range(len(y)):
        total += densities.poisson_log(y[i], 1.0 + b[0] + b[1] * x[i])
    return total


@log_density(b=real(2))
def counts_likelihood(b, x, y):
    total = 0.0
    for i in range(len(y)):
        total += densities.poisson_log(y[i], 1.0 + b[0] + b[1] * x[i])
    return total


X = np.linspace(-1.0, 1.0, 12)
SAMPLERS = {
    "nuts": {},
    "nuts, scales alone": {"metric": "diagonal"},
    "nuts from the mode": {"init": "laplace"},
    "hmc": {"method": "hmc", "n_steps": 8},
    "independence": {"method": "independence"},
}


def simulate_normal(rng):
    mean, sd = rng.normal(), rng.exponential()
    return {"y": rng.normal(mean, sd, size=3)}, [mean, sd]


def simulate_counts(rng):
    b = rng.normal(0.0, 0.5, size=2)
    return {"x": X, "y": rng.poisson(np.exp(1.0 + b[0] + b[1] * X))}, list(b)


def numbers(draws):
    """Of one chain, thinned, of shape (DRAWS, n_numbers)."""
    columns = [x[0].reshape(x.shape[1], -1) for x in draws.values()]
    thin = len(columns[0]) // DRAWS
    return np.concatenate(columns, axis=1)[thin - 1 :: thin]


def normal_likelihood(data, rows):
    return stats.norm.logpdf(data["y"], rows[:, :1], rows[:, 1:]).sum(axis=1)


def counts_log_likelihood(data, rows):
    return stats.poisson.logpmf(data["y"], np.exp(1.0 + rows[:, :1] + rows[:, 1:] * data["x"])).sum(axis=1)


def smallest_p(n, simulate, draw, log_likelihood):
    """Of the tests of uniform ranks, of every parameter and of the log likelihood, times how many they are.

    ``log_likelihood(data, rows of numbers)`` may give columns of other quantities, too.
    """
    rng = np.random.default_rng(20260101)
    ranks = []
    for number in range(n):
        data, truth = simulate(rng)
        rows = numbers(draw(data, number))
        drawn = np.column_stack([rows, log_likelihood(data, rows)])
        true = np.append(truth, log_likelihood(data, np.array([truth])))
        ranks.append((drawn < true).sum(axis=0))
    uniform = (np.array(ranks) + rng.uniform(size=(n, len(true)))) / (DRAWS + 1)
    return min(stats.kstest(column, "uniform").pvalue for column in uniform.T) * len(true)


def sampled(density, **how):
    def draw(data, number):
        how_long = {"chains": 1, "draws": DRAWS * THIN, "warm_up": 300, "random_state": number}
        return bayes.sample(density, data, target_acceptance=0.95, **how_long, **how).draws

    return draw


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_ranks_are_uniform(name):
    if name in ("independence", "hmc"):
        p = smallest_p(1000, simulate_counts, sampled(counts_model, **SAMPLERS[name]), counts_log_likelihood)
    else:
        p = smallest_p(1000, simulate_normal, sampled(normal_model, **SAMPLERS[name]), normal_likelihood)
    assert p > LEVEL


def elliptical(covariance):
    def draw(data, number):
        how = {"chains": 1, "draws": DRAWS * 25, "warm_up": 100, "random_state": number}
        return bayes.sample_elliptical(counts_likelihood, data, covariance=covariance, **how).draws

    return draw


@pytest.mark.slow
def test_ranks_of_elliptical_slices_are_uniform():
    assert smallest_p(1000, simulate_counts, elliptical(0.25), counts_log_likelihood) > LEVEL


@pytest.mark.slow
def test_a_wrong_prior_of_elliptical_slices_shows():
    assert smallest_p(1000, simulate_counts, elliptical(0.12), counts_log_likelihood) < LEVEL


def test_few_ranks_are_uniform():
    assert smallest_p(60, simulate_normal, sampled(normal_model), normal_likelihood) > LEVEL


def test_a_lost_jacobian_shows():
    def draw(data, number):
        draws = sampled(lost_jacobian)(data, number)
        return {"mean": draws["mean"], "sd": np.exp(draws["log_sd"])}

    assert smallest_p(150, simulate_normal, draw, normal_likelihood) < LEVEL
