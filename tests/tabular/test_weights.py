"""A weight is a repetition through the whole search; a row of weight 0 is no row, to the bit."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.model_selection import KFold, PredefinedSplit, ShuffleSplit
from sklearn.utils.validation import has_fit_parameter

import mlwright
from mlwright.tabular import IRLSClassifier, TabularClassifier, TabularRegressor
from mlwright.tabular._candidates import classification_candidates, regression_candidates
from mlwright.tabular._intervals import conformal_interval, conformal_sets, residual_bins, sorted_errors
from mlwright.tabular._metrics import classification_metrics, regression_metrics
from mlwright.tabular._models import BayesianRidge

N = 240
RNG = np.random.default_rng(0)
WEIGHT = RNG.integers(0, 4, N).astype(float)
FOLD = RNG.integers(0, 3, N)
REPEATED = np.random.default_rng(1).permutation(np.repeat(np.arange(N), WEIGHT.astype(int)))
QUICK = ["linear", "bayesian"]  # what sets rows aside to stop early draws them by their numbers


def table():
    rng = np.random.default_rng(2)
    x, group = rng.normal(size=N), rng.choice(["a", "b", "c"], N)
    y = 2 * x + (group == "b") + 0.7 * rng.normal(size=N)
    x[::17] = np.nan
    return pl.DataFrame({"x": x, "group": group}, nan_to_null=True), y


def target_of(cls, y):
    return y if cls is TabularRegressor else np.array(["low", "middle", "high"])[np.digitize(y, [-1, 1])]


def answers(model, X):
    if isinstance(model, TabularRegressor):
        return [model.predict(X), model.predict_interval(X, 0.8)]
    return [model.predict_proba(X), model.predict_set(X, 0.8)]


def leaderboard(model):
    return {row["name"]: np.concatenate([row["fold_scores"], *row["metrics"].values()]) for row in model.leaderboard_}


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
def test_a_weight_is_a_repetition_on_the_same_folds(cls):
    X, y = table()
    y = target_of(cls, y)
    weighted = cls(candidates=QUICK, cv=PredefinedSplit(FOLD)).fit(X, y, sample_weight=WEIGHT)
    repeated = cls(candidates=QUICK, cv=PredefinedSplit(FOLD[REPEATED])).fit(X[REPEATED.tolist()], y[REPEATED])
    for ours, theirs in zip(answers(weighted, X), answers(repeated, X), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    theirs = leaderboard(repeated)
    for name, ours in leaderboard(weighted).items():
        np.testing.assert_allclose(ours[: len(np.unique(FOLD))], theirs[name][: len(np.unique(FOLD))], rtol=1e-5)
    of_all = weighted.evaluate(X, y, sample_weight=WEIGHT)
    assert of_all == pytest.approx(repeated.evaluate(X[REPEATED.tolist()], y[REPEATED]), rel=1e-5)
    unweighted = cls(candidates=QUICK, cv=PredefinedSplit(FOLD)).fit(X, y)
    assert np.abs(answers(unweighted, X)[0] - answers(weighted, X)[0]).max() > 1e-3


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
@pytest.mark.parametrize("library", ["polars", "pandas", "numpy"])
def test_a_row_of_weight_zero_is_no_row(cls, library):
    """With all candidates and folds of the search's own: folds are dealt to rows that weigh something."""
    X, y = table()
    y = target_of(cls, y)
    convert = {"polars": lambda X: X, "pandas": pl.DataFrame.to_pandas, "numpy": lambda X: X.select("x").to_numpy()}
    kept = np.flatnonzero(WEIGHT).tolist()
    with_zeros = cls(cv=2).fit(convert[library](X), y, WEIGHT)
    without = cls(cv=2).fit(convert[library](X[kept]), y[kept], WEIGHT[kept])
    assert with_zeros.n_rows_ == len(kept)
    for ours, theirs in zip(
        answers(with_zeros, convert[library](X)), answers(without, convert[library](X)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
def test_weights_of_one_are_none(cls):
    X, y = table()
    y = target_of(cls, y)
    with config_context(enable_metadata_routing=True):
        ones = cls(candidates=["linear"]).fit(X, y, sample_weight=np.ones(N))
        halves = cls(candidates=["linear"]).fit(X, y, sample_weight=np.full(N, 0.5))
    none = cls(candidates=["linear"]).fit(X, y)
    np.testing.assert_array_equal(answers(ones, X)[0], answers(none, X)[0])
    assert np.isfinite(answers(halves, X)[1]).all()


def test_every_candidate_takes_weights():
    for candidates in (regression_candidates(0), classification_candidates(0)):
        for candidate in candidates.values():
            for _, step in candidate.pipeline.steps:
                assert has_fit_parameter(step, "sample_weight"), (candidate.name, step)


@given(seed=st.integers(0, 99), n=st.integers(30, 1500))
def test_intervals_and_sets_repeat(seed, n):
    rng = np.random.default_rng(seed)
    predictions, residuals = rng.normal(size=n).round(2), rng.normal(size=n)
    weight = rng.integers(1, 4, n)
    at = np.repeat(np.arange(n), weight)
    new = rng.normal(size=20)
    ours = conformal_interval(new, 0.8, *residual_bins(predictions, residuals, weight.astype(float)))
    theirs = conformal_interval(new, 0.8, *residual_bins(predictions[at], residuals[at]))
    np.testing.assert_array_equal(ours, theirs)
    p = rng.dirichlet(np.ones(3), size=20)
    errors = rng.uniform(size=n)
    ours = conformal_sets(p, 0.8, *sorted_errors(errors, weight.astype(float)))
    np.testing.assert_array_equal(ours, conformal_sets(p, 0.8, *sorted_errors(errors[at], None)))


def test_weights_of_any_unit_ask_for_as_many_rows():
    """Weights that count nothing, such as inverse probabilities, mean the same in another unit."""
    rng = np.random.default_rng(0)
    residuals, weight = rng.normal(size=50), rng.uniform(size=50)
    ours = conformal_interval(np.zeros(1), 0.9, *residual_bins(np.zeros(50), residuals, weight))
    np.testing.assert_array_equal(
        ours, conformal_interval(np.zeros(1), 0.9, *residual_bins(np.zeros(50), residuals, weight * 1e-6))
    )


def test_metrics_repeat():
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 5, 60)
    at = np.repeat(np.arange(60), weight)
    y, predictions = rng.normal(size=60), rng.normal(size=60)
    assert regression_metrics(y, predictions, weight) == pytest.approx(regression_metrics(y[at], predictions[at]))
    codes, p = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), size=60)
    assert classification_metrics(codes, p, weight) == pytest.approx(classification_metrics(codes[at], p[at]))


@pytest.mark.parametrize("regressor", [None, BayesianRidge()])
def test_irls_repeats_and_leaves_out_classes_that_weigh_nothing(regressor):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    weight = rng.integers(0, 4, 80) * (y < 2)
    at = np.repeat(np.arange(80), weight)
    ours = IRLSClassifier(regressor, tol=0.0).fit(X, y, sample_weight=weight)
    theirs = IRLSClassifier(regressor, tol=0.0).fit(X[at], y[at])
    assert ours.classes_.tolist() == [0, 1]
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("cls", [TabularRegressor, TabularClassifier])
def test_weights_are_in_the_file(cls, tmp_path):
    X, y = table()
    model = cls(candidates=["linear"]).fit(X, target_of(cls, y), WEIGHT)
    mlwright.save(model, tmp_path / "model.mlw")
    for ours, theirs in zip(answers(mlwright.load(tmp_path / "model.mlw"), X), answers(model, X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    name = "_interval_weights" if cls is TabularRegressor else "_set_weights"
    getattr(model, name)[3] = 0
    with pytest.raises(ValueError, match="weights of errors out of fold must be above 0"):
        mlwright.save(model, tmp_path / "model.mlw")
    delattr(model, name)  # as in a file of a version without
    mlwright.save(model, tmp_path / "model.mlw")
    assert np.isfinite(answers(mlwright.load(tmp_path / "model.mlw"), X)[1]).all()


@pytest.mark.parametrize(
    ("weight", "cv", "message"),
    [
        (-WEIGHT, 3, "Negative values"),
        (np.where(WEIGHT == 1, np.nan, 1.0), 3, "NaN"),
        (WEIGHT[:-1], 3, "sample_weight.shape"),
        (np.zeros(N), 3, "zero"),
        (np.eye(N)[0], 3, "needs at least 2 rows to cross-validate, got n_samples=1"),
        (WEIGHT, ShuffleSplit(3, random_state=0), "cv: got splits that do not test every row once"),
        ((FOLD == 0).astype(float), PredefinedSplit(FOLD), "cv: one split tests all rows that weigh something"),
    ],
)
def test_bad_weights_and_splits_change_nothing(weight, cv, message):
    X, y = table()
    model = TabularRegressor(candidates=["linear"]).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=message):
        model.set_params(cv=cv).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.predict(X), before)


def test_splits_of_the_users_own():
    X, y = table()
    splitter = KFold(4, shuffle=True, random_state=0)
    ours = TabularRegressor(candidates=["linear"], cv=splitter).fit(X, y)
    pairs = TabularRegressor(candidates=["linear"], cv=list(splitter.split(y))).fit(X, y)
    assert len(ours.leaderboard_[0]["fold_scores"]) == 4
    np.testing.assert_array_equal(ours.predict_interval(X), pairs.predict_interval(X))
