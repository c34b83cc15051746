"""Spike and slab: enumeration against conjugate fits of every set, chains against the enumeration, calibration."""

import itertools
import warnings

import numpy as np
import pytest
from scipy import special, stats

from mlwright import bayes
from mlwright.bayes import NormalInverseGammaRegressor, SpikeSlabRegressor

CHAINS = {"method": "sample", "chains": 4, "draws": 5000, "warm_up": 500, "random_state": 0}


def rows(n=40, p=5, seed=0):
    """Two columns matter, two are nearly alike."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 1.0
    X[:, 1] = X[:, 0] + 0.4 * rng.standard_normal(n)
    return X, 0.5 * X[:, 0] + 0.3 * X[:, 3] + rng.standard_normal(n)


def by_conjugate_fits(X, y, model):
    """Inclusion probabilities, mean coefficients and log evidence, from one conjugate model a set of columns."""
    p, sx, sy = X.shape[1], X.std(axis=0), y.std()
    if not model.fit_intercept:
        sx, sy = np.sqrt(np.square(X).mean(axis=0)), np.sqrt(np.square(y).mean())
    sets, log_weight, coefs = list(itertools.product([False, True], repeat=p)), [], []
    for inside in map(np.array, sets):
        k = int(inside.sum())
        prior = (
            special.betaln(1 + k, 1 + p - k)
            if model.inclusion == "beta"
            else stats.bernoulli.logpmf(inside, model.inclusion).sum()
        )
        Z = X[:, inside] if k else np.zeros((len(X), 1))
        precision = model.slab_precision * sx[inside] ** 2 if k else 1.0
        fit = NormalInverseGammaRegressor(
            prior_precision=precision,
            noise_shape=model.noise_shape,
            noise_rate=model.noise_rate * sy**2,
            fit_intercept=model.fit_intercept,
        ).fit(Z, y)
        log_weight.append(prior + fit.log_evidence_)
        coefs.append(np.zeros(p))
        coefs[-1][inside] = fit.coef_[:k]
    log_total = special.logsumexp(log_weight)
    share = np.exp(np.array(log_weight) - log_total)
    return share @ np.array(sets), share @ np.array(coefs), log_total


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("inclusion", ["beta", 0.3])
def test_enumeration_is_the_sum_over_conjugate_models(fit_intercept, inclusion):
    X, y = rows()
    model = SpikeSlabRegressor(fit_intercept=fit_intercept, inclusion=inclusion, slab_precision=2.0).fit(X, y)
    probabilities, coef, log_evidence = by_conjugate_fits(X, y, model)
    np.testing.assert_allclose(model.inclusion_probabilities_, probabilities, rtol=1e-8)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(model.log_evidence_, log_evidence, rtol=1e-10)
    assert model.set_probabilities_.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(model.set_probabilities_ @ model.sets_, probabilities, rtol=1e-8)


def test_rounding_does_not_build_up_over_many_sets():
    X, y = rows(60, 14)
    model = SpikeSlabRegressor().fit(X, y)
    for inside, probability in zip(model.sets_[:50:7], model.set_probabilities_[:50:7], strict=True):
        fits = []
        for chosen in (inside, model.sets_[0]):
            k = int(chosen.sum())
            Z = X[:, chosen] if k else np.zeros((len(X), 1))
            precision = Z.var(axis=0) if k else 1.0
            fit = NormalInverseGammaRegressor(prior_precision=precision, noise_rate=1e-3 * y.var()).fit(Z, y)
            fits.append(special.betaln(1 + k, 15 - k) + fit.log_evidence_)
        assert np.log(probability / model.set_probabilities_[0]) == pytest.approx(fits[0] - fits[1], abs=1e-9)


def compare_chains_with_enumeration(X, y, **settings):
    exact, sampled = SpikeSlabRegressor(**settings).fit(X, y), SpikeSlabRegressor(**CHAINS, **settings).fit(X, y)
    inside = (sampled._coef_draws != 0.0).astype(float)
    told = bayes.diagnose(inside)
    z = (told["mean"] - exact.inclusion_probabilities_) / told["mcse_mean"]
    coef = sampled._chains().draws["coef"]
    z_coef = (coef.mean(axis=(0, 1)) - exact.coef_) / bayes.diagnose(coef)["mcse_mean"]
    return np.abs(np.append(z, z_coef)).max(), exact, sampled


@pytest.mark.parametrize("inclusion", ["beta", 0.3])
def test_chains_find_what_enumeration_finds(inclusion):
    worst, exact, sampled = compare_chains_with_enumeration(*rows(), inclusion=inclusion)
    assert worst < 4.5
    for name in ("coef", "noise_variance", "intercept"):
        a, b = (model.sample_posterior(20_000, random_state=1)[name] for model in (exact, sampled))
        np.testing.assert_allclose(a.mean(axis=0), b.mean(axis=0), atol=0.05 * np.max(a.std(axis=0)))
        np.testing.assert_allclose(a.std(axis=0), b.std(axis=0), rtol=0.1, atol=0.01)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sets_of_more_columns_than_rows_are_found_as_often_as_they_should_be(fit_intercept):
    """Chains know them by the rows' inverse matrix; weighted rows, a constant column."""
    X, y = rows(6, 9)
    X[:, 8] = 0.7 * fit_intercept
    w = np.array([1.0, 2.0, 0.5, 1.0, 1.5, 1.0])
    settings = {"inclusion": 0.6, "fit_intercept": fit_intercept}
    exact = SpikeSlabRegressor(**settings).fit(X, y, w)
    assert exact.set_probabilities_[exact.sets_.sum(axis=1) > len(X)].sum() > 0.1
    sampled = SpikeSlabRegressor(**CHAINS, **settings).fit(X, y, w)
    told = bayes.diagnose((sampled._coef_draws != 0.0).astype(float))
    assert (np.abs(told["mean"] - exact.inclusion_probabilities_) < 4.5 * told["mcse_mean"]).all()
    for name in ("coef", "noise_variance"):
        a, b = (np.tanh(model.sample_posterior(20_000, random_state=1)[name]) for model in (exact, sampled))
        np.testing.assert_allclose(a.mean(axis=0), b.mean(axis=0), atol=0.05 * np.max(a.std(axis=0)))
        np.testing.assert_allclose(a.std(axis=0), b.std(axis=0), rtol=0.1, atol=0.01)


@pytest.mark.slow
def test_calibration_of_enumeration_and_chains():
    """Parameters drawn from the prior rank uniformly among draws from their posterior."""
    rng = np.random.default_rng(5)
    n, p, levels = 20, 4, 15
    X = rng.standard_normal((n, p))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    ranks = {"enumerate": [], "sample": []}
    for seed in range(600):
        variance = stats.invgamma(3.0, 0, 2.0).rvs(random_state=rng)
        inside = rng.random(p) < 0.5
        coef = np.where(inside, rng.standard_normal(p) * np.sqrt(variance), 0.0)
        y = X @ coef + np.sqrt(variance) * rng.standard_normal(n)
        # The rate is in units of the mean square of y, as the model divides by it.
        prior = {"noise_shape": 3.0, "noise_rate": 2.0 / np.square(y).mean(), "inclusion": 0.5, "fit_intercept": False}
        for method, told in ranks.items():
            model = SpikeSlabRegressor(
                method=method, chains=1, draws=levels * 20, warm_up=50, random_state=seed, **prior
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                draws = model.fit(X, y).sample_posterior(levels, random_state=seed)
            new = X[0] @ coef
            said = [draws["noise_variance"] < variance, draws["coef"] @ X[0] + 1e-9 * rng.standard_normal(levels) < new]
            told.append([int(x.sum()) for x in said])
    for method, told in ranks.items():
        for column in np.array(told).T:
            counts = np.bincount(column, minlength=levels + 1)
            assert stats.chisquare(counts).pvalue > 1e-4, method


def test_a_weight_is_a_repetition_and_units_do_not_matter():
    X, y = rows()
    w = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    weighted = SpikeSlabRegressor().fit(X, y, w)
    repeated = SpikeSlabRegressor().fit(np.repeat(X, w.astype(int), axis=0), np.repeat(y, w.astype(int)))
    np.testing.assert_allclose(weighted.inclusion_probabilities_, repeated.inclusion_probabilities_, rtol=1e-8)
    np.testing.assert_allclose(weighted.log_evidence_, repeated.log_evidence_, rtol=1e-10)
    unit = np.array([1e-3, 1.0, 1e5, 2.0, 10.0])
    scaled = SpikeSlabRegressor().fit(X * unit, 1000 * y)
    plain = SpikeSlabRegressor().fit(X, y)
    np.testing.assert_allclose(scaled.inclusion_probabilities_, plain.inclusion_probabilities_, rtol=1e-8)
    np.testing.assert_allclose(scaled.predict(X * unit), 1000 * plain.predict(X), rtol=1e-8)


def test_more_columns_than_rows_constant_ones_and_one_row():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 120))
    y = 2.0 * X[:, 7] - 2.0 * X[:, 90] + 0.5 * rng.standard_normal(50)
    model = SpikeSlabRegressor(chains=4, draws=500, warm_up=300, random_state=0).fit(X, y)
    assert set(np.flatnonzero(model.inclusion_probabilities_ > 0.9)) == {7, 90}
    X[:, 0] = 3.0
    few = SpikeSlabRegressor(inclusion=0.25).fit(X[:, :8], y)
    assert few.inclusion_probabilities_[0] == pytest.approx(0.25)
    one = SpikeSlabRegressor().fit(X[:1, :3], y[:1])
    np.testing.assert_allclose(one.predict(X[:1, :3]), y[:1])


def test_the_same_bits_for_any_number_of_threads():
    X, y = rows(30, 12)
    for settings in ({}, {"method": "sample", "draws": 200, "warm_up": 100, "random_state": 1}):
        want = None
        for n_jobs in (1, 2, 3, 8):
            model = SpikeSlabRegressor(n_jobs=n_jobs, **settings)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = model.fit(X, y).coef_.tobytes() + model.inclusion_probabilities_.tobytes()
            want = want or got
            assert got == want


def test_too_many_columns_are_refused():
    X = np.zeros((3, 26))
    with pytest.raises(ValueError, match="26 features, expected at most 25 with method='enumerate'"):
        SpikeSlabRegressor(method="enumerate").fit(X, [1.0, 2.0, 3.0])


def test_a_wrong_ratio_is_seen():
    """The comparison of chains and enumeration has teeth: with another prior of the chains it fails."""
    X, y = rows()
    exact = SpikeSlabRegressor(inclusion=0.3).fit(X, y)
    wrong = SpikeSlabRegressor(inclusion=0.4, **CHAINS).fit(X, y)
    told = bayes.diagnose((wrong._coef_draws != 0.0).astype(float))
    assert np.abs((told["mean"] - exact.inclusion_probabilities_) / told["mcse_mean"]).max() > 4.5
