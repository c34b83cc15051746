"""Intervals of generalized linear models cover new observations as often as they say."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mlwright.linear_model import (
    GammaRegressor,
    GeneralizedLinearRegressor,
    LinearRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._laws import quantile


def tweedie(rng, mu, phi, p):
    """Compound Poisson sums of gammas."""
    count = rng.poisson(mu ** (2 - p) / (phi * (2 - p)))
    scale = phi * (p - 1) * mu ** (p - 1)
    return np.where(count > 0, rng.gamma(np.maximum(count, 1) * (2 - p) / (p - 1)) * scale, 0.0)


LAWS = [
    (PoissonRegressor(alpha=1e-4), lambda rng, mu: rng.poisson(mu), True),
    (GammaRegressor(alpha=1e-4), lambda rng, mu: rng.gamma(2.0, mu / 2.0), False),
    (TweedieRegressor(power=1.5, alpha=1e-4), lambda rng, mu: tweedie(rng, mu, 1.3, 1.5), True),
    (TweedieRegressor(power=0, link="log", alpha=1e-4), lambda rng, mu: mu + rng.standard_normal(len(mu)), False),
    (TweedieRegressor(power=3, link="log", alpha=1e-4), lambda rng, mu: rng.wald(mu, 2.0), False),
    (
        GeneralizedLinearRegressor("negative_binomial"),
        lambda rng, mu: rng.poisson(mu * rng.gamma(2, 0.5, len(mu))),
        True,
    ),
]


@pytest.mark.parametrize(("model", "draw", "discrete"), LAWS)
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_coverage(model, draw, discrete, coverage):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 3))
    mu = np.exp(1.0 + X @ [0.4, -0.3, 0.2])
    y = draw(rng, mu).astype(float)
    low, high = model.fit(X[:1500], y[:1500]).predict_interval(X[1500:], coverage).T
    seen = np.mean((low <= y[1500:]) & (y[1500:] <= high))
    assert seen >= coverage - 0.04
    assert discrete or seen <= coverage + 0.04


def test_dispersions_are_pearsons():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 2))
    y = rng.gamma(2.0, np.exp(X[:, 0]) / 2.0)
    w = rng.integers(1, 3, 400).astype(float)
    model = GammaRegressor(alpha=0.0, tol=1e-8).fit(X, y, w)
    assert model.dispersion_ == pytest.approx(model.inference(X, y, w).dispersion, rel=1e-9)
    assert PoissonRegressor().fit(X, np.rint(y)).dispersion_ == 1.0


@pytest.mark.parametrize("power", [0, 1.1, 1.5, 1.9, 2, 3])
def test_rows_that_are_fitted_exactly_leave_no_width(power):
    """Nor do rows that are fitted but for rounding, of which a compound law has claims without number."""
    X = np.random.default_rng(4).standard_normal((60, 2))
    model = TweedieRegressor(power=power, link="log", alpha=0.0)
    for y in (np.full(60, 2.0), np.exp(X @ [0.1, 0.2])):
        mean = model.fit(X, y).predict(X)
        np.testing.assert_allclose(model.predict_interval(X), np.stack([mean, mean], axis=1), rtol=1e-9)


def test_a_coverage_next_to_one_ends():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 2))
    model = TweedieRegressor(power=1.5, alpha=0.0).fit(X, tweedie(rng, np.exp(X[:, 0]), 1.0, 1.5))
    assert np.isfinite(model.predict_interval(X, 1.0 - 1e-16)).all()


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9, 3.0])
@pytest.mark.parametrize("level", [0.01, 0.5, 0.975])
def test_quantiles_of_nearly_normal_laws_go_on_from_exact_ones(power, level):
    law, mu = law_of("tweedie", "log", power=power), np.array([1.0])
    edge = 1e-6 if power == 3.0 else 1e-4 / (2.0 - power)
    ends = [(quantile(law, mu, edge * part, level) - mu) / np.sqrt(edge * part) for part in (1.0 - 1e-6, 1.0 + 1e-6)]
    np.testing.assert_allclose(*ends, atol=1e-5)


def test_powers_without_quantiles_are_named():
    X, y = np.random.default_rng(2).uniform(1.0, 2.0, (2, 50))
    with pytest.raises(ValueError, match=r"power 2\.5 has no quantiles"):
        TweedieRegressor(power=2.5, link="log").fit(X[:, None], y).predict_interval(X[:, None])


def test_dispersions_of_few_rows_count_what_the_penalty_leaves():
    """The variance of the errors, with more columns than rows; and none is made up where no freedom is left."""
    rng, found = np.random.default_rng(3), []
    for _ in range(20):
        X, b = rng.standard_normal((40, 60)), rng.standard_normal(60) / 8
        y = 100.0 + 10.0 * (X @ b + rng.standard_normal(40))
        found.append(GeneralizedLinearRegressor("normal", alpha=1.5).fit(X, y).dispersion_)
    assert 70.0 < np.mean(found) < 140.0
    model = GammaRegressor(alpha=0.0).fit(X[:3, :5], np.exp(X[:3, 0]))
    assert np.isnan(model.dispersion_)
    with pytest.raises(ValueError, match="no degrees of freedom"):
        model.predict_interval(X[:, :5])


NORMAL, COUNTS, AMOUNTS = (
    lambda rng, eta: eta + rng.standard_normal(len(eta)),
    lambda rng, eta: rng.poisson(np.exp(eta)).astype(float),
    lambda rng, eta: rng.gamma(2.0, np.exp(eta) / 2.0),
)


@pytest.mark.parametrize(
    ("model", "draw", "n", "p", "least", "most"),
    [
        (GeneralizedLinearRegressor("normal"), NORMAL, 30, 20, 0.76, 0.84),
        (GeneralizedLinearRegressor("normal", alpha=0.1), NORMAL, 40, 60, 0.76, 0.88),
        (TweedieRegressor(power=0, alpha=1.0), NORMAL, 40, 20, 0.76, 0.84),
        (PoissonRegressor(alpha=0.0), COUNTS, 30, 10, 0.78, 0.92),
        (PoissonRegressor(alpha=0.1), COUNTS, 40, 60, 0.78, 0.92),
        (GammaRegressor(alpha=0.0), AMOUNTS, 40, 10, 0.72, 0.86),
    ],
)
def test_coverage_with_few_rows_a_coefficient(model, draw, n, p, least, most):
    """The coefficients are uncertain, and the intervals know it."""
    rng, seen = np.random.default_rng(0), []
    for _ in range(30):
        X, b = rng.standard_normal((n + 100, p)), rng.standard_normal(p) / np.sqrt(p) / 2
        y = draw(rng, 1.0 + X @ b)
        low, high = model.fit(X[:n], y[:n]).predict_interval(X[n:], 0.8).T
        seen.append(np.mean((low <= y[n:]) & (y[n:] <= high)))
    assert least <= np.mean(seen) <= most


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize(
    ("power", "draw"),
    [
        (2, lambda rng, mu: rng.gamma(0.5, 2.0 * mu)),
        (2, lambda rng, mu: rng.gamma(2.0, 0.5 * mu)),
        (3, lambda rng, mu: rng.wald(mu, 2.0)),
    ],
    ids=["gamma-2", "gamma-0.5", "inverse-gaussian"],
)
def test_coverage_where_the_dispersion_is_uncertain(power, draw, n):
    """Squared residuals of long-tailed laws tell it to fewer degrees of freedom than there are."""
    rng, seen = np.random.default_rng(0), []
    model = TweedieRegressor(power=power, alpha=0.0, link="log", tol=1e-6, max_iter=500)
    for _ in range(100):
        X = rng.standard_normal((n + 50, 3))
        y = draw(rng, np.exp(1.0 + X @ rng.standard_normal(3) * 0.4)) + 1e-300
        low, high = model.fit(X[:n], y[:n]).predict_interval(X[n:], 0.9).T
        seen.append(np.mean((low <= y[n:]) & (y[n:] <= high)))
    assert 0.88 <= np.mean(seen) <= 0.95


def test_intervals_of_an_unpenalised_normal_model_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4)) + 3.0
    y, w = X @ [1.0, 0.0, -1.0, 2.0] + rng.standard_normal(40), rng.integers(1, 4, 40).astype(float)
    want = LinearRegression().fit(X, y, w).predict_interval(X)
    for rows in (X, sparse.csr_array(X)):
        got = GeneralizedLinearRegressor("normal", tol=1e-9).fit(rows, y, w).predict_interval(rows)
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_categories_are_uncertain_too():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.standard_normal(60), "kind": np.resize(["a", "b", "c"], 60)})
    y = frame["x"].to_numpy() + rng.standard_normal(60)
    columns = np.column_stack([frame["x"], frame["kind"] == "b", frame["kind"] == "c"])
    got = GeneralizedLinearRegressor("normal", tol=1e-9).fit(frame, y).predict_interval(frame)
    np.testing.assert_allclose(got, LinearRegression().fit(columns, y).predict_interval(columns), rtol=1e-5)


def test_normal_means_of_exactly_zero():
    X = np.repeat([0.0, 1.0], 10)[:, None]
    model = GeneralizedLinearRegressor("normal", fit_intercept=False).fit(X, np.tile([-1.0, 1.0], 10) + X[:, 0])
    low, high = model.predict_interval([[0.0], [1.0]], coverage=0.9).T
    assert (low < [-1.0, 0.0]).all()
    assert (high > [1.0, 2.0]).all()
