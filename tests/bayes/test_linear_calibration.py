"""Simulation-based calibration of linear models: coefficients, intercept, noise and the log likelihood of the rows.

The intercept's prior is flat. Whatever its true value is, it shifts the posterior and nothing else, so that its ranks
are uniform too. Rates of the noise's prior are in units of the variance of y, by which they are divided here.
"""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from mlwright.bayes import (
    BayesianLinearRegression,
    HorseshoeRegressor,
    SpikeSlabRegressor,
)
from tests.bayes.test_calibration import DRAWS, LEVEL, smallest_p

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SHAPE, RATE, INTERCEPT = 4.0, 3.0, 0.7
JITTER = 1e-9  # tells apart coefficients that are exactly zero


def columns(n, p, seed=1):
    X = np.random.default_rng(seed).standard_normal((n, p))
    X[:, 1:] += 0.8 * X[:, :1]
    X -= X.mean(axis=0)
    return X / np.sqrt(np.square(X).mean(axis=0))


TALL, WIDE = columns(20, 4), columns(8, 12)
VERY_WIDE = columns(10, 530)


def horseshoe_scales(rng, p, global_scale, slab_precision):
    """Scales of coefficients in standard deviations of the noise; with a slab, those of the product of both laws."""
    while True:
        scale = global_scale * abs(rng.standard_cauchy())
        squares = (scale * rng.standard_cauchy(p)) ** 2
        if rng.random() < np.prod(1.0 + slab_precision * squares) ** -0.5:
            return np.sqrt(squares / (1.0 + slab_precision * squares)), scale


def of_horseshoe(slab_scale, rng, p):
    scales, scale = horseshoe_scales(rng, p, 0.5, 0.0 if slab_scale is None else slab_scale**-2.0)
    return scales * rng.standard_normal(p), [scale]


def of_spikes(rng, p):
    return (rng.random(p) < 0.4) * rng.standard_normal(p) / np.sqrt(2.0), []


def of_ridge(rng, p):
    tau = abs(rng.standard_cauchy())
    return tau * rng.standard_normal(p), [tau**-2.0]


def simulate(X, coefficients, rng):
    """`coefficients` are in standard deviations of the noise."""
    variance = stats.invgamma.rvs(SHAPE, scale=RATE, random_state=rng)
    coef, more = coefficients(rng, X.shape[1])
    coef = coef * np.sqrt(variance)
    y = INTERCEPT + X @ coef + np.sqrt(variance) * rng.standard_normal(len(X))
    return (X, y), [*(coef + JITTER * rng.standard_normal(len(coef)))[:4], INTERCEPT, variance, *more]


def drawn(make, data, number, names=()):
    """Draws of the first coefficients, the intercept, the noise, and of numbers by name."""
    X, y = data
    draws = make(noise_shape=SHAPE, noise_rate=RATE / y.var()).fit(X, y).sample_posterior(DRAWS, random_state=number)
    jitter = JITTER * np.random.default_rng(number).standard_normal((DRAWS, min(4, X.shape[1])))
    kept = {"coef": draws["coef"][:, :4] + jitter}
    return {
        name: x[None] for name, x in (kept | {k: draws[k] for k in ("intercept", "noise_variance", *names)}).items()
    }


def quantities(data, rows):
    """The log likelihood, and what the prior of coefficients is about: their size in deviations of the noise.

    Where there are more of them than ranks are taken of, the likelihood is that of the first ones alone.
    """
    X, y = data
    means = rows[:, :4] @ X[:, :4].T + rows[:, 4:5]
    log_likelihood = stats.norm.logpdf(y, means, np.sqrt(rows[:, 5:6])).sum(axis=1)
    return np.column_stack([log_likelihood, np.square(rows[:, :4]).sum(axis=1) / rows[:, 5]])


CHAIN = {"chains": 1, "draws": 20 * DRAWS, "warm_up": 300, "random_state": 0}
SPIKES = {"inclusion": 0.4, "slab_precision": 2.0}
CASES = {
    "horseshoe": (
        TALL,
        partial(of_horseshoe, None),
        partial(HorseshoeRegressor, global_scale=0.5, **CHAIN),
        ["global_scale"],
    ),
    "horseshoe with a slab": (
        TALL,
        partial(of_horseshoe, 0.4),
        partial(HorseshoeRegressor, global_scale=0.5, slab_scale=0.4, **CHAIN),
        ["global_scale"],
    ),
    "enumerated sets": (TALL, of_spikes, partial(SpikeSlabRegressor, **SPIKES), []),
    "sets by chains": (TALL, of_spikes, partial(SpikeSlabRegressor, method="sample", **SPIKES, **CHAIN), []),
    "sets by chains, more columns than rows": (
        WIDE,
        of_spikes,
        partial(SpikeSlabRegressor, method="sample", **SPIKES, **CHAIN),
        [],
    ),
    "integrated penalty": (TALL, of_ridge, BayesianLinearRegression, ["penalty"]),
    "integrated penalty, more columns than rows": (VERY_WIDE, of_ridge, BayesianLinearRegression, ["penalty"]),
}


def smallest(n, name, **changed):
    X, coefficients, make, more = CASES[name]
    draw = partial(drawn, partial(make, **changed), names=more)
    return smallest_p(n, partial(simulate, X, coefficients), draw, quantities)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name):
    assert smallest(800, name) > LEVEL


WRONG = [
    pytest.param("horseshoe", {"global_scale": 1.5}, marks=pytest.mark.slow),
    pytest.param("horseshoe with a slab", {"slab_scale": None}, marks=pytest.mark.slow),
    ("enumerated sets", {"inclusion": 0.7}),
    pytest.param("sets by chains", {"inclusion": 0.7}, marks=pytest.mark.slow),
    ("integrated penalty", {"prior_scale": 4.0}),
]


@pytest.mark.parametrize(("name", "changed"), WRONG)
def test_another_prior_shows(name, changed):
    assert smallest(400, name, **changed) < LEVEL
