"""BinnedData: one binning, many fits, the bits of fitting the rows themselves."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score, train_test_split

from mlwright.ensemble import BinnedData, HistGradientBoostingClassifier, HistGradientBoostingRegressor

SMALL = {"max_iter": 6, "min_samples_leaf": 3, "max_leaf_nodes": 8, "random_state": 0, "max_bins": 40}


def problem(form="dense", n=600, p=5):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    X[rng.random((n, p)) < (0.1 if form == "dense" else 0.9)] = 0
    X[rng.random((n, p)) < 0.05] = np.nan
    y = 2 * np.nan_to_num(X[:, 0]) + np.isnan(X[:, 1]) + 0.3 * rng.normal(size=n)
    return (sparse.csr_matrix(X) if form == "sparse" else X), y


def binned(X, **parameters):
    return BinnedData(X, **{"max_bins": 40, "random_state": 0, **parameters})


def bits(model, X):
    return model._raw_predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


def fitted(X, y, cls=HistGradientBoostingRegressor, weight=None, **parameters):
    return cls(**{**SMALL, **parameters}).fit(X, y, weight)


FORMS = ("dense", "sparse")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rules", [{}, {"subsample": 0.5}, {"sampling": "goss"}, {"extra_trees": True}])
def test_a_fit_on_it_is_the_fit_on_the_rows(form, rules):
    X, y = problem(form)
    for weight in (None, np.random.default_rng(1).uniform(0.5, 2, len(y))):
        on_bins = fitted(binned(X, sample_weight=weight), y, weight=weight, **rules)
        assert bits(on_bins, X) == bits(fitted(X, y, weight=weight, **rules), X)


@pytest.mark.parametrize("form", FORMS)
def test_predictions_on_it_are_those_on_the_rows(form):
    X, y = problem(form)
    data, classes = binned(X), (y > 0).astype(int)
    model = fitted(data, y)
    np.testing.assert_array_equal(model.predict(data), model.predict(X))
    classifier = fitted(data, classes, HistGradientBoostingClassifier)
    np.testing.assert_array_equal(classifier.predict_proba(data), classifier.predict_proba(X))
    for on_bins, on_rows in zip(
        classifier.staged_decision_function(data), classifier.staged_decision_function(X), strict=True
    ):
        np.testing.assert_array_equal(on_bins, on_rows)


@pytest.mark.parametrize("form", FORMS)
def test_rows_taken_are_rows_binned_by_the_same_thresholds(form):
    X, y = problem(form)
    data = binned(X)
    rows = np.random.default_rng(1).integers(0, len(y), 500)
    taken = data.take(rows)
    again = copy.copy(taken)
    again._bins = _bins_by(data, X[rows])
    assert bits(fitted(taken, y[rows]), X) == bits(fitted(again, y[rows]), X)
    mask = rows[:10]
    for index in (mask.tolist(), mask.astype(np.int32), np.isin(np.arange(len(y)), mask)):
        assert data.take(index).shape[0] == len(np.arange(len(y))[index])
    assert data[[]].shape == (0, X.shape[1])
    assert bits(fitted(data[100:], y[100:]), X) == bits(fitted(data.take(np.arange(100, len(y))), y[100:]), X)
    for wrong in ([len(y)], np.ones(3, dtype=bool)):
        with pytest.raises(IndexError):
            data.take(wrong)
    for wrong in (3, (0, 1), [[0, 1]]):
        with pytest.raises(IndexError, match="expected a list of numbers, a mask or a slice"):
            data[wrong]
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        fitted(data[[]], y[:0])


@pytest.mark.parametrize("form", FORMS)
def test_scikit_learn_splits_it(form):
    X, y = problem(form)
    data, model = binned(X), HistGradientBoostingRegressor(**SMALL)
    scores = cross_val_score(model, data, y, cv=3)
    for score, (train, test) in zip(scores, KFold(3).split(X), strict=True):
        assert score == clone(model).fit(data[train], y[train]).score(data[test], y[test])
    part, held_out, *_ = train_test_split(data, y, random_state=0)
    assert (len(part), len(held_out)) == (len(y) * 3 // 4, len(y) // 4)


def _bins_by(data, X):
    from mlwright._kernels import tree, tree_sparse

    if sparse.issparse(X):
        return tree_sparse.bin_columns(tree_sparse.as_columns(X), data._values, data._offsets)
    return tree.bin_matrix(X, data._values, data._offsets)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_early_stopping_holds_out_rows_without_binning_them_again(form, scoring):
    X, y = problem(form)
    data, held_out = binned(X), np.arange(len(y)) % 5 == 0
    stopped = fitted(data, y, early_stopping=True, max_iter=200, scoring=scoring, n_iter_no_change=3, tol=1e-3)
    assert stopped.n_iter_ < 200
    given = HistGradientBoostingRegressor(**SMALL, early_stopping=True)
    given.fit(data.take(~held_out), y[~held_out], X_val=data.take(held_out), y_val=y[held_out])
    stages = [-np.mean((y[held_out] - stage) ** 2) / 2 for stage in given.staged_predict(X[held_out])]
    np.testing.assert_allclose(given.validation_score_[1:], stages, rtol=1e-12)
    with pytest.raises(ValueError, match="X_val: got binned data"):
        given.fit(X, y, X_val=data, y_val=y)


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_weight_zero_are_not_there(form):
    X, y = problem(form)
    data, weight = binned(X), (np.arange(len(y)) % 4 > 0).astype(float)
    kept = weight > 0
    assert bits(fitted(data, y, weight=weight), X) == bits(fitted(data.take(kept), y[kept], weight=weight[kept]), X)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_pickled_and_copied_and_warm_started_on(form):
    X, y = problem(form)
    data = binned(X)
    expected = bits(fitted(data, y), X)
    for other in (pickle.loads(pickle.dumps(data)), copy.copy(data), copy.deepcopy(data)):
        assert bits(fitted(other, y), X) == expected
    model = fitted(data, y, max_iter=2, warm_start=True)
    assert bits(model.set_params(max_iter=6).fit(data, y), X) == expected


def test_many_threads_fit_on_one_object():
    X, y = problem(n=5000)
    data = binned(X)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda depth: bits(fitted(data, y, max_depth=depth), X), [2, 3] * 8))
    assert len(set(seen)) == 2


def test_names_and_numbers_of_features_are_checked():
    pandas = pytest.importorskip("pandas")
    X, y = problem()
    frame = pandas.DataFrame(X, columns=list("abcde"))
    data = binned(frame)
    model = fitted(data, y)
    assert model.feature_names_in_.tolist() == list("abcde")
    np.testing.assert_array_equal(model.predict(frame), model.predict(data))
    with pytest.raises(ValueError, match="other feature names"):
        model.predict(binned(frame.rename(columns={"a": "z"})))
    with pytest.raises(ValueError, match="X has 4 features, but HistGradientBoostingRegressor is expecting 5"):
        model.predict(binned(X[:, :4]))


def test_bins_of_another_model_are_refused():
    X, y = problem()
    model = fitted(X, y)
    with pytest.raises(ValueError, match="bins are not those the model was fitted by"):
        model.predict(binned(X, max_bins=7))
    assert model.predict(binned(X)).shape == (len(y),)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_bins": 1}, "max_bins: got 1"),
        ({"max_bins": 2.5}, r"max_bins: got 2\.5"),
        ({"sample_weight": -np.ones(600)}, r"[Nn]egative"),
        ({"sample_weight": np.ones(3)}, "sample_weight"),
    ],
)
def test_what_does_not_fit_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        binned(problem()[0], **parameters)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted(binned(problem()[0]), [1.0, 2.0])
