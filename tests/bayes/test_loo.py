"""Scores by leaving one out: closed forms against refits, importance sampling against closed forms."""

import numpy as np
import pytest
from scipy import stats

from mlwright import bayes
from mlwright.linear_model import BayesianRidge


def linear(n=25, p=4):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, p)) + 1.0
    return X, X @ rng.standard_normal(p) + 0.7 * rng.standard_normal(n)


def log_density_without(i, X, y, w, alpha, lam, fit_intercept):
    """Of y_i by the posterior that a flat intercept and precisions alpha, lam have once one repetition is out."""
    w = w.copy()
    w[i] -= 1.0
    A = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    prior = np.diag([lam] * X.shape[1] + [0.0] * fit_intercept)
    covariance = np.linalg.inv(alpha * (A.T * w) @ A + prior)
    mean = covariance @ (alpha * A.T @ (w * y))
    return stats.norm.logpdf(y[i], A[i] @ mean, np.sqrt(A[i] @ covariance @ A[i] + 1 / alpha))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("p", [4, 600])
def test_bayesian_ridge_scores_each_row_as_a_refit_would(fit_intercept, weighted, p):
    X, y = linear(p=p)
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    model = BayesianRidge(fit_intercept=fit_intercept, compute_loo=True).fit(X, y, w if weighted else None)
    if p == 4:
        want = [log_density_without(i, X, y, w, model.alpha_, model.lambda_, fit_intercept) for i in range(len(y))]
        np.testing.assert_allclose(model.loo_log_density_, want, rtol=1e-8)
    assert model.score_loo_ == pytest.approx((w * model.loo_log_density_).sum())
    model.set_params(compute_loo=False).fit(X, y)
    assert not hasattr(model, "score_loo_")


def test_a_wide_models_scores_are_the_tall_ones():
    """520 columns of nothing more than the first four hold: both routes, one posterior."""
    X, y = linear()
    wide = np.column_stack([X, np.zeros((len(y), 516))])
    tall, wide = (BayesianRidge(compute_loo=True, tol=1e-9).fit(Z, y) for Z in (X, wide))
    np.testing.assert_allclose(wide.loo_log_density_, tall.loo_log_density_, rtol=1e-6)


def normal_log_likelihoods(shape=(4, 1000), n=30):
    """Of a normal mean with variance 1; the exact densities of each observation, left out and not."""
    rng = np.random.default_rng(1)
    y = rng.standard_normal(n)
    mu = y.mean() + rng.standard_normal(shape) / np.sqrt(n)
    log_likelihood = stats.norm.logpdf(y, mu[..., None])
    others = (y.sum() - y) / (n - 1)
    left_out = stats.norm.logpdf(y, others, np.sqrt(1 + 1 / (n - 1)))
    return log_likelihood, left_out, stats.norm.logpdf(y, y.mean(), np.sqrt(1 + 1 / n))


def test_importance_sampling_finds_the_closed_form():
    log_likelihood, want, within = normal_log_likelihoods((4, 10_000))
    told = bayes.psis_loo(log_likelihood)
    np.testing.assert_allclose(told["pointwise"], want, atol=0.01)
    assert told["elpd"] == pytest.approx(want.sum(), abs=0.05)
    assert told["p_loo"] == pytest.approx(within.sum() - want.sum(), rel=0.05)
    assert told["k_hat"].max() < 0.5


def test_an_observation_that_the_posterior_hangs_on_has_a_large_k():
    rng = np.random.default_rng(0)
    y = np.append(rng.standard_normal(20), 30.0)
    mu = y.mean() + rng.standard_normal((4, 1000)) / np.sqrt(21)
    k_hat = bayes.psis_loo(stats.norm.logpdf(y, mu[..., None]))["k_hat"]
    assert k_hat[-1] > 0.7
    assert (k_hat[:-1] < 0.5).all()


def test_bad_arguments_are_named():
    fine = np.zeros((2, 10, 3))
    for bad, message in [
        (np.zeros((2, 10)), "shape"),
        (np.zeros((2, 0, 3)), "none 0"),
        (fine + np.array([0, np.nan, 0]), "not finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            bayes.psis_loo(bad)
    with pytest.raises(ValueError, match="relative_efficiency: got 0"):
        bayes.psis_loo(fine, relative_efficiency=0)
