"""SHAP values: additivity, symmetry, invariances, missing values, bad input, and what fitted models give."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from mlwright._kernels.forest import Forest
from mlwright._runtime import simd, threads
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.explain import TreeExplainer
from mlwright.linear_model import Ridge
from mlwright.reference import shap as reference
from mlwright.testing.shap import small_forest, small_rows


def table(seed=0, n=400, p=6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1]) + np.nan_to_num(X[:, 2]) + rng.normal(size=n) / 10
    return X, y


def regressor(**parameters):
    X, y = table()
    return HistGradientBoostingRegressor(max_iter=20, **parameters).fit(X, y), X


def classifier(n_classes):
    X, y = table()
    labels = np.array(["low", "middle", "high"])[np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))]
    return HistGradientBoostingClassifier(max_iter=10).fit(X, labels), X


MODELS = {
    "regressor": regressor,
    "deep": lambda: regressor(max_leaf_nodes=None, min_samples_leaf=1),
    "binary": lambda: classifier(2),
    "multiclass": lambda: classifier(3),
}


def raw(model, X):
    return model._forest().predict_raw(X).T


@pytest.mark.parametrize("background", [None, 1, 50])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_values_and_base_add_up_to_the_score(make, background):
    model, X = make()
    explainer = TreeExplainer(model, None if background is None else X[:background])
    values = explainer.shap_values(X)
    if values.ndim == 2:
        values = values[:, :, None]
    total = values.sum(axis=1) + explainer.expected_value
    np.testing.assert_allclose(total, raw(model, X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("background", [None, 20])
def test_interactions_are_symmetric_and_add_up_to_values(background):
    model, X = classifier(3)
    explainer = TreeExplainer(model, None if background is None else X[:background])
    pairs, values = explainer.shap_interaction_values(X[:70]), explainer.shap_values(X[:70])
    assert pairs.shape == (70, 6, 6, 3)
    np.testing.assert_array_equal(pairs, pairs.transpose(0, 2, 1, 3))
    np.testing.assert_allclose(pairs.sum(axis=2), values, rtol=1e-9, atol=1e-12)


def test_base_value_of_a_background_is_its_mean_score():
    model, X = regressor()
    explainer = TreeExplainer(model, X[:30])
    assert explainer.feature_perturbation == "interventional"
    np.testing.assert_allclose(explainer.expected_value, model.predict(X[:30]).mean(), rtol=1e-12)


def test_base_value_without_a_background_is_the_mean_training_score():
    model, X = regressor(max_leaf_nodes=8)
    np.testing.assert_allclose(TreeExplainer(model).expected_value, model.predict(X).mean(), rtol=1e-9)


def test_a_background_of_the_row_itself_explains_nothing():
    model, X = regressor()
    values = TreeExplainer(model, X[3:4]).shap_values(X[3:4])
    np.testing.assert_array_equal(values, np.zeros((1, 6)))


def test_a_background_row_twice_counts_twice():
    model, X = regressor()
    twice = TreeExplainer(model, X[[0, 0, 1]]).shap_values(X)
    apart = [TreeExplainer(model, X[[i]]).shap_values(X) for i in (0, 1)]
    np.testing.assert_allclose(twice, (2 * apart[0] + apart[1]) / 3, rtol=1e-9, atol=1e-12)


def test_features_without_splits_have_no_value():
    X, y = table()
    X = np.column_stack([X, np.zeros(len(X))])
    model = HistGradientBoostingRegressor(max_iter=5).fit(X, y)
    assert not TreeExplainer(model).shap_values(X)[:, 6].any()


@pytest.mark.parametrize("background", [None, 40])
@pytest.mark.parametrize("make", [MODELS["deep"], MODELS["multiclass"]], ids=["deep", "multiclass"])
def test_same_bits_for_threads_levels_and_batches(make, background):
    model, X = make()
    explainer = TreeExplainer(model, None if background is None else X[:background])
    rows = np.tile(X, (3, 1))
    want = explainer.shap_values(rows)
    for level in simd.supported_levels():
        for n_threads in (1, 2, 3, 8):
            with simd.use_level(level), threads.limit(n_threads):
                np.testing.assert_array_equal(explainer.shap_values(rows), want)
    np.testing.assert_array_equal(np.vstack([explainer.shap_values(rows[i : i + 1]) for i in range(5)]), want[:5])
    pairs = explainer.shap_interaction_values(rows[:130])
    np.testing.assert_array_equal(explainer.shap_interaction_values(rows[128:129]), pairs[128:129])


def test_layouts_and_read_only_rows_give_the_same_bits():
    model, X = regressor()
    explainer = TreeExplainer(model, X[:20])
    want = explainer.shap_values(X)
    strided = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    fixed = X.copy()
    fixed.setflags(write=False)
    for rows in (np.asfortranarray(X), strided, fixed):
        np.testing.assert_array_equal(explainer.shap_values(rows), want)
    np.testing.assert_array_equal(
        explainer.shap_values(X.astype(np.float32)), explainer.shap_values(X.astype(np.float32).astype(np.float64))
    )


def test_sparse_rows_are_explained_like_dense_ones():
    X, y = table()
    X = np.where(np.isnan(X) | (X < 0), 0, X)
    model = HistGradientBoostingRegressor(max_iter=5).fit(X, y)
    values = TreeExplainer(model, X[:10]).shap_values(X)
    np.testing.assert_array_equal(TreeExplainer(model, csr_array(X[:10])).shap_values(csr_array(X)), values)


def test_long_branches_are_exact():
    """Branches of more features than a table has bits for: against every set of features."""
    rng = np.random.default_rng(5)
    p, n = 11, 23
    trees = {
        "feature": np.array([j // 2 if j % 2 == 0 and j < n - 1 else -1 for j in range(n)], dtype=np.int32),
        "threshold": rng.normal(size=n) / 2,
        "left": np.array([j + 1 if j % 2 == 0 and j < n - 1 else -1 for j in range(n)], dtype=np.int32),
        "right": np.array([j + 2 if j % 2 == 0 and j < n - 1 else -1 for j in range(n)], dtype=np.int32),
        "missing_left": np.zeros(n, dtype=np.uint8),
        "value": rng.normal(size=n),
        "gain": np.zeros(n),
        "count": rng.integers(1, 20, n),
        "offsets": np.array([0, n]),
    }
    X = rng.normal(size=(2, p)) - 0.5
    forest = Forest(trees, np.array([0.5]), p)
    for background in (None, rng.normal(size=(2, p))):
        got = TreeExplainer(forest, background).shap_values(X)
        np.testing.assert_allclose(got, reference.shap_values(X, trees, 1, background)[..., 0], rtol=1e-9, atol=1e-12)


def test_deep_chains_add_up():
    """One branch of 60 features, and the same features again."""
    rng = np.random.default_rng(6)
    n_inner, p = 120, 60
    n = 2 * n_inner + 1
    inner = np.arange(n) % 2 == 0
    inner[-1] = False
    trees = {
        "feature": np.where(inner, np.arange(n) // 2 % p, -1).astype(np.int32),
        "threshold": rng.normal(size=n),
        "left": np.where(inner, np.arange(n) + 1, -1).astype(np.int32),
        "right": np.where(inner, np.arange(n) + 2, -1).astype(np.int32),
        "missing_left": np.zeros(n, dtype=np.uint8),
        "value": rng.normal(size=n),
        "gain": np.zeros(n),
        "count": np.full(n, 10),
        "offsets": np.array([0, n]),
    }
    X = rng.normal(size=(40, p)) + 1
    forest = Forest(trees, np.zeros(1), p)
    for background in (None, X[:7]):
        explainer = TreeExplainer(forest, background)
        total = explainer.expected_value + explainer.shap_values(X).sum(axis=1)
        np.testing.assert_allclose(total, forest.predict_raw(X)[0], rtol=1e-9, atol=1e-12)


def test_rounded_input_and_divided_sums():
    rng = np.random.default_rng(7)
    trees = small_forest(rng, 4, 3, 2, max_inner=15)
    X = small_rows(rng, 50, 3) * (1 + 1e-12)
    forest = Forest(trees, np.array([1.0, -2.0]), 3, input_dtype="float32", divide_by=4.0)
    for background in (None, X[:5]):
        explainer = TreeExplainer(forest, background)
        total = explainer.expected_value + explainer.shap_values(X).sum(axis=1)
        np.testing.assert_allclose(total, forest.predict_raw(X).T, rtol=1e-9, atol=1e-12)


def test_no_trees_and_trees_of_one_leaf():
    X, _ = table(n=50)
    model = HistGradientBoostingRegressor(min_samples_leaf=1000).fit(X, np.arange(50.0))
    explainer = TreeExplainer(model)
    np.testing.assert_array_equal(explainer.shap_values(X), np.zeros((50, 6)))
    assert not explainer.shap_interaction_values(X[:2]).any()
    np.testing.assert_allclose(explainer.expected_value, model.predict(X[:1])[0])


def test_pickle_explains_as_before():
    model, X = regressor()
    explainer = TreeExplainer(model, X[:10])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(explainer)).shap_values(X), explainer.shap_values(X))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"feature_perturbation": "interventional"}, "without data, expected a background"),
        ({"feature_perturbation": "wrong"}, "got 'wrong', expected one of"),
        ({"data": np.empty((0, 6))}, "background of no rows"),
        ({"data": np.ones((2, 6)), "feature_perturbation": "tree_path_dependent"}, "expected data=None"),
        ({"data": np.ones((2, 5))}, "5 features"),
        ({"feature_names": ["a"]}, "got 1 names, expected 6"),
        ({"output_names": ["a", "b"]}, "got 2 names, expected 1"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    model, _ = regressor()
    with pytest.raises(ValueError, match=message):
        TreeExplainer(model, **arguments)


def test_rows_that_do_not_fit():
    model, X = regressor()
    explainer = TreeExplainer(model)
    for rows in (X[:, :5], np.column_stack([X, X])):
        with pytest.raises(ValueError, match="features"):
            explainer.shap_values(rows)
    forest = TreeExplainer(model._forest())
    with pytest.raises(ValueError, match="got 5 features, expected 6"):
        forest.shap_values(X[:, :5])


def test_models_that_are_none():
    with pytest.raises(TypeError, match="got Ridge, expected a boosted estimator"):
        TreeExplainer(Ridge())
    with pytest.raises(NotFittedError):
        TreeExplainer(HistGradientBoostingRegressor())


def test_too_long_branches_are_refused_by_name():
    p, n = 70, 141
    inner = (np.arange(n) % 2 == 0) & (np.arange(n) < n - 1)
    trees = {
        "feature": np.where(inner, np.arange(n) // 2, -1).astype(np.int32),
        "threshold": np.zeros(n),
        "left": np.where(inner, np.arange(n) + 1, -1).astype(np.int32),
        "right": np.where(inner, np.arange(n) + 2, -1).astype(np.int32),
        "missing_left": np.zeros(n, dtype=np.uint8),
        "value": np.ones(n),
        "gain": np.zeros(n),
        "count": np.full(n, 10),
        "offsets": np.array([0, n]),
    }
    forest = Forest(trees, np.zeros(1), p)
    with pytest.raises(ValueError, match="70 different features, expected at most 64"):
        TreeExplainer(forest, np.zeros((1, p)))
    values = TreeExplainer(forest).shap_values(np.ones((3, p)))
    np.testing.assert_allclose(values, 0, atol=1e-12)
