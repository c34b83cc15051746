"""The conjugate linear model against closed forms, to ten digits, and as a stream."""

import numpy as np
import pytest
from scipy import stats

from mlwright.bayes import NormalInverseGammaRegressor

PRIOR = {"prior_mean": [0.5, -1.0, 0.0], "prior_precision": [2.0, 0.3, 1.0], "noise_shape": 1.5, "noise_rate": 0.7}


def rows(n=30, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 2.0
    return X, X @ np.linspace(1.0, -1.0, p) + 4.0 + 0.5 * rng.standard_normal(n)


def closed_form(X, y, fit_intercept):
    """Mean, scaled inverse precision, shape and rate, by the normal equations of columns and intercept together."""
    A = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    m0 = np.append(PRIOR["prior_mean"], 0.0)[: A.shape[1]]
    k0 = np.append(PRIOR["prior_precision"], 0.0)[: A.shape[1]]
    inverse = np.linalg.inv(A.T @ A + np.diag(k0))
    mean = inverse @ (A.T @ y + k0 * m0)
    shape = PRIOR["noise_shape"] + 0.5 * (len(y) - fit_intercept)
    rate = PRIOR["noise_rate"] + 0.5 * (np.square(y - A @ mean).sum() + (k0 * (mean - m0) ** 2).sum())
    return A, mean, inverse, shape, rate


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_posterior_and_predictive_law(fit_intercept):
    X, y = rows()
    model = NormalInverseGammaRegressor(fit_intercept=fit_intercept, **PRIOR).fit(X, y)
    A, mean, inverse, shape, rate = closed_form(X, y, fit_intercept)
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_)[: len(mean)], mean, rtol=1e-10)
    np.testing.assert_allclose([model.noise_shape_, model.noise_rate_], [shape, rate], rtol=1e-10)
    np.testing.assert_allclose(model.sigma_, inverse[:3, :3] * rate / (shape - 1), rtol=1e-10)
    scale = np.sqrt(rate / shape * (1 + np.einsum("ij,jk,ik->i", A, inverse, A)))
    want = stats.t.ppf([[0.1, 0.5, 0.9]], 2 * shape, (A @ mean)[:, None], scale[:, None])
    np.testing.assert_allclose(model.predict_quantiles(X, [0.1, 0.5, 0.9]), want, rtol=1e-10)
    np.testing.assert_allclose(model.predict(X, return_std=True)[1], stats.t.std(2 * shape, 0, scale), rtol=1e-10)


def test_the_evidence_without_an_intercept_is_a_multivariate_t():
    X, y = rows()
    model = NormalInverseGammaRegressor(fit_intercept=False, **PRIOR).fit(X, y)
    a, b = PRIOR["noise_shape"], PRIOR["noise_rate"]
    spread = np.eye(len(y)) + (X / PRIOR["prior_precision"]) @ X.T
    want = stats.multivariate_t.logpdf(y, X @ PRIOR["prior_mean"], b / a * spread, 2 * a)
    np.testing.assert_allclose(model.log_evidence_, want, rtol=1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_evidence_is_the_product_of_predictions(fit_intercept):
    X, y = rows()
    model = NormalInverseGammaRegressor(fit_intercept=fit_intercept, **PRIOR).fit(X[:10], y[:10])
    for i in range(10, 20):
        said, before = model._predictive_law(X[i : i + 1]).log_density(y[i : i + 1])[0], model.log_evidence_
        model.partial_fit(X[i : i + 1], y[i : i + 1])
        assert model.log_evidence_ - before == pytest.approx(said, rel=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_leaving_out_is_forgetting(fit_intercept):
    X, y = rows()
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    model = NormalInverseGammaRegressor(fit_intercept=fit_intercept, compute_loo=True, **PRIOR).fit(X, y, w)
    for i in range(0, 30, 7):
        less = w.copy()
        less[i] -= 1
        rest = NormalInverseGammaRegressor(fit_intercept=fit_intercept, **PRIOR).fit(X, y, less)
        want = rest._predictive_law(X[i : i + 1]).log_density(y[i : i + 1])[0]
        assert model.loo_log_density_[i] == pytest.approx(want, rel=1e-9)
    assert model.score_loo_ == pytest.approx(w @ model.loo_log_density_)


def test_any_order_of_adding_merging_and_forgetting():
    X, y = rows(60)
    whole = NormalInverseGammaRegressor(**PRIOR).fit(X[20:], y[20:])
    stream = NormalInverseGammaRegressor(**PRIOR)
    for part in (slice(50, 60), slice(0, 20), slice(30, 50)):
        stream.partial_fit(X[part], y[part])
    stream.merge(NormalInverseGammaRegressor(**PRIOR).fit(X[20:30], y[20:30])).forget(X[:20], y[:20])
    for name in ("coef_", "intercept_", "noise_shape_", "noise_rate_", "sigma_", "log_evidence_"):
        np.testing.assert_allclose(getattr(stream, name), getattr(whole, name), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_columns_of_any_magnitude(scale):
    X, y = rows()
    one = NormalInverseGammaRegressor(prior_precision=1.0).fit(X, y)
    other = NormalInverseGammaRegressor(prior_precision=scale**2).fit(X * scale, y)
    np.testing.assert_allclose(other.predict(X * scale, return_std=True), one.predict(X, return_std=True), rtol=1e-10)


def test_more_columns_than_rows_and_one_row():
    X, y = rows(5, 40)
    model = NormalInverseGammaRegressor(prior_precision=0.5).fit(X, y)
    Xc = X - X.mean(axis=0)
    want = Xc.T @ np.linalg.solve(Xc @ Xc.T + 0.5 * np.eye(5), y - y.mean())
    np.testing.assert_allclose(model.coef_, want, rtol=1e-9, atol=1e-12)
    one = NormalInverseGammaRegressor().fit(X[:1], y[:1])
    np.testing.assert_allclose(one.predict(X[:1]), y[:1])


def test_draws_have_the_posterior_moments():
    X, y = rows()
    model = NormalInverseGammaRegressor(**PRIOR).fit(X, y)
    draws = model.sample_posterior(100_000, random_state=0)
    np.testing.assert_allclose(np.cov(draws["coef"].T), model.sigma_, atol=0.02 * model.sigma_.max())
    assert (
        stats.kstest(draws["noise_variance"], stats.invgamma(model.noise_shape_, 0, model.noise_rate_).cdf).pvalue
        > 1e-3
    )
    *_, inverse, shape, rate = closed_form(X, y, True)
    both = np.column_stack([draws["coef"], draws["intercept"]])
    want = inverse * rate / (shape - 1)
    np.testing.assert_allclose(np.cov(both.T), want, atol=0.02 * want.max())


def test_improper_posteriors_are_refused():
    X, y = rows()
    flat = {"prior_precision": 0.0, "noise_shape": 0.0, "noise_rate": 0.0}
    assert not hasattr(NormalInverseGammaRegressor(**flat).fit(X, y), "log_evidence_")
    model = NormalInverseGammaRegressor(**flat)
    with pytest.raises(ValueError, match="3 of 3 coefficients have a flat prior"):
        model.fit(X[:2], y[:2])
    with pytest.raises(ValueError, match="posterior of the noise is improper"):
        NormalInverseGammaRegressor(noise_shape=0.0, noise_rate=0.0).fit(X, np.zeros(30))
    for name, bad in [("prior_mean", [1.0, 2.0]), ("prior_precision", [1.0, -1.0, 1.0]), ("prior_mean", [np.nan] * 3)]:
        with pytest.raises(ValueError, match=f"{name}: got"):
            NormalInverseGammaRegressor(**{name: bad}).fit(X, y)


@pytest.mark.parametrize("unit", [1e-140, 1e-160, 1e-305, 1e-310])
def test_a_column_of_next_to_nothing_leaves_its_coefficient_to_the_prior(unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    y = X[:, 0] + X[:, 1] + 0.5 * rng.standard_normal(60)
    model = NormalInverseGammaRegressor(prior_precision=4.0).fit(X * [1.0, unit], y)
    alone = NormalInverseGammaRegressor(prior_precision=4.0).fit(X[:, :1], y)
    np.testing.assert_allclose(model.coef_, [alone.coef_[0], 0.0], rtol=1e-10, atol=1e-100)
    np.testing.assert_allclose(model.log_evidence_, alone.log_evidence_, rtol=1e-10)
    variance = model.noise_rate_ / (model.noise_shape_ - 1.0)
    np.testing.assert_allclose(
        model.sigma_, [[alone.sigma_[0, 0], 0.0], [0.0, variance / 4.0]], rtol=1e-10, atol=1e-100
    )
