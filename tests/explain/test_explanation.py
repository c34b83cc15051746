"""Slices, operations, and the duck type that shap's plots ask for."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mlwright.ensemble import HistGradientBoostingClassifier
from mlwright.explain import Explanation, TreeExplainer

NAMES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def explained():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = np.array(["x", "y", "z"])[np.digitize(X[:, 0] + X[:, 1] * X[:, 2], [-0.5, 0.5])]
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5).fit(X, y)
    return TreeExplainer(model, feature_names=NAMES), X


def test_what_shap_plots_read(explained):
    explainer, X = explained
    e = explainer(X)
    assert e.values.shape == e.shape == (60, 4, 3)
    assert e.base_values.shape == (60, 3)
    np.testing.assert_array_equal(e.data, X)
    assert (e.feature_names, e.output_names) == (NAMES, ["x", "y", "z"])
    assert len(e) == 60
    assert e.op_history == []
    for name in ("display_data", "clustering", "main_effects", "error_std", "lower_bounds", "instance_names"):
        assert getattr(e, name) is None


def test_slices_slice_everything(explained):
    explainer, X = explained
    e = explainer(X)
    one = e[3, :, "y"]
    np.testing.assert_array_equal(one.values, e.values[3, :, 1])
    np.testing.assert_array_equal(one.data, X[3])
    assert (float(one.base_values), one.feature_names, one.output_names) == (e.base_values[3, 1], NAMES, "y")
    column = e[..., "y"][X[:, 0] > 0, "b"]
    np.testing.assert_array_equal(column.values, e.values[X[:, 0] > 0, 1, 1])
    np.testing.assert_array_equal(column.data, X[X[:, 0] > 0, 1])
    assert column.feature_names == "b"
    two = e[:, [2, 0]]
    np.testing.assert_array_equal(two.values, e.values[:, [2, 0]])
    assert two.feature_names == ["c", "a"]


def test_interactions_slice_by_both_features(explained):
    explainer, X = explained
    e = explainer(X[:5], interactions=True)
    assert e.shape == (5, 4, 4, 3)
    assert e[0, "a", "b", "x"].values == e.values[0, 0, 1, 0]


def test_operations_along_axes(explained):
    explainer, X = explained
    e = explainer(X)[:, :, 0]
    mean = e.abs.mean(0)
    np.testing.assert_array_equal(mean.values, np.abs(e.values).mean(axis=0))
    assert mean.feature_names == NAMES
    assert [op.name for op in mean.op_history] == ["abs", "mean"]
    np.testing.assert_array_equal(e.max(0).values, e.values.max(axis=0))
    np.testing.assert_array_equal(e.min(1).values, e.values.min(axis=1))
    np.testing.assert_array_equal(e.sum(1).values, e.values.sum(axis=1))
    np.testing.assert_array_equal(mean.argsort.flip.values, np.flip(np.argsort(mean.values)))
    assert len(e.sample(7)) == 7


def test_unknown_names_and_too_many_indices(explained):
    explainer, X = explained
    e = explainer(X)
    with pytest.raises(KeyError, match="got 'nothing', expected the name of one of the features"):
        e[:, "nothing"]
    with pytest.raises(IndexError, match="got 4 indices, expected at most 3"):
        e[0, 0, 0, 0]


def test_passes_for_shaps_class_where_shap_is_loaded(explained, monkeypatch):
    explainer, X = explained
    e = explainer(X)
    assert isinstance(e, Explanation)
    foreign = type("Explanation", (), {})
    monkeypatch.setitem(sys.modules, "shap", SimpleNamespace(Explanation=foreign))
    assert isinstance(e, foreign)
    assert isinstance(e[0], foreign)
    assert type(e) is Explanation
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(e)).values, e.values)


def test_default_names():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, X[:, 0] > 0)
    e = TreeExplainer(model)(X)
    assert e.feature_names == ["Feature 0", "Feature 1"]
    assert e.output_names is None
    assert e.shape == (50, 2)
