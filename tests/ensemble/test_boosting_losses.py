"""The losses of the boosted estimators: scikit-learn's answers, laws, domains."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import ensemble as sk_ensemble
from sklearn.metrics import d2_pinball_score, log_loss, mean_pinball_loss
from threadpoolctl import threadpool_limits

import mlwright
from mlwright._kernels import loss as kernels
from mlwright._runtime import simd
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.ensemble._boosting.losses import LOSSES

SMALL = {"max_iter": 15, "min_samples_leaf": 5, "max_leaf_nodes": 8, "random_state": 0}
PARAMETERS = {"quantile": {"quantile": 0.8}, "expectile": {"expectile": 0.8}, "huber": {"delta": 0.5}}
every_loss = pytest.mark.parametrize("loss", LOSSES)


def problem(loss, n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    X[rng.random((n, 4)) < 0.05] = np.nan
    f = np.nan_to_num(X[:, 0]) + np.sin(2 * np.nan_to_num(X[:, 1]))
    if loss == "poisson":
        return X, rng.poisson(np.exp(f)).astype(float)
    if loss == "gamma":
        return X, rng.gamma(2.0, np.exp(f)) + 1e-3
    if loss == "tweedie":
        return X, rng.gamma(2.0, np.exp(f)) * (rng.random(n) < 0.7)
    return X, f + rng.standard_t(3, size=n) * 0.5


def model_for(loss, **parameters):
    return HistGradientBoostingRegressor(loss=loss, **{**SMALL, **PARAMETERS.get(loss, {}), **parameters})


def bits(model, X):
    return model.predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


def mean_loss(model, X, y):
    raw = model._raw_predict(X)[0]
    row = LOSSES[model.loss]
    return kernels.value(row.native, y, raw, model._loss_parameter).mean()


@every_loss
def test_same_bits_for_any_threads_and_simd_level(loss):
    X, y = problem(loss, 20_000)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    seen = set()
    try:
        for level in simd.supported_levels():
            for n_threads in (1, 2, 3, 8) if level == simd.supported_levels()[-1] else (2,):
                mlwright.set_num_threads(n_threads)
                with simd.use_level(level):
                    model = model_for(loss, max_iter=2, early_stopping=True).fit(X, y, weight)
                    seen.add((*bits(model, X), model.train_score_.tobytes()))
    finally:
        mlwright.set_num_threads(None)
    assert len(seen) == 1


@every_loss
def test_an_integer_weight_is_a_repetition(loss):
    X, y = problem(loss)
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = model_for(loss, early_stopping=False).fit(X, y, weight)
    repeated = model_for(loss, early_stopping=False).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    for name in ("feature", "threshold", "left", "right", "missing_left", "count"):
        assert_array_equal(weighted._trees[name], repeated._trees[name])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-8, atol=1e-10)


@every_loss
def test_training_loss_falls_with_every_small_step(loss):
    X, y = problem(loss)
    model = model_for(loss, early_stopping=True, validation_fraction=None, max_iter=40, n_iter_no_change=40).fit(X, y)
    losses = -model.train_score_
    assert (np.diff(losses) <= 1e-12 * abs(losses[:-1])).all()
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses[-1], mean_loss(model, X, y), rtol=1e-10)


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", "poisson", "gamma"])
def test_held_out_loss_is_scikit_learns(loss):
    ours, theirs = [], []
    for seed in range(2):
        X, y = problem(loss, 6000, seed)
        settings = {"loss": loss, "max_iter": 40, "early_stopping": False, **PARAMETERS.get(loss, {})}
        model = HistGradientBoostingRegressor(**settings).fit(X[:3000], y[:3000])
        with threadpool_limits(1):
            peer = sk_ensemble.HistGradientBoostingRegressor(**settings).fit(X[:3000], y[:3000])
        score = np.log(peer.predict(X[3000:])) if LOSSES[loss].link == "log" else peer.predict(X[3000:])
        ours.append(mean_loss(model, X[3000:], y[3000:]))
        theirs.append(kernels.value(loss, y[3000:], score, model._loss_parameter).mean())
    assert abs(np.mean(ours) - np.mean(theirs)) < 0.004 * abs(np.mean(theirs))


def test_levels_are_met():
    X, y = problem("quantile", 4000)
    for level in (0.1, 0.5, 0.9):
        model = model_for("quantile", quantile=level, max_iter=100, min_samples_leaf=50).fit(X, y)
        assert abs(np.mean(y <= model.predict(X)) - level) < 0.03
        assert d2_pinball_score(y, model.predict(X), alpha=level) > 0.2


def test_the_median_is_the_absolute_error_and_half_expectile_the_squared():
    X, y = problem("quantile")
    median = model_for("quantile", quantile=0.5).fit(X, y).predict(X)
    np.testing.assert_allclose(median, model_for("absolute_error").fit(X, y).predict(X), rtol=1e-12)
    mean = model_for("squared_error").fit(X, y).predict(X)
    np.testing.assert_allclose(model_for("expectile", expectile=0.5).fit(X, y).predict(X), mean, rtol=1e-7)


def test_huber_goes_from_the_median_to_the_mean():
    X, y = problem("huber")
    wide = model_for("huber", delta=1e6).fit(X, y).predict(X)
    np.testing.assert_allclose(wide, model_for("squared_error").fit(X, y).predict(X), rtol=1e-7)
    y[::50] += 1e4
    robust = model_for("huber", delta=None, max_iter=100).fit(X, y)
    assert 0.1 < robust._loss_parameter < 10
    assert np.median(np.abs(robust.predict(X) - y)) < 2


def test_tweedie_ends_in_poisson_and_gamma():
    for loss, power in (("poisson", 1), ("gamma", 2)):
        X, y = problem(loss)
        assert_array_equal(model_for("tweedie", power=power).fit(X, y).predict(X), model_for(loss).fit(X, y).predict(X))


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", "huber"])
def test_renewed_leaves_keep_monotonic_constraints(loss):
    X, y = problem(loss, 2000)
    X = np.nan_to_num(X)
    model = model_for(loss, monotonic_cst=[1, -1, 0, 0], max_iter=60, max_leaf_nodes=31).fit(X, y)
    grid = np.linspace(-3, 3, 200)
    for column, sign in ((0, 1), (1, -1)):
        for row in X[:20]:
            line = np.repeat(row[None], len(grid), axis=0)
            line[:, column] = grid
            assert (sign * np.diff(model.predict(line)) >= 0).all()
    assert mean_pinball_loss(y, model.predict(X)) < mean_pinball_loss(y, np.full(len(y), np.median(y)))


@pytest.mark.parametrize(
    ("loss", "bad", "message"),
    [
        ("poisson", -1.0, r"y: row 7 is .*-1\.0.*, expected numbers >= 0, not all zero for loss='poisson'"),
        ("gamma", 0.0, r"y: row 7 is .*0\.0.*, expected numbers > 0 for loss='gamma'"),
        ("tweedie", -0.5, r"y: row 7 is .*-0\.5"),
    ],
)
def test_targets_outside_the_domain_name_the_row(loss, bad, message):
    X, y = problem(loss)
    model = model_for(loss).fit(X, y)
    before = pickle.dumps(model)
    y[7] = bad
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"got only zeros|is .*0\.0"):
        model.fit(X, np.zeros(len(y)))
    assert pickle.dumps(model) == before


def test_tweedie_of_power_two_needs_positive_targets():
    X, y = problem("tweedie")
    with pytest.raises(ValueError, match="expected numbers > 0 for loss='gamma'"):
        model_for("tweedie", power=2.0).fit(X, y)


@pytest.mark.parametrize("loss", ["huber", "tweedie", "quantile"])
def test_warm_start_and_model_file_keep_the_loss(loss, tmp_path):
    X, y = problem(loss)
    parameters = {"delta": None} if loss == "huber" else {}
    at_once = model_for(loss, max_iter=12, **parameters).fit(X, y)
    in_two = model_for(loss, max_iter=5, warm_start=True, **parameters).fit(X, y)
    assert bits(in_two.set_params(max_iter=12).fit(X, y), X) == bits(at_once, X)
    mlwright.save(at_once, tmp_path / "model.mlw")
    assert bits(mlwright.load(tmp_path / "model.mlw"), X) == bits(at_once, X)


def test_one_vs_rest_is_a_binary_fit_a_class():
    X, score = problem("squared_error", 900)
    y = np.digitize(score, [-0.7, 0.7])
    model = HistGradientBoostingClassifier(loss="one_vs_rest", **SMALL).fit(X, y)
    for k, raw in enumerate(model.decision_function(X).T):
        alone = HistGradientBoostingClassifier(**SMALL).fit(X, y == k)
        assert_array_equal(raw, alone.decision_function(X))
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert_array_equal(model.predict(X), p.argmax(axis=1))
    assert log_loss(y, p) < 0.8 * np.log(3)
    binary = HistGradientBoostingClassifier(loss="one_vs_rest", **SMALL).fit(X, y > 0)
    assert_array_equal(binary.predict_proba(X), HistGradientBoostingClassifier(**SMALL).fit(X, y > 0).predict_proba(X))
