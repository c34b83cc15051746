"""Importances from the trees and by permutation."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.inspection import permutation_importance as sklearn_permutation_importance

from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.explain import feature_importances, permutation_importance


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    X[:, 3] = 0
    y = 3 * X[:, 0] + X[:, 1]
    return HistGradientBoostingRegressor(max_iter=10).fit(X, y), X, y


def test_kinds_sum_what_the_nodes_say(fitted):
    model, _, _ = fitted
    trees = model._trees
    inner = trees["feature"] >= 0
    for kind, of_node in (("gain", trees["gain"]), ("split", np.ones(len(inner))), ("cover", trees["count"])):
        want = [of_node[inner & (trees["feature"] == j)].sum() for j in range(4)]
        np.testing.assert_allclose(feature_importances(model, kind, normalize=False), want)
        np.testing.assert_allclose(feature_importances(model, kind), np.divide(want, np.sum(want)))


def test_estimators_have_gain_importances(fitted):
    model, _, _ = fitted
    np.testing.assert_array_equal(model.feature_importances_, feature_importances(model))
    np.testing.assert_allclose(model.feature_importances_.sum(), 1)
    assert model.feature_importances_.argmax() == 0
    assert model.feature_importances_[3] == 0


def test_trees_without_splits_have_no_importance():
    X = np.arange(20.0).reshape(10, 2)
    model = HistGradientBoostingRegressor().fit(X, X[:, 0])
    np.testing.assert_array_equal(model.feature_importances_, np.zeros(2))


def test_unknown_kind(fitted):
    with pytest.raises(ValueError, match="kind: got 'weight', expected one of"):
        feature_importances(fitted[0], "weight")


@pytest.mark.parametrize("arguments", [{}, {"max_samples": 0.5}, {"max_samples": 100, "n_repeats": 2}])
@pytest.mark.parametrize("weighted", [False, True])
def test_permutation_equals_scikit_learns(fitted, arguments, weighted):
    model, X, y = fitted
    weight = np.random.default_rng(1).uniform(size=len(y)) if weighted else None
    for rows in (X, pd.DataFrame(X)):
        got = permutation_importance(model, rows, y, random_state=3, sample_weight=weight, **arguments)
        want = sklearn_permutation_importance(model, rows, y, random_state=3, sample_weight=weight, **arguments)
        assert set(got) == set(want)
        for name in want:
            np.testing.assert_array_equal(got[name], want[name])


@pytest.mark.parametrize("library", [pl.from_pandas, pa.Table.from_pandas])
@pytest.mark.parametrize("max_samples", [1.0, 0.5])
def test_permutation_of_every_kind_of_table(library, max_samples):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"number": rng.normal(size=200), "word": rng.choice(["a", "b", "c"], 200), "none": 1.0})
    y = table["number"].to_numpy() + (table["word"] == "a")
    arguments = {"n_repeats": 3, "random_state": 0, "max_samples": max_samples}
    fitted = HistGradientBoostingRegressor(max_iter=10).fit(table, y)
    expected = permutation_importance(fitted, table, y, **arguments)
    got = permutation_importance(fitted, library(table), y, **arguments)
    np.testing.assert_array_equal(got.importances, expected.importances)
    assert (got.importances[:2] > 0).all()


def test_permutation_by_a_named_score_leaves_the_table_alone():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    before = X.copy()
    model = HistGradientBoostingClassifier(max_iter=5).fit(X, X["b"] > 0)
    result = permutation_importance(model, X, X["b"] > 0, scoring="neg_log_loss", random_state=0)
    assert result.importances_mean.argmax() == 1
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 0}, "n_repeats: got 0"),
        ({"max_samples": 301}, "got 301 rows of 300"),
        ({"max_samples": 0.0}, "0"),
    ],
)
def test_permutation_arguments_that_do_not_fit(fitted, arguments, message):
    model, X, y = fitted
    with pytest.raises(ValueError, match=message):
        permutation_importance(model, X, y, **arguments)
