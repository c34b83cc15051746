"""What a caller of fit watches and decides (metrics, callback, time limit), and going on with new rows."""

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss, mean_absolute_error
from sklearn.model_selection import GridSearchCV

import mlwright
from mlwright.ensemble import (
    BoostingIteration,
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)
from mlwright.model_selection import SharedSearchCV

SMALL = {"max_iter": 8, "min_samples_leaf": 3, "max_leaf_nodes": 6, "early_stopping": False, "random_state": 0}
KINDS = ("regression", "binary", "multiclass")


def problem(kind="regression", n=300, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random((n, p)) < 0.1] = np.nan
    f = np.nan_to_num(X[:, 0]) + np.sin(2 * np.nan_to_num(X[:, 1])) + 0.3 * rng.normal(size=n)
    return X, f if kind == "regression" else np.digitize(f, [0.0] if kind == "binary" else [-0.7, 0.7])


def model_for(kind, **parameters):
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return cls(**{**SMALL, **parameters})


def bits(model, X):
    return model._raw_predict(X).tobytes(), *(a.tobytes() for a in model._trees.values())


# Metrics


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_recorded_for_every_stage_and_change_nothing(kind):
    X, y = problem(kind)
    metric = "neg_mean_absolute_error" if kind == "regression" else "neg_log_loss"
    plain = model_for(kind).fit(X[:200], y[:200])
    model = model_for(kind).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:], eval_metric=metric)
    assert bits(model, X) == bits(plain, X)
    assert list(model.scores_) == [metric]
    if kind == "regression":
        stages = [-mean_absolute_error(y[200:], stage) for stage in model.staged_predict(X[200:])]
    else:
        stages = [-log_loss(y[200:], stage) for stage in model.staged_predict_proba(X[200:])]
    assert_allclose(model.scores_[metric][1:], stages, rtol=1e-12)
    assert len(model.scores_[metric]) == model.n_iter_ + 1
    assert not hasattr(model.fit(X, y), "scores_")


def test_metrics_of_the_users_own():
    X, y = problem()

    def best_row(estimator, X, y):
        return -np.min((estimator.predict(X) - y) ** 2)

    model = model_for("regression").fit(X, y, np.ones(len(y)), eval_metric=[best_row, "r2"])
    assert list(model.scores_) == ["best_row", "r2"]
    named = model_for("regression").fit(X, y, eval_metric={"mine": best_row})
    assert_array_equal(named.scores_["mine"], model.scores_["best_row"])


def test_metrics_beside_early_stopping_survive_a_model_file(tmp_path):
    X, y = problem()
    model = model_for("regression", early_stopping=True).fit(X, y, eval_metric="r2")
    assert len(model.scores_["r2"]) == len(model.validation_score_)
    mlwright.save(model, tmp_path / "model.mlw")
    loaded = mlwright.load(tmp_path / "model.mlw")
    assert_array_equal(loaded.scores_["r2"], model.scores_["r2"])
    assert bits(pickle.loads(pickle.dumps(model)), X) == bits(loaded, X)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"eval_metric": "beauty"}, ValueError, "beauty"),
        ({"eval_metric": 3}, ValueError, "eval_metric: got 3"),
        ({"eval_metric": ["r2", "r2"]}, ValueError, "no name twice"),
        ({"eval_metric": {"a": 1}}, ValueError, "eval_metric: got 'a': 1"),
        ({"callback": "loud"}, ValueError, "callback: got 'loud'"),
        ({"callback": lambda iteration: "yes"}, TypeError, "callback: returned 'yes'"),
        ({"max_time": 0}, ValueError, "max_time: got 0"),
        ({"max_time": -1.0}, ValueError, "max_time: got -1.0"),
        ({"max_time": float("nan")}, ValueError, "max_time: got nan"),
        ({"max_time": "1"}, ValueError, "max_time: got '1'"),
        ({"max_time": True}, ValueError, "max_time: got True"),
    ],
)
def test_bad_controls_are_refused_and_leave_the_model_alone(arguments, error, message):
    X, y = problem()
    model = model_for("regression").fit(X, y)
    before = pickle.dumps(model)
    with pytest.raises(error, match=message):
        model.fit(X[:100], y[:100], **arguments)
    assert pickle.dumps(model) == before


# Callback and time limit


@pytest.mark.parametrize("kind", KINDS)
def test_a_callback_sees_every_iteration_and_may_stop(kind):
    X, y = problem(kind)
    seen = []

    def callback(iteration):
        assert isinstance(iteration, BoostingIteration)
        seen.append((iteration.n_iter, bits(iteration.model(), X), iteration.seconds))
        return iteration.n_iter == 5

    model = model_for(kind).fit(X, y, callback=callback)
    assert model.n_iter_ == 5
    assert [n for n, *_ in seen] == [1, 2, 3, 4, 5]
    assert [s for *_, s in seen] == sorted(s for *_, s in seen)
    for n, stage, _ in seen:
        assert stage == bits(model_for(kind, max_iter=n).fit(X, y), X)


def test_a_callback_is_told_the_scores():
    X, y = problem()
    newest = []
    model = model_for("regression", early_stopping=True, n_iter_no_change=100)
    model.fit(X, y, eval_metric="r2", callback=lambda iteration: newest.append(dict(iteration.scores)))
    assert_array_equal([scores["validation_score"] for scores in newest], model.validation_score_[1:])
    assert_array_equal([scores["r2"] for scores in newest], model.scores_["r2"][1:])


def test_what_a_callback_raises_ends_the_fit_and_leaves_the_model_alone():
    X, y = problem()
    model = model_for("regression").fit(X, y)
    before = pickle.dumps(model)

    def callback(iteration):
        if iteration.n_iter == 3:
            raise ZeroDivisionError("enough")

    with pytest.raises(ZeroDivisionError, match="enough"):
        model.fit(X[:50], y[:50], callback=callback)
    assert pickle.dumps(model) == before


@pytest.mark.alone
def test_a_time_limit_stops_after_an_iteration():
    X, y = problem(n=2000)
    begun = time.monotonic()
    model = model_for("regression", max_iter=1_000_000).fit(X, y, max_time=0.3)
    assert time.monotonic() - begun < 3
    assert 1 <= model.n_iter_ < 1_000_000
    assert model_for("regression").fit(X, y, max_time=1e-9).n_iter_ == 1
    assert bits(model_for("regression").fit(X, y, max_time=1e9), X) == bits(model_for("regression").fit(X, y), X)


def test_a_search_with_a_callback_fits_each_candidate():
    X, y = problem()
    grid = {"max_iter": [2, 4]}
    calls = []
    arguments = {"callback": lambda iteration: calls.append(iteration.n_iter)}
    ours = SharedSearchCV(model_for("regression"), grid, cv=2, refit=False, n_jobs=1).fit(X, y, **arguments)
    assert len(calls) == 2 * (2 + 4)
    theirs = GridSearchCV(model_for("regression"), grid, cv=2, refit=False).fit(X, y)
    assert_array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


# Integer weights


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rules", [{}, {"l1_regularization": 0.1, "l2_regularization": 1.0}, {"max_bins": 9}])
def test_integer_weights_give_the_bits_of_repeated_rows(kind, rules):
    X, y = problem(kind)
    rng = np.random.default_rng(1)
    weight = rng.integers(0, 5, len(y))
    repeated = rng.permutation(np.repeat(np.arange(len(y)), weight))
    a = model_for(kind, max_iter=30, **rules).fit(X, y, weight.astype(float))
    b = model_for(kind, max_iter=30, **rules).fit(X[repeated], y[repeated])
    assert bits(a, X) == bits(b, X)


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.integers(2, 40))
@settings(max_examples=25, deadline=None)
def test_any_integer_weights_give_the_bits_of_repeated_rows(seed, kind, n):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (n, 2)).astype(float)
    X[rng.random(X.shape) < 0.2] = np.nan
    y = np.ldexp(rng.normal(size=n), rng.integers(-15, 15, n)) if kind == "regression" else rng.integers(0, 3, n)
    if kind != "regression":
        y[:2] = [0, 1]
        y = np.minimum(y, 1) if kind == "binary" else y
    weight = rng.integers(1, 1000 if n < 5 else 5, n)
    repeated = np.repeat(np.arange(n), weight)
    parameters = {"min_samples_leaf": 1, "max_iter": 5}
    with np.errstate(all="ignore"):
        a = model_for(kind, **parameters).fit(X, y, weight.astype(float))
        b = model_for(kind, **parameters).fit(X[repeated], y[repeated])
    assert bits(a, X) == bits(b, X)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_any_order_give_the_same_bits(kind):
    X, y = problem(kind)
    order = np.random.default_rng(0).permutation(len(y))
    weight = np.random.default_rng(1).integers(1, 4, len(y)).astype(float)
    a = model_for(kind, max_iter=30).fit(X, y, weight)
    assert bits(a, X) == bits(model_for(kind, max_iter=30).fit(X[order], y[order], weight[order]), X)


# Constraints


def _monotone_violations(model, X, feature, direction):
    """Steps in the wrong direction when one feature rises through all its thresholds and their neighbours."""
    trees = model._trees
    cuts = np.unique(trees["threshold"][trees["feature"] == feature])
    cuts = cuts[np.isfinite(cuts)]
    values = np.unique(np.concatenate([cuts, np.nextafter(cuts, np.inf), [-np.inf, np.inf]]))
    rows = np.repeat(X, len(values), axis=0)
    rows[:, feature] = np.tile(values, len(X))
    steps = np.diff(model._raw_predict(rows)[0].reshape(len(X), len(values)), axis=1)
    return np.count_nonzero(steps * direction < 0)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_monotonic_constraints_cannot_be_broken(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    kind = data.draw(st.sampled_from(("regression", "binary")))
    n = data.draw(st.integers(10, 120))
    X = rng.normal(size=(n, 3))
    if data.draw(st.booleans()):
        X = np.round(X)
    X[rng.random(X.shape) < data.draw(st.sampled_from((0.0, 0.3)))] = np.nan
    y = -3 * np.nan_to_num(X[:, 0]) + rng.normal(size=n)  # against what is asked for
    if kind == "binary":
        y = (y > 0).astype(int)
        y[:2] = [0, 1]
    else:
        y = y * data.draw(st.sampled_from((1.0, 1e-12, 1e12))) + data.draw(st.sampled_from((0.0, 1e6)))
    directions = [data.draw(st.sampled_from((1, -1))), data.draw(st.sampled_from((-1, 0, 1))), 0]
    parameters = {
        "monotonic_cst": directions,
        "max_iter": data.draw(st.integers(1, 12)),
        "max_leaf_nodes": data.draw(st.sampled_from((None, 3, 15))),
        "min_samples_leaf": data.draw(st.integers(1, 5)),
        "l2_regularization": data.draw(st.sampled_from((0.0, 1.0))),
        "l1_regularization": data.draw(st.sampled_from((0.0, 0.5))),
        "learning_rate": data.draw(st.sampled_from((0.1, 1.0, 0.3))),
        "max_features": data.draw(st.sampled_from((1.0, 0.5))),
        "subsample": data.draw(st.sampled_from((1.0, 0.6))),
        "extra_trees": data.draw(st.booleans()),
    }
    weight = data.draw(st.sampled_from((None, rng.integers(1, 4, n).astype(float), rng.uniform(0.1, 3, n))))
    model = model_for(kind, **parameters).fit(X, y, weight)
    after = data.draw(st.sampled_from(("fit", "warm_start", "partial_fit", "refit_leaves")))
    if after == "warm_start":
        model.set_params(warm_start=True, max_iter=parameters["max_iter"] + 3).fit(X, y, weight)
    elif after == "partial_fit":
        model.partial_fit(X[: n // 2], y[: n // 2], n_iter=3)
    elif after == "refit_leaves":
        model.refit_leaves(X[: n // 3 + 1], y[::-1][: n // 3 + 1], decay=data.draw(st.sampled_from((0.0, 0.5, 0.9))))
    for feature, direction in enumerate(directions):
        if direction:
            assert _monotone_violations(model, X[:20], feature, direction) == 0


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_interaction_constraints_cannot_be_broken(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    X, y = problem(data.draw(st.sampled_from(KINDS)), n=150, p=5, seed=seed)
    groups = data.draw(
        st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True), min_size=1, max_size=4)
    )
    kind = "regression" if y.dtype == float else "multiclass"
    model = model_for(kind, interaction_cst=groups, max_iter=4, max_leaf_nodes=15).fit(X, y)
    rest = set(range(5)).difference(*groups)
    allowed = [set(group) for group in groups] + ([rest] if rest else [])
    trees = model._trees
    for begin, end in zip(trees["offsets"][:-1], trees["offsets"][1:], strict=True):
        met = {0: frozenset()}
        for node in range(end - begin):
            feature = int(trees["feature"][begin + node])
            if feature < 0:
                assert any(met[node] <= group for group in allowed)
                continue
            for side in ("left", "right"):
                met[int(trees[side][begin + node])] = met[node] | {feature}


# Going on


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_on_the_same_rows_is_a_warm_start(kind):
    X, y = problem(kind)
    at_once = model_for(kind, max_iter=12).fit(X, y)
    assert bits(model_for(kind, max_iter=5).fit(X, y).partial_fit(X, y, n_iter=7), X) == bits(at_once, X)
    assert bits(model_for(kind, max_iter=12).partial_fit(X, y), X) == bits(at_once, X)


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_learns_from_new_rows(kind):
    X, y = problem(kind, n=1000)
    model = model_for(kind, max_iter=20).fit(X[:100], y[:100])
    before = model.score(X[700:], y[700:])
    trees = len(model._trees["offsets"])
    for begin in range(100, 700, 200):
        model.partial_fit(X[begin : begin + 200], y[begin : begin + 200])
    assert len(model._trees["offsets"]) - 1 == 4 * (trees - 1)
    assert model.score(X[700:], y[700:]) > before


def test_partial_fit_knows_classes_beforehand():
    X, y = problem("multiclass")
    few = y < 2
    model = model_for("multiclass", l2_regularization=5.0).partial_fit(X[few], y[few], classes=[0, 1, 2])
    assert_array_equal(model.classes_, [0, 1, 2])
    model.partial_fit(X, y, n_iter=30)
    assert set(model.predict(X)) == {0, 1, 2}
    assert model.score(X, y) > 0.8
    one = model_for("binary").partial_fit(X[:50], np.zeros(50), classes=[0, 1])
    assert one.predict_proba(X)[:, 1].max() < 0.1
    letters = np.array(["a", "b", "c"])
    assert set(model_for("multiclass").partial_fit(X, letters[y]).partial_fit(X, letters[y]).predict(X)) == set(letters)


@pytest.mark.parametrize("method", ["partial_fit", "refit_leaves"])
def test_further_rows_are_refused_if_they_do_not_fit(method):
    X, y = problem("multiclass")
    model = model_for("multiclass").fit(X, y)
    go_on, before = getattr(model, method), pickle.dumps(model)
    cases = [
        ((X[:, :2], y), "features"),
        ((X, y + 1), "y: got classes that the model does not have"),
        ((X[:5], y), "inconsistent numbers of samples"),
        ((X, y, -np.ones(len(y))), "[Nn]egative"),
        ((X, y, np.zeros(len(y))), "all weights are zero|at least one non-zero"),
        ((X[:0], y[:0]), "0 sample|0 feature"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            go_on(*arguments)
        assert pickle.dumps(model) == before


def test_bad_settings_of_going_on():
    X, y = problem("binary")
    model = model_for("binary").fit(X, y)
    for n_iter in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="n_iter: got"):
            model.partial_fit(X, y, n_iter=n_iter)
    for decay in (-0.1, 1.1, "1", None, float("nan"), True):
        with pytest.raises(ValueError, match="decay: got"):
            model.refit_leaves(X, y, decay=decay)
    with pytest.raises(ValueError, match="classes: got"):
        model.partial_fit(X, y, classes=[0, 2])
    with pytest.raises(ValueError, match="classes: got some for a regressor"):
        model_for("regression").partial_fit(X, y.astype(float), classes=[0, 1])
    with pytest.raises(ValueError, match="class_weight='balanced'"):
        model.set_params(class_weight="balanced").partial_fit(X, y)
    with pytest.raises(ValueError, match="not fitted"):
        model_for("binary").refit_leaves(X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_refitting_on_the_same_rows_changes_nothing(kind):
    X, y = problem(kind)
    for weight in (None, np.random.default_rng(0).uniform(0.5, 2, len(y))):
        model = model_for(kind, l2_regularization=0.5).fit(X, y, weight)
        before = model._trees["value"].copy()
        assert_array_equal(model.refit_leaves(X, y, weight, decay=0.0)._trees["value"], before)
        assert_array_equal(model.refit_leaves(X, y[::-1], decay=1.0)._trees["value"], before)


@pytest.mark.parametrize("kind", KINDS)
def test_refitted_leaves_follow_new_rows(kind):
    X, y = problem(kind)
    changed = 1 - y if kind == "binary" else (2 - y if kind == "multiclass" else -y)
    model = model_for(kind, max_iter=30).fit(X, y)
    structure = {name: array.copy() for name, array in model._trees.items() if name != "value"}
    before = model.score(X, changed)
    model.refit_leaves(X, changed, decay=0.2)
    assert model.score(X, changed) > before
    for name, array in structure.items():
        assert_array_equal(model._trees[name], array)
    assert bits(pickle.loads(pickle.dumps(model)), X) == bits(model, X)
    same = pickle.loads(pickle.dumps(model)).refit_leaves(X, y)
    for n_threads in (1, 3):
        try:
            mlwright.set_num_threads(n_threads)
            assert bits(pickle.loads(pickle.dumps(model)).refit_leaves(X, y), X) == bits(same, X)
        finally:
            mlwright.set_num_threads(None)


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_with_sparse_rows_is_going_on_with_dense_ones(kind):
    from scipy import sparse

    X, y = problem(kind)
    X = np.where(np.abs(np.nan_to_num(X)) < 0.5, 0.0, np.nan_to_num(X))
    model = model_for(kind).fit(X, y)
    dense, other = pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(model))
    dense.partial_fit(X[:200], y[:200]).refit_leaves(X, y)
    other.partial_fit(sparse.csr_array(X[:200]), y[:200]).refit_leaves(sparse.csc_array(X), y)
    assert bits(other, X) == bits(dense, X)


def test_a_cut_that_is_refused_is_never_taken_however_bad_the_node():
    """Bounds far from a node's best value make its own gain very negative; a refused cut must not beat that."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = (-3 * X[:, 0] + rng.normal(size=100) > 0).astype(int)
    parameters = {"max_leaf_nodes": None, "min_samples_leaf": 1, "learning_rate": 1.0, "max_iter": 8}
    model = model_for("binary", monotonic_cst=[1, -1, 0], **parameters).fit(X, y)
    assert (model._trees["count"] > 0).all()


@pytest.mark.parametrize("n_levels", [5, 400])
def test_going_on_with_categories(n_levels):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, n_levels, 2000).astype(float), rng.normal(size=2000)])
    y = np.sin(X[:, 0]) + 0.1 * X[:, 1]
    model = model_for("regression", categorical_features=[0], max_iter=20).fit(X[:1000], y[:1000])
    before = model.score(X, y)
    assert model.partial_fit(X[1000:], y[1000:]).score(X, y) > before
    before = model.score(X, -y)
    assert model.refit_leaves(X, -y, decay=0.5).score(X, -y) > before


@pytest.mark.parametrize("cls", [HistGradientBoostingQuantileRegressor, HistGradientBoostingDistributionRegressor])
def test_models_of_several_numbers_a_leaf(cls):
    X, y = problem()
    model = cls(**SMALL).fit(X, y)
    longer = cls(**{**SMALL, "max_iter": 12}).fit(X, y)
    assert bits(model.partial_fit(X, y, n_iter=4), X) == bits(longer, X)
    with pytest.raises(ValueError, match="refit_leaves: got a HistGradientBoosting"):
        model.refit_leaves(X, y)


@pytest.mark.parametrize("method", ["partial_fit", "refit_leaves"])
def test_intervals_ask_for_new_residuals_once_the_model_has_gone_on(method):
    X, y = problem()
    model = model_for("regression", early_stopping=True).fit(X, y)
    assert model.predict_interval(X).shape == (len(y), 2)
    getattr(model, method)(X, y)
    with pytest.raises(ValueError, match="calibrate_interval"):
        model.predict_interval(X)
