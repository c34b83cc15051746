"""SharedSearchCV: the same scores, to the bit, as scikit-learn's searches make by separate fits."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import loguniform, randint
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlwright
from mlwright._shared_fits import shares_fits
from mlwright.ensemble import BinnedData, HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.linear_model import BayesianRidge
from mlwright.model_selection import SharedSearchCV

GRID = {"learning_rate": [0.1, 0.3], "max_iter": [2, 7, 4], "max_leaf_nodes": [4, 8]}


def table(kind="regression", n=150, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random((n, p)) < 0.1] = np.nan
    score = np.nan_to_num(X[:, 0]) + np.sin(2 * np.nan_to_num(X[:, 1])) + 0.3 * rng.normal(size=n)
    return X, score if kind == "regression" else np.digitize(score, [0.0] if kind == "binary" else [-0.7, 0.7])


def boosting(kind, **parameters):
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return cls(**{"min_samples_leaf": 5, "random_state": 0, "early_stopping": False, **parameters})


def assert_same_search(ours, theirs):
    """All results but times, to the bit; and the refitted estimator."""
    untimed = {name for name in theirs.cv_results_ if "time" not in name}
    assert set(ours.cv_results_) - {"binning"} == set(theirs.cv_results_)
    for name in untimed:
        got, want = ours.cv_results_[name], theirs.cv_results_[name]
        assert type(got) is type(want)
        if isinstance(want, list):
            assert got == want, name
            continue
        assert got.dtype == want.dtype, name
        assert_array_equal(np.ma.getmaskarray(got), np.ma.getmaskarray(want))
        assert_array_equal(got, want, err_msg=name)
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert hasattr(ours, name) == hasattr(theirs, name)
        assert getattr(ours, name, None) == getattr(theirs, name, None), name


KINDS = ("regression", "binary", "multiclass")


def test_rows_that_were_binned_before_are_said_to_be():
    X, y = table("regression")
    search = SharedSearchCV(boosting("regression"), {"max_depth": [2, 3]}, cv=3)
    shared = search.fit(BinnedData(X), y)
    assert (shared.cv_results_["binning"] == "given").all()
    separate = GridSearchCV(search.estimator, search.param_grid, cv=3).fit(BinnedData(X), y)
    assert_array_equal(shared.cv_results_["mean_test_score"], separate.cv_results_["mean_test_score"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_scores_are_those_of_separate_fits_to_the_bit(kind, early_stopping):
    X, y = table(kind)
    estimator = boosting(kind, early_stopping=early_stopping, n_iter_no_change=2, tol=1e-2)
    settings = {"cv": 3, "return_train_score": True}
    ours = SharedSearchCV(estimator, GRID, **settings).fit(X, y)
    theirs = GridSearchCV(estimator, GRID, **settings).fit(X, y)
    assert_same_search(ours, theirs)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert (ours.cv_results_["binning"] == "training fold").all()
    assert (ours.cv_results_["mean_fit_time"] > 0).all()


PARAMETERS = {
    "learning_rate": st.sampled_from([0.05, 0.5, 1.0]),
    "max_iter": st.integers(1, 6),
    "max_leaf_nodes": st.sampled_from([None, 2, 5]),
    "max_depth": st.sampled_from([None, 1, 3]),
    "min_samples_leaf": st.integers(1, 10),
    "l2_regularization": st.sampled_from([0.0, 1.0]),
    "max_bins": st.sampled_from([4, 255]),
    "max_features": st.sampled_from([0.5, 1.0]),
    "early_stopping": st.booleans(),
    "validation_fraction": st.sampled_from([None, 0.2]),
    "scoring": st.sampled_from(["loss", None]),
    "monotonic_cst": st.sampled_from([None, [1, 0, 0, -1]]),
    "interaction_cst": st.sampled_from([None, "no_interactions", [[0, 1], [2]]]),
    "random_state": st.integers(0, 2),
}


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_candidates_score_as_on_their_own(data):
    kind = data.draw(st.sampled_from(KINDS))
    names = data.draw(st.lists(st.sampled_from(sorted(PARAMETERS)), min_size=1, max_size=4, unique=True))
    grid = [{name: [data.draw(PARAMETERS[name])] for name in names} for _ in range(data.draw(st.integers(1, 5)))]
    X, y = table(kind, n=60, seed=data.draw(st.integers(0, 5)))
    weight = data.draw(st.sampled_from([None, np.random.default_rng(0).integers(0, 3, len(y)).astype(float)]))
    estimator = boosting(kind, max_iter=3)
    if kind == "multiclass":
        for candidate in grid:
            candidate.pop("monotonic_cst", None)
    arguments = {"cv": 2, "return_train_score": True, "error_score": "raise"}
    ours = SharedSearchCV(estimator, grid, n_jobs=data.draw(st.integers(1, 3)), **arguments)
    theirs = GridSearchCV(estimator, grid, **arguments)
    assert_same_search(ours.fit(X, y, sample_weight=weight), theirs.fit(X, y, sample_weight=weight))


def test_thread_counts_do_not_matter():
    X, y = table()
    want = None
    for n_jobs in (1, 2, 3, 8, -1):
        got = SharedSearchCV(boosting("regression"), GRID, n_jobs=n_jobs).fit(X, y).cv_results_["mean_test_score"]
        want = got if want is None else want
        assert_array_equal(got, want)


def test_random_candidates_are_scikit_learns():
    X, y = table()
    space = {"learning_rate": loguniform(0.01, 1), "max_iter": randint(1, 9), "max_leaf_nodes": [3, 5]}
    settings = {"n_iter": 6, "random_state": 3, "cv": KFold(3, shuffle=True, random_state=0)}
    ours = SharedSearchCV(boosting("regression"), param_distributions=space, **settings).fit(X, y)
    assert_same_search(ours, RandomizedSearchCV(boosting("regression"), space, **settings).fit(X, y))


@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        ("neg_mean_absolute_error", True),
        (["r2", "neg_mean_squared_error"], "r2"),
        (["r2", "neg_mean_squared_error"], False),
        ({"mae": make_scorer(mean_absolute_error, greater_is_better=False)}, "mae"),
        (lambda est, X, y: {"a": est.predict(X)[0], "b": est.score(X, y)}, "b"),
        ("r2", lambda results: int(np.argmin(results["mean_test_score"]))),
        ("r2", False),
    ],
)
def test_metrics_and_refit(scoring, refit):
    X, y = table()
    settings = {"scoring": scoring, "refit": refit, "cv": 2, "return_train_score": True}
    ours = SharedSearchCV(boosting("regression"), GRID, **settings).fit(X, y)
    theirs = GridSearchCV(boosting("regression"), GRID, **settings).fit(X, y)
    assert_same_search(ours, theirs)
    assert hasattr(ours, "best_estimator_") == bool(refit)
    if refit:
        assert ours.score(X, y) == theirs.score(X, y)
        assert ours.refit_time_ > 0
        assert ours.n_features_in_ == 4
    else:
        with pytest.raises(AttributeError, match="predict"):
            ours.predict(X)


@pytest.mark.parametrize("cv", [GroupKFold(3), TimeSeriesSplit(3), [(np.arange(50), np.arange(50, 90))]])
def test_groups_time_and_given_splits(cv):
    X, y = table()
    groups = {"groups": np.arange(len(y)) // 10} if isinstance(cv, GroupKFold) else {}
    ours = SharedSearchCV(boosting("regression"), GRID, cv=cv).fit(X, y, **groups)
    assert_same_search(ours, GridSearchCV(boosting("regression"), GRID, cv=cv).fit(X, y, **groups))


def test_weights_go_to_fits_and_scorers_as_in_scikit_learn():
    X, y = table()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    ours, theirs = (cls(boosting("regression"), GRID, cv=3) for cls in (SharedSearchCV, GridSearchCV))
    assert_same_search(ours.fit(X, y, sample_weight=weight), theirs.fit(X, y, sample_weight=weight))
    with config_context(enable_metadata_routing=True):
        estimator = boosting("regression").set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        ours, theirs = (cls(estimator, GRID, cv=3) for cls in (SharedSearchCV, GridSearchCV))
        assert_same_search(ours.fit(X, y, sample_weight=weight), theirs.fit(X, y, sample_weight=weight))


def test_data_frames_keep_their_names():
    pandas = pytest.importorskip("pandas")
    X, y = table()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    ours = SharedSearchCV(boosting("regression"), GRID, cv=2).fit(frame, y)
    assert list(ours.feature_names_in_) == list("abcd")
    assert_same_search(ours, GridSearchCV(boosting("regression"), GRID, cv=2).fit(frame, y))


def test_other_estimators_are_cloned_and_fitted():
    X, y = table("binary")
    X = np.nan_to_num(X)
    grid = {"logisticregression__C": [0.1, 1.0]}
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    ours = SharedSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert_same_search(ours, GridSearchCV(pipeline, grid, cv=3).fit(X, y))
    assert "binning" not in ours.cv_results_
    bayesian = SharedSearchCV(BayesianRidge(), {"lambda_1": [0.1, 1.0]}, cv=3).fit(X, y)
    assert_same_search(bayesian, GridSearchCV(BayesianRidge(), {"lambda_1": [0.1, 1.0]}, cv=3).fit(X, y))


class Louder(HistGradientBoostingRegressor):
    """A fit of one's own is not what the base class shares."""

    def fit(self, X, y):
        return super().fit(X, 2 * y)


def test_a_fit_that_is_overridden_is_not_shared():
    X, y = table()
    assert shares_fits(HistGradientBoostingRegressor())
    assert not shares_fits(Louder())
    ours = SharedSearchCV(Louder(max_iter=3), {"learning_rate": [0.1, 0.2]}, cv=2).fit(X, y)
    assert_same_search(ours, GridSearchCV(Louder(max_iter=3), {"learning_rate": [0.1, 0.2]}, cv=2).fit(X, y))


def test_inside_a_pipeline_and_nested_cross_validation():
    X, y = table("binary")
    search = SharedSearchCV(boosting("binary"), {"max_iter": [2, 4]}, cv=2)
    pipeline = make_pipeline(StandardScaler(), search)
    expected = make_pipeline(StandardScaler(), GridSearchCV(boosting("binary"), {"max_iter": [2, 4]}, cv=2))
    assert_array_equal(cross_val_score(clone(pipeline), X, y, cv=3), cross_val_score(expected, X, y, cv=3))
    fitted = pipeline.fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


BAD = {"learning_rate": [0.1, -1.0], "max_iter": [3, 2]}


@pytest.mark.parametrize("scoring", [None, ["r2", "neg_mean_squared_error"], lambda est, X, y: {"r2": 1.0}])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failed_candidate_gets_the_error_score(scoring, n_jobs):
    X, y = table()
    settings = {"error_score": -7.0, "scoring": scoring, "refit": (scoring is None and True) or "r2", "cv": 2}
    settings["return_train_score"] = True
    with pytest.warns(FitFailedWarning, match=r"(?s)4 fits failed out of a total of 8.*learning_rate"):
        ours = SharedSearchCV(boosting("regression"), BAD, n_jobs=n_jobs, **settings).fit(X, y)
    with pytest.warns(FitFailedWarning):
        theirs = GridSearchCV(boosting("regression"), BAD, **settings).fit(X, y)
    assert_same_search(ours, theirs)


@pytest.mark.parametrize("bad", [0, 2.5, None, "3"])
def test_a_bad_number_of_iterations_fails_alone(bad):
    X, y = table()
    search = SharedSearchCV(boosting("regression"), {"max_iter": [2, bad, 3]}, cv=2)
    with pytest.warns((FitFailedWarning, UserWarning), match="2 fits failed out of a total of 6|non-finite"):
        search.fit(X, y)
    assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), [False, True, False])


def test_errors_are_raised_if_asked_for():
    X, y = table()
    search = SharedSearchCV(boosting("regression"), BAD, error_score="raise", n_jobs=2)
    with pytest.raises(ValueError, match="learning_rate"):
        search.fit(X, y)
    with pytest.raises(ValueError, match=r"All the 5 fits failed"):
        SharedSearchCV(boosting("regression"), {"max_iter": [-1]}).fit(X, y)


def test_a_scorer_that_raises():
    X, y = table()

    def scorer(estimator, X, y):
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError):
        SharedSearchCV(boosting("regression"), GRID, scoring=scorer, error_score="raise", n_jobs=2).fit(X, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "got neither of param_grid and param_distributions"),
        ({"param_grid": GRID, "param_distributions": GRID}, "got both of"),
        ({"param_grid": {"colour": [1]}}, "Invalid parameter 'colour'"),
        ({"param_grid": {"max_iter": []}}, "need at least one value|non-empty"),
        ({"param_grid": GRID, "n_jobs": 0}, "n_jobs"),
        ({"param_grid": GRID, "scoring": ["r2", "neg_max_error"]}, "refit"),
        ({"param_grid": GRID, "scoring": "beauty"}, "scoring"),
        ({"param_grid": GRID, "error_score": "ignore"}, "error_score"),
        ({"param_grid": GRID, "cv": 1}, "cv"),
    ],
)
def test_bad_settings_are_refused_and_leave_the_search_alone(arguments, message):
    X, y = table()
    search = SharedSearchCV(boosting("regression"), **arguments)
    before = set(vars(search))
    with pytest.raises(ValueError, match=message):
        search.fit(X, y)
    assert set(vars(search)) == before
    with pytest.raises(NotFittedError):
        search.predict(X)


def test_bad_data_fail_every_fit_with_their_reason():
    X, y = table()
    with pytest.raises(ValueError, match=r"(?s)All the 24 fits failed.*monotonic_cst has shape"):
        SharedSearchCV(boosting("regression", monotonic_cst=[1]), GRID, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        SharedSearchCV(boosting("regression"), GRID, cv=2).fit(X, np.full(len(y), np.nan))
    with pytest.raises(ValueError, match="requires y to be passed"):
        SharedSearchCV(boosting("regression"), GRID, cv=2).fit(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SharedSearchCV(boosting("regression"), GRID, cv=2).fit(X, y[:-1])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_is_of_the_search(n_jobs):
    X, y = table()
    events = []
    with mlwright.watch_progress(events.append):
        SharedSearchCV(boosting("regression"), GRID, cv=2, refit=False, n_jobs=n_jobs).fit(X, y)
    assert {event.stage for event in events} == {"searching"}
    assert (events[-1].done, events[-1].total) == (24, 24)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_a_watcher_raises_ends_the_search(n_jobs):
    X, y = table()

    def watcher(event):
        raise TimeoutError("enough")

    search = SharedSearchCV(boosting("regression"), GRID, n_jobs=n_jobs)
    with mlwright.watch_progress(watcher), pytest.raises(TimeoutError, match="enough"):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_verbose_says_how_much_there_is_to_do(capsys):
    X, y = table()
    SharedSearchCV(boosting("regression"), GRID, cv=2, verbose=1, refit=False).fit(X, y)
    assert capsys.readouterr().out == "Fitting 2 folds for each of 12 candidates, totalling 24 fits\n"
    SharedSearchCV(boosting("regression"), GRID, cv=2, verbose=2, refit=False).fit(X, y)
    assert "searching 24/24" in capsys.readouterr().out


def test_fits_that_share_grow_each_tree_once(monkeypatch):
    grown = []
    from mlwright.ensemble._boosting.driver import Boosting

    run = Boosting.run

    def counted(self, max_iter):
        before = self.n_iterations
        run(self, max_iter)
        grown.append(self.n_iterations - before)

    monkeypatch.setattr(Boosting, "run", counted)
    X, y = table()
    SharedSearchCV(boosting("regression"), GRID, cv=2, refit=False, n_jobs=1).fit(X, y)
    assert sum(grown) == 2 * 2 * 2 * 7  # folds, learning rates, leaves, the longest


class Slow(RegressorMixin, BaseEstimator):
    """For the fallback: any class with fit and predict."""

    def __init__(self, level=0.0):
        self.level = level

    def fit(self, X, y):
        self.mean_ = np.mean(y) + self.level
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_a_plain_class():
    X, y = table()
    assert_same_search(
        SharedSearchCV(Slow(), {"level": [0.0, 1.0]}).fit(X, y), GridSearchCV(Slow(), {"level": [0.0, 1.0]}).fit(X, y)
    )
