"""The linear model with everything integrated out, against conjugate models and SciPy's quadrature."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from mlwright.bayes import BayesianLinearRegression, NormalInverseGammaRegressor

PRIOR = {"noise_shape": 1.5, "noise_rate": 0.7}


def rows(n=25, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.linspace(1, 3, p) + 2.0
    return X, X @ np.linspace(1.0, -1.0, p) + 4.0 + 0.8 * rng.standard_normal(n)


class Quadrature:
    """Averages over log tau of conjugate models, in the standardisation of all rows."""

    def __init__(self, X, y, fit_intercept, rows_out=None):
        about = X.mean(axis=0) * fit_intercept, y.mean() * fit_intercept
        self.sx = np.sqrt(np.square(X - about[0]).mean(axis=0))
        self.sy = np.sqrt(np.square(y - about[1]).mean())
        keep = np.setdiff1d(np.arange(len(y)), [] if rows_out is None else [rows_out])
        self.X, self.y, self.fit_intercept = X[keep], y[keep], fit_intercept
        self.top = max(self.log_joint(t)[0] for t in np.linspace(-4, 4, 33))

    def log_joint(self, log_tau):
        model = NormalInverseGammaRegressor(
            prior_precision=np.exp(-2 * log_tau) * self.sx**2,
            noise_shape=PRIOR["noise_shape"],
            noise_rate=PRIOR["noise_rate"] * self.sy**2,
            fit_intercept=self.fit_intercept,
        ).fit(self.X, self.y)
        return model.log_evidence_ + stats.halfcauchy.logpdf(np.exp(log_tau)) + log_tau, model

    def mean(self, what):
        def weighted(log_tau):
            log_joint, model = self.log_joint(log_tau)
            return np.exp(log_joint - self.top) * np.append(1.0, what(model))

        t = np.linspace(-18, 18, 361)
        sums = integrate.simpson(np.array([weighted(x) for x in t]), x=t, axis=0)
        return sums[1:] / sums[0], self.top + np.log(sums[0])


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_coefficients_evidence_and_intervals(fit_intercept):
    X, y = rows()
    model = BayesianLinearRegression(fit_intercept=fit_intercept, **PRIOR).fit(X, y)
    new = X[:2] + 1.0
    ends = model.predict_interval(new, 0.8)

    def what(given):
        law = given._predictive_law(new)
        z = (ends - law.mean[:, None]) / law.scale[:, None]
        return np.concatenate([given.coef_, given.predict(new), special.stdtr(law.freedom, z).ravel()])

    values, log_evidence = Quadrature(X, y, fit_intercept).mean(what)
    np.testing.assert_allclose(model.coef_, values[:3], rtol=1e-8)
    np.testing.assert_allclose(model.predict(new), values[3:5], rtol=1e-8)
    np.testing.assert_allclose(values[5:].reshape(2, 2), [[0.1, 0.9]] * 2, rtol=1e-6)
    assert model.log_evidence_ == pytest.approx(log_evidence, rel=1e-8)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_leaving_out(fit_intercept):
    X, y = rows(12)
    model = BayesianLinearRegression(fit_intercept=fit_intercept, compute_loo=True, **PRIOR).fit(X, y)
    _, whole = Quadrature(X, y, fit_intercept).mean(lambda given: 0.0)
    for i in (0, 7):
        _, rest = Quadrature(X, y, fit_intercept, i).mean(lambda given: 0.0)
        assert model.loo_log_density_[i] == pytest.approx(whole - rest, rel=1e-6)


@pytest.mark.parametrize("shape", [(25, 3), (10, 530)])
def test_draws_follow_the_posterior(shape):
    X, y = rows(*shape)
    model = BayesianLinearRegression(**PRIOR).fit(X, y)
    draws = model.sample_posterior(20_000 if shape[1] < 10 else 2000, random_state=0)
    look = slice(0, 3)
    error = 5 * draws["coef"][:, look].std(axis=0) / np.sqrt(len(draws["coef"]))
    assert (np.abs(draws["coef"][:, look].mean(axis=0) - model.coef_[look]) < error).all()
    grid = np.cumsum(model.penalty_probabilities_)
    share = np.mean(draws["penalty"][:, None] < model.penalty_ * np.sqrt(model.penalty_[1] / model.penalty_[0]), axis=0)
    assert np.abs(share - grid).max() < 0.04
    observed = model.sample_predictive(X[:3], len(draws["coef"]), random_state=1)
    below = (observed[:, :, None] < model.predict_quantiles(X[:3], [0.1, 0.5, 0.9])).mean(axis=0)
    np.testing.assert_allclose(below, [[0.1, 0.5, 0.9]] * 3, atol=0.03)
    wanted = model.predict(X[:3], return_std=True)[1]
    np.testing.assert_allclose(observed.std(axis=0), wanted, rtol=0.1)


def test_more_columns_than_rows_is_the_same_model():
    """Columns of zeros add nothing but prior: the dual route against the primal one."""
    X, y = rows()
    tall = BayesianLinearRegression(**PRIOR).fit(X, y)
    wide = BayesianLinearRegression(**PRIOR).fit(np.column_stack([X, np.zeros((25, 520))]), y)
    np.testing.assert_allclose(wide.coef_[:3], tall.coef_, rtol=1e-8)
    np.testing.assert_allclose(wide.log_evidence_, tall.log_evidence_, rtol=1e-10)
    new = np.column_stack([X, np.zeros((25, 520))])
    np.testing.assert_allclose(wide.predict_interval(new), tall.predict_interval(X), rtol=1e-6)


def test_a_weight_is_a_repetition_and_units_do_not_matter():
    X, y = rows()
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    weighted = BayesianLinearRegression(compute_loo=True).fit(X, y, w)
    n = w.astype(int)
    repeated = BayesianLinearRegression(compute_loo=True).fit(np.repeat(X, n, axis=0), np.repeat(y, n))
    for name in ("coef_", "log_evidence_", "score_loo_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-8)
    plain, scaled = BayesianLinearRegression().fit(X, y), BayesianLinearRegression().fit(X * [1e-3, 1, 1e4], 50 * y)
    np.testing.assert_allclose(scaled.predict_interval(X * [1e-3, 1, 1e4]), 50 * plain.predict_interval(X), rtol=1e-8)


def test_a_stream_and_degenerate_rows():
    X, y = rows(40)
    stream = BayesianLinearRegression(**PRIOR)
    for part in (slice(20, 40), slice(0, 20)):
        stream.partial_fit(X[part], y[part])
    whole = BayesianLinearRegression(**PRIOR).fit(X, y)
    np.testing.assert_allclose(stream.coef_, whole.coef_, rtol=1e-9)
    np.testing.assert_allclose(stream.log_evidence_, whole.log_evidence_, rtol=1e-10)
    np.testing.assert_allclose(BayesianLinearRegression().fit(X, np.full(40, 2.0)).predict(X), 2.0)
    np.testing.assert_allclose(BayesianLinearRegression().fit(X[:1], y[:1]).predict(X[:1]), y[:1])
    constant = BayesianLinearRegression().fit(np.ones((6, 2)), y[:6])
    np.testing.assert_allclose(constant.predict(np.ones((1, 2))), y[:6].mean())


def test_a_prior_far_below_the_data_is_integrated_over_too():
    """Where coefficients are next to nothing, the evidence is that of columns which are nothing."""
    X, y = rows()[0], np.random.default_rng(1).standard_normal(25)
    nothing = BayesianLinearRegression(**PRIOR).fit(np.zeros_like(X), y)
    shrunk = BayesianLinearRegression(prior_scale=1e-12, **PRIOR).fit(X, y)
    assert shrunk.log_evidence_ == pytest.approx(nothing.log_evidence_, rel=1e-7)
    np.testing.assert_allclose(shrunk.predict(X), y.mean(), rtol=1e-6)


@pytest.mark.parametrize(("n", "p", "far"), [(4, 1, 1.0), (25, 3, 30.0), (300, 10, 3.0), (40, 90, 10.0)])
def test_quantiles_are_those_of_the_mixture_over_the_whole_grid(n, p, far):
    """Intervals take a sparser grid of penalties, and Student's distribution function from a table."""
    X, y = rows(n, p)
    model, levels = BayesianLinearRegression(**PRIOR).fit(X, y), np.array([1e-4, 0.05, 0.5, 0.97])
    new = far * np.random.default_rng(1).standard_normal((7, p))
    mean, reach = model._given_penalties(new, model.penalty_)
    scale = np.sqrt(model._rate(model.penalty_) / model._shape * (1.0 + reach)) * model._y_scale
    z = (model.predict_quantiles(new, levels)[:, :, None] - (mean * model._y_scale + model._centre())[:, None]) / scale[
        :, None
    ]
    below = special.stdtr(2.0 * model._shape, z) @ model.penalty_probabilities_
    np.testing.assert_allclose(below, np.tile(levels, (7, 1)), rtol=1e-5, atol=2e-9)
    one_by_one = np.concatenate([model.predict_quantiles(row[None], levels) for row in new])
    np.testing.assert_allclose(one_by_one, model.predict_quantiles(new, levels), rtol=1e-12)
