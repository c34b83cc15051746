"""Several quantiles, whole distributions, and intervals of the boosted regressors."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import integrate, stats
from sklearn.metrics import mean_pinball_loss

import mlwright
from mlwright.ensemble import (
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)
from mlwright.ensemble._boosting.distributions import LAWS
from mlwright.linear_model import LinearRegression
from mlwright.tabular import TabularRegressor

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SMALL = {"max_iter": 30, "max_leaf_nodes": 8, "random_state": 0}


def problem(n=2000, seed=0):
    """Location by the first feature, spread by the second."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, X[:, 0] + np.exp(0.7 * X[:, 1]) * rng.normal(size=n)


def quantiles(**parameters):
    return HistGradientBoostingQuantileRegressor(LEVELS, **{**SMALL, **parameters})


def distribution(name="normal", **parameters):
    return HistGradientBoostingDistributionRegressor(name, **{**SMALL, **parameters})


def bits(model, X):
    return model.predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


@pytest.mark.parametrize("make", [quantiles, distribution])
def test_same_bits_for_any_threads_and_simd_level(make):
    from mlwright._runtime import simd

    X, y = problem(20_000)
    seen = set()
    try:
        for level in simd.supported_levels():
            for n_threads in (1, 2, 3, 8) if level == simd.supported_levels()[-1] else (2,):
                mlwright.set_num_threads(n_threads)
                with simd.use_level(level):
                    seen.add(bits(make(max_iter=3).fit(X, y), X))
    finally:
        mlwright.set_num_threads(None)
    assert len(seen) == 1


@pytest.mark.parametrize("make", [quantiles, distribution])
def test_weights_are_repetitions_and_warm_starts_go_on(make):
    X, y = problem(500)
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = make(early_stopping=False).fit(X, y, weight)
    repeated = make(early_stopping=False).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_array_equal(weighted._trees["feature"], repeated._trees["feature"])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-8, atol=1e-9)
    in_two = make(max_iter=12, warm_start=True, early_stopping=False).fit(X, y, weight)
    assert bits(in_two.set_params(max_iter=30).fit(X, y, weight), X) == bits(weighted, X)
    assert bits(pickle.loads(pickle.dumps(weighted)), X) == bits(weighted, X)
    if make is quantiles:
        assert_array_equal(list(weighted.staged_predict(X))[-1], weighted.predict(X))


@pytest.mark.parametrize("make", [quantiles, distribution])
def test_training_loss_falls(make):
    X, y = problem()
    model = make(early_stopping=True, validation_fraction=None, n_iter_no_change=30).fit(X, y)
    assert (np.diff(model.train_score_) >= -1e-9).all()
    assert model.train_score_[-1] > model.train_score_[0]


def test_quantiles_never_cross_and_meet_their_levels():
    X, y = problem(6000)
    model = quantiles(max_iter=80).fit(X[:4000], y[:4000])
    q = model.predict(X[4000:])
    assert q.shape == (2000, 5)
    assert (np.diff(q, axis=1) >= 0).all()
    np.testing.assert_allclose(np.mean(y[4000:, None] <= q, axis=0), LEVELS, atol=0.05)
    assert model.score(X[4000:], y[4000:]) > 0.25
    interval = model.predict_interval(X[4000:], coverage=0.9)
    assert_array_equal(interval, q[:, [0, 4]])
    with pytest.raises(ValueError, match="expected both among the levels"):
        model.predict_interval(X, coverage=0.8)


def test_shared_trees_are_as_good_as_a_model_a_level():
    X, y = problem(6000)
    together = quantiles(max_iter=100).fit(X[:3000], y[:3000]).predict(X[3000:])
    losses = []
    for k, level in enumerate(LEVELS):
        alone = HistGradientBoostingRegressor(loss="quantile", quantile=level, **{**SMALL, "max_iter": 100})
        one = alone.fit(X[:3000], y[:3000]).predict(X[3000:])
        pair = (mean_pinball_loss(y[3000:], prediction, alpha=level) for prediction in (together[:, k], one))
        losses.append(tuple(pair))
    ours, separate = np.mean(losses, axis=0)
    assert ours < 1.01 * separate


@pytest.mark.parametrize(
    "bad", [[], [0.5, 0.5], [0.9, 0.1], [0.0, 0.5], [0.5, 1.0], ["a"], [True], [[0.1, 0.2]], [np.nan]]
)
def test_levels_are_checked(bad):
    X, y = problem(100)
    with pytest.raises(ValueError, match="expected levels between 0 and 1"):
        HistGradientBoostingQuantileRegressor(bad).fit(X, y)


@pytest.mark.parametrize("name", LAWS)
def test_scores_of_the_laws_are_those_of_numerical_integration(name):
    law = LAWS[name]
    lognormal = lambda m, s: stats.lognorm(s, scale=np.exp(m))  # noqa: E731
    frozen = stats.norm if name == "normal" else lognormal
    for m, s, y in [(0.3, 0.5, 1.2), (-1.0, 1.2, 0.1), (0.5, 0.2, 3.0), (0.0, 0.7, 0.9)]:
        one = np.array([1.0])
        truth = frozen(m, s)
        least = -30 if name == "normal" else 0
        below = integrate.quad(lambda t, law=truth: law.cdf(t) ** 2, least, y, limit=200)[0]
        above = integrate.quad(lambda t, law=truth: law.sf(t) ** 2, y, y + 80, limit=400, points=[y + 1, y + 5])[0]
        np.testing.assert_allclose(law.crps(y * one, m * one, s * one)[0], below + above, rtol=1e-6)
        np.testing.assert_allclose(law.log_density(y * one, m * one, s * one)[0], truth.logpdf(y), rtol=1e-12)
        np.testing.assert_allclose(law.cdf(y * one, m * one, s * one)[0], truth.cdf(y), rtol=1e-12)
        np.testing.assert_allclose(law.quantile(0.3, m, s), truth.ppf(0.3), rtol=1e-12)
        np.testing.assert_allclose([law.mean(m, s), law.std(m, s)], [truth.mean(), truth.std()], rtol=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_distributions_find_location_and_spread(name):
    X, y = problem(8000)
    y = np.exp(y / 3) if name == "lognormal" else y
    model = distribution(name, max_iter=100, early_stopping=True).fit(X[:6000], y[:6000])
    X, y = X[6000:], y[6000:]
    location, scale = model.predict_distribution(X)
    assert np.corrcoef(np.log(scale), X[:, 1])[0, 1] > 0.9
    interval = model.predict_interval(X, 0.8)
    assert 0.75 < np.mean((interval[:, 0] <= y) & (y <= interval[:, 1])) < 0.85
    assert_array_equal(interval, model.predict_quantiles(X, [0.1, 0.9]))
    np.testing.assert_allclose(model.cdf(X, interval[:, 0]), 0.1, atol=1e-9)
    mean, deviation = model.predict(X, return_std=True)
    assert_array_equal(mean, model.predict(X))
    np.testing.assert_allclose(deviation, LAWS[name].std(location, scale))
    plain = distribution(name, max_iter=1, learning_rate=1e-9).fit(X, y)
    assert model.crps(X, y) < 0.95 * plain.crps(X, y)
    assert model.log_likelihood(X, y) > plain.log_likelihood(X, y) + 0.1


def test_distributions_scale_with_the_targets():
    X, y = problem(500)
    model, scaled = distribution().fit(X, y), distribution().fit(X, 1e9 * y + 1e10)
    np.testing.assert_allclose(scaled.predict(X), 1e9 * model.predict(X) + 1e10, rtol=1e-6)
    deviation, scaled_deviation = (m.predict(X, return_std=True)[1] for m in (model, scaled))
    np.testing.assert_allclose(scaled_deviation, 1e9 * deviation, rtol=1e-6)
    constant = distribution().fit(X, np.full(len(y), 0.1))
    np.testing.assert_allclose(constant.predict(X), 0.1)
    assert np.isfinite(constant.predict(X, return_std=True)[1]).all()


@pytest.mark.parametrize("method", ["score", "crps", "log_likelihood"])
def test_scores_of_what_has_none_are_refused(method):
    X, y = problem(200)
    score = getattr((quantiles if method == "score" else distribution)(max_iter=2).fit(X, y), method)
    assert np.isclose(score(X, y, np.full(len(y), 2)), score(X, y))
    with_nan = np.where(np.arange(len(y)) == 3, np.nan, y)
    for arguments, message in (
        ((with_nan,), "Input y contains NaN"),
        ((y, 0 * y), "at least one non-zero"),
        ((y, -np.ones(len(y))), "Negative values"),
        ((y, np.ones(3)), "sample_weight.shape"),
        ((y[:5],), "inconsistent numbers of samples|got shape"),
    ):
        with pytest.raises(ValueError, match=message):
            score(X, *arguments)


def test_lognormal_targets_must_be_positive():
    X, y = problem(100)
    y = np.abs(y) + 1
    y[7] = 0.0
    with pytest.raises(ValueError, match=r"y: row 7 is .*0\.0.*, expected numbers > 0 for distribution='lognormal'"):
        distribution("lognormal").fit(X, y)


@pytest.mark.parametrize(("loss", "coverage"), [("squared_error", 0.9), ("absolute_error", 0.5), ("gamma", 0.8)])
def test_intervals_cover(loss, coverage):
    """Over many draws of fit, held-out and new rows the mean coverage is what was asked for."""
    shares = []
    for seed in range(12):
        X, y = problem(900, seed)
        y = np.exp(y / 3) if loss == "gamma" else y
        model = HistGradientBoostingRegressor(loss=loss, early_stopping=True, validation_fraction=0.4, **SMALL)
        interval = model.fit(X[:500], y[:500]).predict_interval(X[500:], coverage)
        assert interval.shape == (400, 2)
        assert loss != "gamma" or (interval >= 0).all()
        shares.append(np.mean((interval[:, 0] <= y[500:]) & (y[500:] <= interval[:, 1])))
    assert coverage - 0.03 < np.mean(shares) < coverage + 0.04


def test_intervals_need_rows_that_were_held_out(tmp_path):
    X, y = problem(600)
    model = HistGradientBoostingRegressor(early_stopping=False, **SMALL).fit(X[:300], y[:300])
    with pytest.raises(ValueError, match=r"held out no rows .* early_stopping=True .* calibrate_interval"):
        model.predict_interval(X)
    model.calibrate_interval(X[300:], y[300:], np.full(300, 2.0))
    twice = pickle.loads(pickle.dumps(model)).calibrate_interval(np.repeat(X[300:], 2, 0), np.repeat(y[300:], 2))
    interval = model.predict_interval(X)
    assert_array_equal(interval, twice.predict_interval(X))
    assert 0.85 < np.mean((interval[300:, 0] <= y[300:]) & (y[300:] <= interval[300:, 1])) < 0.95
    mlwright.save(model, tmp_path / "model.mlw")
    assert_array_equal(mlwright.load(tmp_path / "model.mlw").predict_interval(X), interval)
    model.calibrate_interval(X[:10], y[:10])
    with pytest.raises(ValueError, match=r"for which errors of at least 19 rows are needed .* and 10 are there"):
        model.predict_interval(X)
    model.calibrate_interval(X[:19], y[:19])
    ends = np.sort(y[:19] - model.predict(X[:19]))[[0, 18]]
    assert_array_equal(model.predict_interval(X[:1])[0], model.predict(X[:1]) + ends)


@pytest.mark.parametrize("bad", ["a", 0, 1, 1.5, np.nan, None, True, [0.9]])
def test_a_coverage_is_a_number_between_0_and_1_everywhere(bad):
    X, y = problem(200)
    models = [quantiles(max_iter=1), distribution(max_iter=1), LinearRegression()]
    models += [HistGradientBoostingRegressor(max_iter=1, early_stopping=True)]
    for model in models:
        with pytest.raises(ValueError, match=r"coverage: got .*, expected a number between 0 and 1, exclusive"):
            model.fit(X, y).predict_interval(X, coverage=bad)
    tabular = TabularRegressor(candidates=["linear"], cv=3)
    with pytest.raises(ValueError, match="coverage: got"):
        tabular.fit(X, y).predict_interval(X, coverage=bad)
