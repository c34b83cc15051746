"""A row is left out once: one repetition of it, or what there is; one of weight zero was left out by the fit."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.base import clone

from mlwright import bayes
from mlwright.linear_model import ARDRegression, BayesianRidge

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = X @ [1.0, 2.0, 0.0] + 0.5 * RNG.standard_normal(40)
WEIGHT = RNG.integers(0, 3, 40).astype(float)
WEIGHT[:6] = 0.0
Y[:3] += 0.8


def density(model, x, y):
    """Of the predictive law, by its quantiles."""

    def at(level):
        return float(model.predict_quantiles(x[None], level)[0])

    level = optimize.brentq(lambda level: at(level) - y, 1e-7, 1.0 - 1e-7, xtol=1e-12)
    step = 1e-3 * min(level, 1.0 - level)
    return 2.0 * step / (at(level + step) - at(level - step))


@pytest.mark.parametrize(
    ("model", "within"),
    [
        (bayes.NormalInverseGammaRegressor(compute_loo=True), 1e-4),
        (bayes.BayesianLinearRegression(compute_loo=True), 1e-4),
        (bayes.SpikeSlabRegressor(random_state=0), 0.1),
        (bayes.HorseshoeRegressor(random_state=0), 0.1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rows_of_weight_zero_have_the_predictive_density(model, within):
    model = clone(model).fit(X, Y, sample_weight=WEIGHT)
    for i in range(6):
        assert model.loo_log_density_[i] == pytest.approx(np.log(density(model, X[i], Y[i])), abs=within)
    assert model.score_loo_ == pytest.approx(WEIGHT @ model.loo_log_density_)


@pytest.mark.parametrize("model", [BayesianRidge(), BayesianRidge(fit_intercept=False), ARDRegression()])
def test_so_they_have_where_the_variances_are_held(model):
    model = clone(model).set_params(compute_loo=True).fit(X, Y, sample_weight=WEIGHT)
    mean, deviation = model.predict(X, return_std=True)
    of_intercept = 1.0 / (model.alpha_ * WEIGHT.sum()) if model.fit_intercept else 0.0
    wanted = stats.norm.logpdf(Y, mean, np.sqrt(deviation**2 + of_intercept))
    np.testing.assert_allclose(model.loo_log_density_[WEIGHT == 0.0], wanted[WEIGHT == 0.0], rtol=1e-9)


def test_draws_average_the_densities_of_rows_of_weight_zero():
    model = bayes.BayesianGLM("poisson", random_state=0)
    counts = RNG.poisson(np.exp(0.5 * X[:, 0] + 1.0)).astype(float)
    counts[:6] = 30.0  # which the draws that saw it would explain
    model.fit(X, counts, sample_weight=WEIGHT)
    assert np.isnan(model.loo_k_hat_[WEIGHT == 0.0]).all()
    draws = model.sample_predictive(X[:6], 4000, random_state=0)
    assert (draws.max(axis=0) < 30).mean() > 0.5
    assert (model.loo_log_density_[:6] < np.log(1e-3)).all()
    again = bayes.BayesianGLM("poisson", random_state=0).fit(
        X[WEIGHT > 0.0], counts[WEIGHT > 0.0], WEIGHT[WEIGHT > 0.0]
    )
    np.testing.assert_allclose(model.loo_log_density_[WEIGHT > 0.0], again.loo_log_density_, rtol=1e-9)


@pytest.mark.parametrize("weight", [0.25, 1.0, 2.5])
def test_parts_of_rows_are_left_out_whole(weight):
    """Against fits without that: of a prior that does not depend on the data."""
    w = np.full(40, 1.5)
    for i in range(3):
        w[i] = weight
        model = bayes.NormalInverseGammaRegressor(compute_loo=True).fit(X, Y, sample_weight=w)
        less = w.copy()
        less[i] -= min(weight, 1.0)
        rest = bayes.NormalInverseGammaRegressor().fit(X, Y, sample_weight=less)
        assert model.loo_log_density_[i] == pytest.approx(np.log(density(rest, X[i], Y[i])), abs=1e-4)
