"""The search, its intervals and its refusals."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

import mlwright
from mlwright import ModelFormatError
from mlwright.tabular import TabularClassifier, TabularRegressor, permutation_importances
from mlwright.tabular._folds import shuffled_folds, stratified_folds
from mlwright.tabular._intervals import conformal_interval, residual_bins
from mlwright.tabular._metrics import classification_metrics, regression_metrics
from mlwright.tabular._search import STAGE, fold_interval


def table(n=240, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    group = rng.choice(["a", "b", "c"], n)
    noise = rng.normal(size=n)
    y = 3 * x + 2.0 * (group == "b") + 0.5 * rng.normal(size=n)
    x[::17] = np.nan
    return pl.DataFrame({"x": x, "group": group, "noise": noise}, nan_to_null=True), pl.Series("price", y)


# Folds


@given(codes=st.lists(st.integers(0, 3), min_size=2, max_size=60), n_folds=st.integers(2, 6), seed=st.integers(0, 9))
def test_folds_part_the_rows_and_the_classes(codes, n_folds, seed):
    codes = np.array(codes)
    for folds in (shuffled_folds(len(codes), n_folds, seed), stratified_folds(codes, n_folds, seed)):
        tested = np.sort(np.concatenate([test for _, test in folds]))
        assert tested.tolist() == list(range(len(codes)))
        sizes = [len(test) for _, test in folds]
        assert max(sizes) - min(sizes) <= 1
        assert all(len(train) + len(test) == len(codes) for train, test in folds)
    for label in np.unique(codes):
        counts = [(codes[test] == label).sum() for _, test in stratified_folds(codes, n_folds, seed)]
        assert max(counts) - min(counts) <= 1


# Intervals


@given(
    n=st.integers(25, 3000),
    coverage=st.sampled_from([0.5, 0.8, 0.9]),
    discrete=st.booleans(),
    seed=st.integers(0, 99),
)
def test_intervals_hold_their_share_of_the_residuals(n, coverage, discrete, seed):
    rng = np.random.default_rng(seed)
    predictions = np.round(rng.normal(size=n)) if discrete else rng.normal(size=n)
    residuals = rng.normal(size=n) * (1 + np.abs(predictions))
    bins = residual_bins(predictions, residuals)
    edges, ends, ordered, _ = bins
    assert ends[-1] == n == len(ordered)
    assert len(edges) == len(ends) - 1
    assert (np.diff(ends, prepend=0) >= min(n, 200)).all()
    low, high = conformal_interval(predictions, coverage, *bins)
    inside = ((low <= predictions + residuals) & (predictions + residuals <= high)).mean()
    assert coverage - 1e-9 <= inside <= coverage + 4.0 * len(ends) / n


def test_intervals_follow_the_size_of_the_error():
    rng = np.random.default_rng(0)
    predictions = rng.uniform(0, 10, 8000)
    residuals = rng.normal(size=8000) * (0.1 + predictions)
    low, high = conformal_interval(np.array([0.5, 9.5]), 0.9, *residual_bins(predictions, residuals))
    width = high - low
    assert 8 < width[1] / width[0] < 30


def test_too_few_rows_for_the_coverage():
    bins = residual_bins(np.arange(20.0), np.arange(20.0))
    with pytest.raises(ValueError, match=r"got 0\.99, for which errors of at least 199 rows .* 20 are there; ask for"):
        conformal_interval(np.zeros(1), 0.99, *bins)


def test_fold_interval_is_the_corrected_t_interval():
    scores = [0.8, 0.82, 0.79, 0.85, 0.81]
    mean, low, high = fold_interval(scores, 0.25)
    half = 2.7764451051977987 * np.sqrt((0.2 + 0.25) * np.var(scores, ddof=1))  # t(0.975, 4)
    assert (mean, high - mean, mean - low) == pytest.approx((0.814, half, half), rel=1e-12)


# Metrics


def test_metrics_of_perfect_and_naive_predictions():
    y = np.array([1.0, 2.0, 6.0])
    assert regression_metrics(y, y) == {"r2": 1.0, "rmse": 0.0, "mae": 0.0}
    assert regression_metrics(y, np.full(3, 3.0))["r2"] == pytest.approx(0.0)
    codes = np.array([0, 1, 2, 1])
    perfect = classification_metrics(codes, np.eye(3)[codes])
    assert perfect == {"log_loss": 0.0, "auc": 1.0, "accuracy": 1.0, "brier": 0.0}
    naive = classification_metrics(codes, np.full((4, 3), 1 / 3))
    assert naive["log_loss"] == pytest.approx(np.log(3))
    assert naive["auc"] == 0.5
    assert naive["brier"] == pytest.approx(2 / 3)


# The estimators


def test_regression_finds_the_signal_and_says_where_it_is():
    X, y = table()
    test_X, test_y = table(seed=1)
    model = TabularRegressor().fit(X, y)
    assert model.target_name_ == "price"
    assert [row["complete"] for row in model.leaderboard_] == [True] * 5
    assert model.leaderboard_[-1]["name"] == "baseline"
    assert model.best_ in ("linear", "bayesian")
    assert model.evaluate(test_X, test_y)["r2"] > 0.7
    importances = permutation_importances(model, test_X, test_y)
    assert importances["x"].mean() > importances["group"].mean() > 0.02 > importances["noise"].mean()
    low, high = model.predict_interval(test_X, 0.8).T
    assert 0.7 < ((low <= test_y.to_numpy()) & (test_y.to_numpy() <= high)).mean() < 0.9


def test_classification_with_words_for_classes():
    X, y = table()
    labels = pl.Series("size", np.where(y > 1, "large", np.where(y > -1, "middle", "small")))
    model = TabularClassifier(candidates=["linear", "boosted"], cv=3).fit(X, labels)
    assert model.classes_.tolist() == ["large", "middle", "small"]
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-9)
    assert set(model.predict(X)) <= set(model.classes_)
    assert model.evaluate(X, labels)["auc"] > 0.9


def test_same_seed_same_bits_whatever_library():
    X, y = table(100)
    a = TabularRegressor(cv=3).fit(X, y)
    b = TabularRegressor(cv=3).fit(X.to_pandas(), y.to_numpy())
    c = TabularRegressor(cv=3).fit(X.to_arrow(), y.to_list())
    assert a.predict(X).tobytes() == b.predict(X.to_pandas()).tobytes() == c.predict(X).tobytes()
    order = np.random.default_rng(0).permutation(len(y))
    frame = X.to_pandas().set_index(pd.Index(order))
    shuffled = permutation_importances(b, frame, y.to_numpy())
    expected = permutation_importances(a, X, y)
    assert all(np.array_equal(shuffled[name], expected[name]) for name in expected)


def test_noise_is_left_to_the_baseline():
    rng = np.random.default_rng(0)
    model = TabularRegressor(candidates=["boosted"]).fit(rng.normal(size=(60, 3)), rng.normal(size=60))
    assert model.best_ == "baseline"


def test_a_time_limit_leaves_out_what_cannot_end():
    X, y = table()
    model = TabularRegressor(time_limit=1e-6).fit(X, y)
    complete = {row["name"]: row["complete"] for row in model.leaderboard_}
    assert complete == {"linear": True, "baseline": True, "bayesian": False, "boosted": False, "boosted_deep": False}
    assert model.best_ == "linear"
    model._validate_state()


def test_a_model_is_saved_with_candidates_that_ended_after_one_fold(monkeypatch, tmp_path):
    monkeypatch.setattr("mlwright.tabular._search._too_late", lambda start, n_done, n_folds, deadline: n_done == 1)
    X, y = table()
    model = TabularRegressor().fit(X, y)
    assert [row["complete"] for row in model.leaderboard_] == [True, True, False, False, False]
    assert np.isinf(model.leaderboard_[-1]["metrics"]["r2"][1:]).all()
    mlwright.save(model, tmp_path / "model.mlw")
    loaded = mlwright.load(tmp_path / "model.mlw")
    assert loaded.leaderboard_[-1]["metrics"]["r2"].tolist() == model.leaderboard_[-1]["metrics"]["r2"].tolist()
    for wrong in ([np.nan, 0.0, 1.0], [0.5, 0.6, 1.0], [np.inf, -np.inf, np.inf]):
        model.leaderboard_[-1]["metrics"]["r2"] = np.array(wrong)
        with pytest.raises(ModelFormatError, match="not a number within its interval"):
            model._validate_state()


def test_progress_comes_to_its_end():
    X, y = table(60)
    events = []
    with mlwright.watch_progress(events.append):
        TabularRegressor(candidates=["linear"], cv=3).fit(X, y)
    ours = [event for event in events if event.stage.startswith(STAGE)]
    assert ours[0].stage == "cross-validating: Mean of the target"
    assert (ours[-1].done, ours[-1].total) == (6, 6)


@pytest.mark.parametrize(
    ("cls", "y", "message"),
    [
        (TabularRegressor, ["a"] * 60, "target of TabularRegressor must be numbers"),
        (TabularRegressor, [1.0] * 59 + [np.nan], "y contains NaN or infinity; leave these rows out"),
        (TabularClassifier, ["a"] * 60, "needs at least two classes, got 1 class: 'a'"),
        (TabularClassifier, ["a"] * 59 + ["b"], "at least two rows of either class .* got one of 'b'"),
        (TabularClassifier, ["a"] * 59 + [None], "y contains NaN or None; leave these rows out"),
        (TabularClassifier, pd.array(["a", None] * 30, dtype="string"), "y contains NaN or None; leave these rows out"),
        (TabularRegressor, pd.date_range("2024-01-01", periods=60), "target of TabularRegressor must be numbers"),
        (TabularClassifier, ["a", "b"], "inconsistent numbers of samples"),
    ],
)
def test_bad_targets(cls, y, message):
    with pytest.raises(ValueError, match=message):
        cls().fit(table(60)[0], y)


def test_bad_requests():
    X, y = table(60)
    with pytest.raises(ValueError, match="candidates of TabularRegressor: got 'forest'; expected some of baseline"):
        TabularRegressor(candidates=["forest"]).fit(X, y)
    model = TabularRegressor(candidates=["linear"]).fit(X, y)
    with pytest.raises(ValueError, match="coverage: got 90, expected a number between 0 and 1, exclusive"):
        model.predict_interval(X, 90)
    with pytest.raises(ValueError, match=r"lacks 1 of the columns .* 'group'"):
        model.predict(X.drop("group"))
    classifier = TabularClassifier(candidates=["linear"]).fit(X, y > 0)
    with pytest.raises(ValueError, match="classes that TabularClassifier was not fitted on: 'x'"):
        classifier.evaluate(X, ["x"] * 60)


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
def test_a_fit_that_fails_changes_nothing(cls):
    X, y = table(60)
    model = cls(candidates=["linear"], cv=2).fit(X, (y > 0).cast(int))
    before = pickle.dumps(vars(model))
    other = X.rename({"noise": "more"})
    with pytest.raises(ValueError, match="infinity"):
        model.fit(other.with_columns(more=pl.lit(float("inf"))), (y > 0).cast(int))
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(other, [0, 1])
    assert pickle.dumps(vars(model)) == before


def test_state_from_a_file_is_checked():
    X, y = table(60)
    model = TabularRegressor(candidates=["linear"]).fit(X, y)
    model._validate_state()
    for attribute, value in [
        ("interval_ends_", np.array([70])),
        ("interval_edges_", np.array([2.0, 1.0])),
        ("n_features_in_", 7),
        ("best_", "boosted"),
    ]:
        kept = getattr(model, attribute)
        setattr(model, attribute, value)
        with pytest.raises(ModelFormatError, match="TabularRegressor"):
            model._validate_state()
        setattr(model, attribute, kept)


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
def test_evaluating_before_fitting(cls):
    with pytest.raises(NotFittedError, match=f"This {cls.__name__} instance is not fitted yet"):
        cls().evaluate(*table())
