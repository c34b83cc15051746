"""The horseshoe against a sum over a grid of its scales and a plain Gibbs sampler, and its pieces."""

import warnings

import numpy as np
import pytest
from scipy import integrate, special, stats

from mlwright import bayes
from mlwright._kernels.horseshoe import Problem, draw_shrunk, sample_horseshoe
from mlwright._runtime.progress import Reporter
from mlwright.bayes import HorseshoeRegressor
from mlwright.reference import horseshoe as twin

PRIOR = {"noise_shape": 2.0, "noise_rate": 1.0}


def rows(n=15, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    X = X / np.sqrt(np.square(X).mean(axis=0))
    y = X @ [1.0, 0.1] + rng.standard_normal(n)
    return X, y / np.sqrt(np.square(y).mean())


def by_grid(X, y, global_scale, slab_precision, tilt=0.0):
    """Means of coefficients, their squares, the noise's variance and the log of the global scale.

    `tilt` of the local prior makes it a wrong one.
    """
    t = np.linspace(-16, 16, 97)
    local, other, scale = np.meshgrid(t, t, t, indexing="ij")
    log_weight = stats.halfcauchy.logpdf(np.exp(scale), scale=global_scale) + scale
    for x in (local, other):
        log_weight += stats.halfcauchy.logpdf(np.exp(x)) + x * (1.0 + tilt)
    k1, k2 = np.exp(-2 * (local + scale)), np.exp(-2 * (other + scale))
    gram, cross = X.T @ X, X.T @ y
    a, b, off = gram[0, 0] + k1 + slab_precision, gram[1, 1] + k2 + slab_precision, gram[0, 1]
    det = a * b - off * off
    mean = np.stack([(b * cross[0] - off * cross[1]) / det, (a * cross[1] - off * cross[0]) / det])
    shape = PRIOR["noise_shape"] + 0.5 * len(y)
    rate = PRIOR["noise_rate"] + 0.5 * (y @ y - cross[0] * mean[0] - cross[1] * mean[1])
    log_weight += 0.5 * (np.log(k1) + np.log(k2) - np.log(det)) - shape * np.log(rate)
    weight = np.exp(log_weight - special.logsumexp(log_weight))
    variance = rate / (shape - 1)
    square = mean**2 + variance * np.stack([b / det, a / det])
    return [(weight * x).sum() for x in (*mean, *square, variance, scale)]


def distances(model, want):
    """In Monte Carlo errors."""
    coef, variance = model._coef_draws, model._variance_draws
    got = np.concatenate([coef, coef**2, variance[..., None], np.log(model._scale_draws)[..., None]], axis=2)
    told = bayes.diagnose(got)
    return np.abs((told["mean"] - want) / told["mcse_mean"])


def fitted(**settings):
    X, y = rows()
    model = HorseshoeRegressor(fit_intercept=False, draws=2500, warm_up=300, random_state=0, **PRIOR, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return X, y, model.fit(X, y)


@pytest.mark.parametrize("slab_scale", [None, 0.5])
def test_the_posterior_is_that_of_the_grid(slab_scale):
    X, y, model = fitted(global_scale=0.5, slab_scale=slab_scale)
    want = by_grid(X, y, 0.5, 0.0 if slab_scale is None else slab_scale**-2.0)
    assert distances(model, want).max() < 4.5


def test_a_wrong_prior_is_seen():
    X, y, model = fitted(global_scale=0.5)
    assert distances(model, by_grid(X, y, 0.5, 0.0, tilt=0.4)).max() > 4.5
    assert distances(model, by_grid(X, y, 1.5, 0.0)).max() > 4.5


@pytest.mark.parametrize("q", [1e-30, 1e-4, 0.3, 1.0, 2.0, 1e5, 1e60])
@pytest.mark.parametrize("e", [0.0, 0.7, 3.0, 12.0, 1e4])
def test_shares_have_their_density(q, e):
    """Their distribution function against quadrature, in the logarithm of shares kept and lost."""

    def log_density(x):  # of x = ln(s / (1 - s))
        kept, shrunk = special.expit(x), special.expit(-x)
        return 0.5 * np.log(kept) + np.log(shrunk) - e * shrunk - np.log(q * shrunk + kept)

    x = np.linspace(-300.0, 300.0, 240_001)
    log_p = log_density(x)
    cdf = integrate.cumulative_trapezoid(np.exp(log_p - log_p.max()), x, initial=0.0)
    shrunk = draw_shrunk(3, 4, np.full(20_000, q), np.full(20_000, e))
    inside = (shrunk > 0.0) & (shrunk < 1.0)
    drawn = np.where(inside, -special.logit(np.where(inside, shrunk, 0.5)), np.where(shrunk > 0.0, -40.0, 300.0))
    resolved = np.interp(-36.0, x, cdf / cdf[-1])  # shares of less than rounding are as good as none
    uniform = np.interp(drawn, x, cdf / cdf[-1])
    uniform = np.where(drawn < -36.0, resolved * stats.uniform.rvs(size=len(drawn), random_state=0), uniform)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4


def correlated(n, p, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    return X, 1.5 * X[:, 0] - X[:, 4] + 0.5 * rng.standard_normal(n)


@pytest.mark.parametrize("slab_precision", [0.0, 0.3])
@pytest.mark.parametrize("from_gram", [True, False])
def test_the_posterior_is_that_of_a_plain_gibbs_sampler(from_gram, slab_precision):
    """Fewer rows than columns, which go together: from the rows and from the Gram matrix."""
    X, y = correlated(12, 16)
    settings = {"shape": 8.0, "rate": 1.0, "global_scale": 0.3, "slab_precision": slab_precision}
    problem = Problem(X, y, X.T @ X if from_gram else None, **settings)
    told = bayes.diagnose(summaries(*sample_horseshoe(problem, 1, 4, 200, 2500, Reporter("", 1))))
    plain = bayes.diagnose(summaries(*twin.gibbs(X, y, **settings, chains=4, draws=4000, seed=0)))
    error = np.hypot(told["mcse_mean"], plain["mcse_mean"])
    assert (np.abs(told["mean"] - plain["mean"]) < 4.5 * error).all()
    assert told["ess_bulk"].min() > 1000


def test_the_posterior_is_that_of_a_plain_gibbs_sampler_where_most_coefficients_are_large():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((25, 6)) + rng.standard_normal((25, 1))
    y = X @ [1.0, -1.0, 0.8, 1.2, -0.6, 0.0] + 0.5 * rng.standard_normal(25)
    settings = {"shape": 14.0, "rate": 1.0, "global_scale": 1.0, "slab_precision": 0.0}
    draws = sample_horseshoe(Problem(X, y, X.T @ X, **settings), 1, 4, 200, 4000, Reporter("", 1))
    told, plain = (
        bayes.diagnose(summaries(*x)) for x in (draws, twin.gibbs(X, y, **settings, chains=4, draws=5000, seed=0))
    )
    assert (np.abs(told["mean"] - plain["mean"]) < 4.5 * np.hypot(told["mcse_mean"], plain["mcse_mean"])).all()


def test_scales_mix_with_many_columns():
    """The global scale and the noise have half the effective draws where scales are drawn once a sweep."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((100, 300))
    y = X[:, :8] @ np.full(8, 1.5) + rng.standard_normal(100)
    problem = Problem(X, y / y.std(), None, shape=50.0, rate=1e-3, global_scale=0.01, slab_precision=0.0)
    _, variance, scale = sample_horseshoe(problem, 1, 4, 200, 500, Reporter("", 1))
    assert bayes.diagnose(np.log(np.stack([variance, scale], axis=2)))["ess_bulk"].min() > 330


def summaries(coef, variance, scale):
    """With bounded functions of the coefficients, whose tails are heavy."""
    parts = [np.tanh(coef), np.tanh(coef) ** 2, np.log(variance)[..., None], np.log(scale)[..., None]]
    return np.concatenate(parts, axis=2)


def test_signals_stand_out_with_more_columns_than_rows():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 150))
    y = 3.0 * X[:, 10] - 3.0 * X[:, 40] + rng.standard_normal(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = HorseshoeRegressor(n_expected=2, chains=2, draws=400, warm_up=400, random_state=0).fit(X, y)
    assert set(np.argsort(-np.abs(model.coef_))[:2]) == {10, 40}
    np.testing.assert_allclose(model.coef_[[10, 40]], [3.0, -3.0], atol=0.6)
    assert np.abs(np.delete(model.coef_, [10, 40])).max() < 0.4


def test_weights_units_and_degenerate_rows():
    X, y = rows()
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    settings = {"global_scale": 1.0, "chains": 1, "draws": 200, "warm_up": 50, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = HorseshoeRegressor(**settings).fit(X, y, w)
        repeated = HorseshoeRegressor(**settings).fit(np.repeat(X, w.astype(int), axis=0), np.repeat(y, w.astype(int)))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-6)
        one, other = (HorseshoeRegressor(**settings).fit(Z, t) for Z, t in ((X, y), (X * [1e-3, 1e4], 50 * y)))
        np.testing.assert_allclose(other.coef_ * [1e-3, 1e4] / 50, one.coef_, rtol=1e-6)
        constant = HorseshoeRegressor(**settings).fit(np.ones((5, 2)), np.full(5, 2.0))
        np.testing.assert_allclose(constant.predict(np.ones((5, 2))), 2.0, atol=1e-8)
    with pytest.raises(ValueError, match="expected at least 2 rows"):
        HorseshoeRegressor(**settings).fit(X[:1], y[:1])


def test_what_is_constant_but_for_rounding_is_constant():
    """The mean of many 0.1 is not 0.1."""
    X, y = rows(15)
    tenths = np.column_stack([X, np.full(15, 0.1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = HorseshoeRegressor(global_scale=1.0, chains=1, draws=200, warm_up=50, random_state=0).fit(tenths, y)
    assert abs(model.coef_[2]) < 1e6  # its prior's
    np.testing.assert_allclose(model.predict(tenths), X @ model.coef_[:2] + y.mean() - X.mean(axis=0) @ model.coef_[:2])
