"""Laws of histogram-based gradient boosting, and its answers next to scikit-learn's."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import ensemble as sk_ensemble
from sklearn.metrics import log_loss, mean_squared_error

import mlwright
from mlwright._kernels import tree as kernels
from mlwright._runtime import simd
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

SMALL = {"max_iter": 10, "min_samples_leaf": 3, "max_leaf_nodes": 8}


def problem(n=400, p=5, kind="regression", missing=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random((n, p)) < missing] = np.nan
    Z = np.nan_to_num(X)
    f = 2 * Z[:, 0] + np.sin(3 * Z[:, 1]) + Z[:, 2] * Z[:, 3] + np.isnan(X[:, 0])
    if kind == "regression":
        return X, f + 0.3 * rng.normal(size=n)
    noisy = f + rng.logistic(size=n)
    return X, np.digitize(noisy, [0.0] if kind == "binary" else [-1.0, 1.0])


def model_for(kind, **parameters):
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return cls(**{**SMALL, **parameters})


def bits(model, X):
    predicted = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return predicted.tobytes(), *(array.tobytes() for array in model._trees.values())


KINDS = ("regression", "binary", "multiclass")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_same_bits_for_any_threads_and_simd_level(kind, weighted):
    X, y = problem(20_000, 5, kind)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    expected = None
    try:
        for level in simd.supported_levels():
            for n_threads in (1, 2, 3, 8):
                mlwright.set_num_threads(n_threads)
                with simd.use_level(level):
                    got = bits(model_for(kind, max_iter=3, random_state=0).fit(X, y, weight), X)
                expected = expected or got
                assert got == expected, (level, n_threads)
    finally:
        mlwright.set_num_threads(None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["F", "strided", "readonly", "float32"])
def test_same_bits_for_any_layout(kind, layout):
    X, y = problem(300, 4, kind)
    X = X.astype(np.float32).astype(np.float64)
    other = {
        "F": np.asfortranarray,
        "strided": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
        "readonly": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
        "float32": lambda a: a.astype(np.float32),
    }[layout](X)
    assert bits(model_for(kind).fit(other, y), other) == bits(model_for(kind).fit(X, y), X)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "n"), [(0, 300), (1, 300), (2, 300), (3, 10_000)])
def test_integer_weights_are_repetitions(kind, seed, n):
    """With 10,000 rows the repeated ones are packed, see ``tree/histogram.hpp``, and the weighted ones are not."""
    X, y = problem(n, 4, kind, seed=seed)
    weight = np.random.default_rng(seed).integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), weight)
    parameters = {"max_bins": 20, "max_iter": 30, "early_stopping": False}
    weighted = model_for(kind, **parameters).fit(X, y, weight)
    plain = model_for(kind, **parameters).fit(X[repeated], y[repeated])
    for name in ("feature", "threshold", "count", "missing_left"):
        assert_array_equal(weighted._trees[name], plain._trees[name])
    np.testing.assert_allclose(weighted._raw_predict(X), plain._raw_predict(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_weight_is_removal_to_the_bit(kind):
    X, y = problem(300, 4, kind)
    kept = np.random.default_rng(0).random(len(y)) < 0.8
    assert bits(model_for(kind).fit(X, y, kept.astype(float)), X) == bits(
        model_for(kind).fit(X[kept], y[kept], np.ones(kept.sum())), X
    )


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_any_order(kind):
    X, y = problem(300, 4, kind)
    order = np.random.default_rng(0).permutation(len(y))
    a, b = model_for(kind).fit(X, y), model_for(kind).fit(X[order], y[order])
    assert_array_equal(a._trees["feature"], b._trees["feature"])
    np.testing.assert_allclose(a._raw_predict(X), b._raw_predict(X), rtol=1e-10, atol=1e-12)


def test_columns_in_any_order():
    X, y = problem(400, 5, missing=0)
    order = [3, 1, 4, 0, 2]
    a = model_for("regression", min_samples_leaf=20).fit(X, y)
    b = model_for("regression", min_samples_leaf=20).fit(X[:, order], y)
    np.testing.assert_allclose(a.predict(X), b.predict(X[:, order]), rtol=1e-12)


def test_a_monotone_change_of_a_feature_changes_nothing():
    X, y = problem(400, 4)
    changed = X.copy()
    changed[:, 1] = np.exp(X[:, 1] / 3)
    changed[:, 2] = X[:, 2] ** 3
    a, b = model_for("regression").fit(X, y), model_for("regression").fit(changed, y)
    assert_array_equal(a.predict(X), b.predict(changed))


def test_scale_and_shift_of_the_target():
    X, y = problem(400, 4)
    plain = model_for("regression").fit(X, y).predict(X)
    np.testing.assert_allclose(model_for("regression").fit(X, 4 * y).predict(X), 4 * plain, rtol=1e-12)
    np.testing.assert_allclose(model_for("regression").fit(X, y * 1e-100).predict(X), plain * 1e-100, rtol=1e-9)
    np.testing.assert_allclose(model_for("regression").fit(X, y + 100).predict(X), plain + 100, rtol=1e-9)


def test_the_scale_of_real_weights_does_not_matter():
    X, y = problem(400, 4)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    a = model_for("regression").fit(X, y, weight).predict(X)
    np.testing.assert_allclose(model_for("regression").fit(X, y, weight * 1e-6).predict(X), a, rtol=1e-10)


@pytest.mark.parametrize(
    "parameters", [{}, {"max_leaf_nodes": None, "max_depth": 4}, {"l2_regularization": 3.0, "max_bins": 30}]
)
@pytest.mark.parametrize("seed", range(2))
def test_held_out_error_is_scikit_learns(parameters, seed):
    X, y = problem(4500, 6, seed=seed)
    parameters = {"max_iter": 30, "early_stopping": False, **parameters}
    errors = [
        mean_squared_error(y[3000:], cls(**parameters).fit(X[:3000], y[:3000]).predict(X[3000:]))
        for cls in (HistGradientBoostingRegressor, sk_ensemble.HistGradientBoostingRegressor)
    ]
    assert errors[0] <= errors[1] * 1.05


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("seed", range(2))
def test_held_out_log_loss_is_scikit_learns(kind, seed):
    X, y = problem(4500, 6, kind, seed=seed)
    losses = [
        log_loss(y[3000:], cls(max_iter=20, early_stopping=False).fit(X[:3000], y[:3000]).predict_proba(X[3000:]))
        for cls in (HistGradientBoostingClassifier, sk_ensemble.HistGradientBoostingClassifier)
    ]
    assert losses[0] <= losses[1] * 1.02


def test_same_trees_as_scikit_learn_where_nothing_is_near_a_tie():
    X, y = problem(1000, 4, missing=0)
    ours = HistGradientBoostingRegressor(max_iter=20).fit(X, y)
    theirs = sk_ensemble.HistGradientBoostingRegressor(max_iter=20).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_monotone_constraints_hold(kind, direction):
    X, y = problem(600, 4, kind, missing=0)
    model = model_for(kind, monotonic_cst=[0, direction, 0, 0], max_iter=40).fit(X, y)
    rows = np.repeat(X[:50], 40, axis=0)
    rows[:, 1] = np.tile(np.linspace(-4, 4, 40), 50)
    steps = np.diff(model._raw_predict(rows)[0].reshape(50, 40), axis=1)
    assert (steps * direction >= 0).all()
    assert (steps != 0).any()


def test_interaction_constraints_hold():
    X, y = problem(600, 4)
    model = model_for("regression", interaction_cst=[[0, 1], [2]], max_iter=20).fit(X, y)
    trees = model._trees
    for begin, end in zip(trees["offsets"][:-1], trees["offsets"][1:], strict=True):
        branches = [(0, frozenset())]
        while branches:
            node, met = branches.pop()
            feature = trees["feature"][begin + node]
            if feature < 0:
                assert any(met <= group for group in ({0, 1}, {2}, {3}))
                continue
            assert node < end - begin
            branches += [(trees[side][begin + node], met | {feature}) for side in ("left", "right")]


def test_max_features_is_drawn_anew_at_each_node_and_by_seed():
    X, y = problem(400, 6)
    fits = [model_for("regression", max_features=0.3, random_state=seed).fit(X, y).predict(X) for seed in (0, 0, 1)]
    assert_array_equal(fits[0], fits[1])
    assert (fits[0] != fits[2]).any()


def test_staged_predictions_end_at_the_prediction():
    X, y = problem(300, 4, "multiclass")
    model = model_for("multiclass").fit(X, y)
    stages = list(model.staged_predict_proba(X))
    assert len(stages) == model.n_iter_ == 10
    assert_array_equal(stages[-1], model.predict_proba(X))
    assert_array_equal(list(model.staged_predict(X))[-1], model.predict(X))
    assert_array_equal(list(model.staged_decision_function(X))[-1], model.decision_function(X))


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start_goes_on_where_it_stopped(kind):
    X, y = problem(300, 4, kind)
    at_once = model_for(kind, max_iter=12, max_features=0.5, random_state=0).fit(X, y)
    bit_by_bit = model_for(kind, max_iter=5, max_features=0.5, random_state=0, warm_start=True).fit(X, y)
    bit_by_bit.set_params(max_iter=12).fit(X, y)
    assert bits(bit_by_bit, X) == bits(at_once, X)
    with pytest.raises(ValueError, match="must be larger than or equal to n_iter_=12"):
        bit_by_bit.set_params(max_iter=3).fit(X, y)


@pytest.mark.parametrize(
    "scoring", ["loss", "neg_mean_squared_error", lambda est, X, y: -np.mean((est.predict(X) - y) ** 2)]
)
@pytest.mark.parametrize("validation_fraction", [0.2, None])
def test_early_stopping(scoring, validation_fraction):
    X, y = problem(500, 4, missing=0)
    model = HistGradientBoostingRegressor(
        max_iter=300, early_stopping=True, scoring=scoring, validation_fraction=validation_fraction, n_iter_no_change=3,
        tol=1e-2, random_state=0, learning_rate=0.3,
    ).fit(X, y)  # fmt: skip
    assert model.do_early_stopping_
    assert model.n_iter_ < 300
    assert len(model.train_score_) == model.n_iter_ + 1
    assert len(model.validation_score_) == (0 if validation_fraction is None else model.n_iter_ + 1)
    assert model.train_score_[-1] > model.train_score_[0]


def test_early_stopping_on_given_rows():
    X, y = problem(500, 4)
    model = model_for("regression", early_stopping=True).fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    stages = [-np.mean((y[400:] - stage) ** 2) / 2 for stage in model.staged_predict(X[400:])]
    np.testing.assert_allclose(model.validation_score_[1:], stages, rtol=1e-12)


def test_scores_are_the_losses_of_the_stages():
    X, y = problem(500, 4, "multiclass")
    model = model_for("multiclass", early_stopping=True, validation_fraction=None).fit(X, y)
    stages = [-log_loss(y, stage) for stage in model.staged_predict_proba(X)]
    np.testing.assert_allclose(model.train_score_[1:], stages, rtol=1e-10)


def test_class_weight_is_sample_weight():
    X, y = problem(400, 4, "multiclass")
    by_class = model_for("multiclass", class_weight={0: 1.5, 1: 0.5, 2: 1.0}).fit(X, y)
    by_row = model_for("multiclass").fit(X, y, np.array([1.5, 0.5, 1.0])[y])
    assert bits(by_class, X) == bits(by_row, X)


def test_missing_values_unseen_in_training_follow_the_majority():
    X = np.arange(100.0)[:, None]
    y = np.where(X[:, 0] < 70, 0.0, 1.0)
    model = HistGradientBoostingRegressor(max_iter=200, max_leaf_nodes=2).fit(X, y)
    assert model.predict([[np.nan]])[0] == model.predict([[0.0]])[0]


@pytest.mark.parametrize(
    "thresholds",
    [
        np.sort(np.random.default_rng(0).standard_normal(254)),
        np.exp(np.linspace(-700, 700, 254)),  # all but the last few in the first of equal buckets
        np.array([-1.7e308, -1.0, 0.0, 1.0, 1.7e308]),  # wider than the largest number
        np.array([0.0, 5e-324, 1e-323]),
        np.array([1e300, np.nextafter(1e300, np.inf)]),
        np.array([3.0]),
        np.array([]),
    ],
)
def test_codes_count_the_thresholds_below(thresholds):
    near = np.concatenate([thresholds, np.nextafter(thresholds, np.inf), np.nextafter(thresholds, -np.inf)])
    x = np.concatenate([near, [-np.inf, np.inf, -1e308, 1e308, 0.0, -0.0, 1e-300], np.linspace(-3, 3, 99)])
    codes = kernels.bin_codes(x[:, None], thresholds, np.array([0, len(thresholds)]))
    assert_array_equal(codes[:, 0], np.searchsorted(thresholds, x))


def test_infinities_are_ordinary_values():
    X = np.repeat([[-np.inf], [-1e308], [1e308], [np.inf]], 25, axis=0)
    y = np.repeat([0.0, 1.0, 2.0, 3.0], 25)
    model = HistGradientBoostingRegressor(max_iter=300, min_samples_leaf=5).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)


def test_constant_columns_and_constant_targets_need_no_cut():
    X = np.column_stack([np.ones(100), np.arange(100.0)])
    model = HistGradientBoostingRegressor(max_iter=5).fit(X, np.full(100, 0.1))
    assert (model._trees["feature"] == -1).all()
    assert_array_equal(model.predict(X), np.full(100, 0.1))
    model = HistGradientBoostingRegressor(max_iter=5).fit(X, np.arange(100.0))
    assert 0 not in model._trees["feature"]


def test_one_row():
    assert HistGradientBoostingRegressor().fit([[1.0]], [2.5]).predict([[7.0]])[0] == 2.5


def with_outlier(n, size, seed=0):
    """Targets of +-1 by the sign of the first feature; the row of the largest second feature has another."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    signal = np.where(X[:, 0] > 0, 1.0, -1.0)
    y = signal.copy()
    y[np.argmax(X[:, 1])] = size
    return X, y, signal


@pytest.mark.parametrize(("n", "size"), [(2000, 2.0**40), (60_000, 2.0**36)])
def test_an_outlier_does_not_round_the_rest_away(n, size):
    """The outlier stays the largest gradient, for its leaf holds 20 rows: +-1 is some units of the integers."""
    X, y, signal = with_outlier(n, size)
    model = HistGradientBoostingRegressor(max_iter=3, learning_rate=1.0, early_stopping=False).fit(X, y)
    away = X[:, 1] < np.quantile(X[:, 1], 0.9)
    assert np.mean(np.abs(model.predict(X)[away] - signal[away])) < 0.05


@pytest.mark.parametrize("weighted", [False, True])
def test_targets_that_swamp_the_rest_are_warned_of(weighted):
    weight = np.full(2000, 2.0) if weighted else None
    for size, warned in [(2.0**40, False), (2.0**44, True), (1e30, True), (1e300, True)]:
        X, y, _ = with_outlier(2000, size)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            HistGradientBoostingRegressor(max_iter=1).fit(X, y, weight)
        assert [w.category for w in seen] == [LossOfPrecisionWarning] * warned
        assert all("y: got a target" in str(w.message) and w.filename == __file__ for w in seen)


def test_rounding_about_a_constant_target_is_no_signal_to_swamp():
    X, y = np.arange(100.0)[:, None], np.full(100, 0.3)
    y[:60] = np.nextafter(0.3, 1)
    y[-1] = 1.0
    HistGradientBoostingRegressor(max_iter=1).fit(X, y)  # warnings are errors


@pytest.mark.parametrize("power", [-900, -400, -40, 40, 400, 900])
@pytest.mark.parametrize("rules", [{}, {"monotonic_cst": [1, 0, 0, 0, -1]}, {"weighted": True}])
def test_targets_times_a_power_of_two_give_the_same_trees(power, rules):
    """Same structure; values are multiplied exactly, gains by the square as far as doubles reach."""
    X, y = problem(500, 5)
    rules = dict(rules)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if rules.pop("weighted", False) else None
    model = model_for("regression", **rules).fit(X, y, weight)
    scaled = model_for("regression", **rules).fit(X, np.ldexp(y, power), weight)
    for name in ("feature", "threshold", "left", "right", "missing_left", "count", "offsets"):
        assert_array_equal(scaled._trees[name], model._trees[name])
    assert len(np.unique(model._trees["feature"])) > 3
    assert_array_equal(scaled._trees["value"], np.ldexp(model._trees["value"], power))
    with np.errstate(over="ignore"):
        gain = np.minimum(np.ldexp(model._trees["gain"], 2 * power), np.finfo(float).max)
    assert_array_equal(scaled._trees["gain"], gain)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "cauchy"}, "loss: got 'cauchy', expected one of 'squared_error'"),
        ({"quantile": 1.5}, "'quantile' parameter"),
        ({"loss": "quantile"}, "quantile: got None, expected a number for loss='quantile'"),
        ({"interaction_cst": [[0, 9]]}, r"\[0, n_features - 1\]"),
        ({"monotonic_cst": [1]}, "monotonic_cst has shape"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(parameters, message):
    X, y = problem(100, 4)
    with pytest.raises(ValueError, match=message):
        HistGradientBoostingRegressor(**parameters).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_targets_must_be_finite(bad):
    X, y = problem(100, 4)
    y[3] = bad
    with pytest.raises(ValueError, match="Input y contains"):
        HistGradientBoostingRegressor().fit(X, y)


def test_weights_must_not_be_negative_or_all_zero():
    X, y = problem(100, 4)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        HistGradientBoostingRegressor().fit(X, y, -np.ones(100))
    with pytest.raises(ValueError, match="zero"):
        HistGradientBoostingRegressor().fit(X, y, np.zeros(100))


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    X, y = problem(100, 4)
    model = model_for("regression").fit(X, y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="Input y contains"):
        model.fit(X[:, :2], np.full(100, np.nan))
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("kind", KINDS)
def test_pickle_and_model_file_keep_the_bits(kind, tmp_path):
    X, y = problem(300, 4, kind)
    model = model_for(kind, early_stopping=True).fit(X, y)
    assert bits(pickle.loads(pickle.dumps(model)), X) == bits(model, X)
    mlwright.save(model, tmp_path / "model.mlw")
    loaded = mlwright.load(tmp_path / "model.mlw")
    assert bits(loaded, X) == bits(model, X)
    assert_array_equal(loaded.train_score_, model.train_score_)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_watched_fit_reports_and_has_the_same_bits(early_stopping):
    X, y = problem(300, 4)
    model = model_for("regression", max_iter=20, early_stopping=early_stopping, random_state=0)
    unwatched = bits(model.fit(X, y), X)
    events = []
    with mlwright.watch_progress(events.append):
        assert bits(model.fit(X, y), X) == unwatched
    assert {event.stage for event in events} == {"boosting"}
    assert (events[-1].done, events[-1].total) == (20, 20) or early_stopping
    assert all(("validation_score" in event.values) == early_stopping for event in events)
