"""Spike and slab: enumeration against conjugate fits of every set, chains against the enumeration."""

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


def of_orthogonal_columns(X, y, precision, inclusions, shares):
    """Inclusion probabilities and mean coefficients: given noise and prior inclusion each column is on its own, and
    both are summed over a grid. `shares` are the prior's of `inclusions`.
    """
    n, cross, shape, rate = len(y), X.T @ (y - y.mean()), 2.0, 0.5 * y.var()
    variance = y.var() * np.exp(np.linspace(-5.0, 2.0, 400))[:, None]
    log_factor = 0.5 * np.log(precision / (n + precision)) + cross**2 / (2.0 * variance * (n + precision))
    base = -(shape + 0.5 * (n - 1)) * np.log(variance[:, 0]) - (rate + 0.5 * n * y.var()) / variance[:, 0]
    log_mass, inside = [], []
    for inclusion, share in zip(inclusions, shares, strict=True):
        with_it, without = np.log(inclusion) + log_factor, np.log1p(-inclusion)
        log_mass.append(np.log(share) + base + np.logaddexp(with_it, without).sum(axis=1))
        inside.append(special.expit(with_it - without))
    mass = np.exp(np.array(log_mass) - np.max(log_mass))
    probabilities = np.einsum("ab,abj->j", mass / mass.sum(), np.array(inside))
    return probabilities, probabilities * cross / (n + precision)


@pytest.mark.parametrize("inclusion", ["beta", 0.1])
def test_chains_over_more_columns_than_can_be_enumerated(inclusion):
    rng = np.random.default_rng(4)
    X = np.linalg.qr(np.column_stack([np.ones(80), rng.standard_normal((80, 60))]))[0][:, 1:] * np.sqrt(80)
    y = X[:, :10] @ np.linspace(0.1, 0.7, 10) + rng.standard_normal(80)
    model = SpikeSlabRegressor(inclusion=inclusion, slab_precision=3.0, noise_shape=2.0, noise_rate=0.5, **CHAINS)
    model.fit(X, y)
    grid = (np.arange(150) + 0.5) / 150 if inclusion == "beta" else np.array([inclusion])
    probabilities, coef = of_orthogonal_columns(X, y, 3.0, grid, np.full(len(grid), 1.0 / len(grid)))
    told = bayes.diagnose((model._coef_draws != 0.0).astype(float))
    assert (np.abs(told["mean"] - probabilities) < 4.5 * told["mcse_mean"]).all()
    told = bayes.diagnose(model._chains().draws["coef"])
    assert (np.abs(told["mean"] - coef) < 4.5 * told["mcse_mean"]).all()
    assert told["mcse_mean"].max() < 0.01
    other, _ = of_orthogonal_columns(X, y, 6.0, grid, np.full(len(grid), 1.0 / len(grid)))
    assert np.abs(other - probabilities).max() > 0.02  # a wrong prior would show


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
