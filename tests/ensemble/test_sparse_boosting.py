"""Compressed matrices give the bits that the same numbers give in a dense one, fitted and predicted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import mlwright
from mlwright._runtime import simd
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.testing.tree_sparse import sparse_matrices

SMALL = {"max_iter": 4, "min_samples_leaf": 3, "max_leaf_nodes": 8, "random_state": 0}
RULES = [
    {},
    {"subsample": 0.5},
    {"sampling": "goss"},
    {"colsample_bytree": 0.5, "max_features": 0.5},
    {"extra_trees": True},
    {"l1_regularization": 0.5},
    {"interaction_cst": "no_interactions"},
    {"min_samples_leaf": 1, "max_leaf_nodes": None},
]


def indicators(n, groups, levels, seed=0, dtype=np.float64):
    """One-hot rows of some categories, targets that depend on them."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, levels, (n, groups))
    columns = codes + np.arange(groups) * levels
    X = sparse.csr_matrix(
        (np.ones(n * groups, dtype), columns.ravel(), np.arange(0, n * groups + 1, groups)), shape=(n, groups * levels)
    )
    return X, rng.normal(size=(groups, levels))[np.arange(groups), codes].sum(axis=1) + rng.normal(size=n)


def bits(model, X):
    return model._raw_predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


def assert_same_as_dense(X, y, weight=None, **parameters):
    model = HistGradientBoostingRegressor(**{**SMALL, **parameters})
    dense = bits(model.fit(X.toarray(), y, weight), X.toarray())
    assert bits(model.fit(X, y, weight), X) == dense
    assert bits(model, X.toarray()) == dense


@given(sparse_matrices(), st.integers(0, 3), st.sampled_from(RULES), st.integers(2, 20), st.booleans())
def test_any_compressed_matrix_is_its_dense_self(X, seed, rules, max_bins, weighted):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=X.shape[0])
    weight = rng.uniform(0.5, 2, len(y)) if weighted else None
    assert_same_as_dense(X, y, weight, max_bins=max_bins, **rules)


@pytest.mark.parametrize("rules", [*RULES, {"monotonic_cst": [1, -1, 0, 0] * 50}], ids=str)
def test_indicators_are_their_dense_self(rules):
    X, y = indicators(3000, 10, 20)
    assert_same_as_dense(X, y, max_iter=10, **rules)
    assert_same_as_dense(-X, y, max_iter=3, **rules)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csc_matrix, sparse.coo_matrix])
def test_any_form_that_scipy_has(form):
    X, y = indicators(500, 3, 10)
    assert_same_as_dense(form(X), y)


def test_more_slots_than_16_bits_count():
    rng = np.random.default_rng(0)
    X = sparse.random(2000, 700, density=0.2, random_state=rng, data_rvs=rng.standard_normal, format="csr")
    y = X[:, :3].toarray().sum(axis=1) + 0.1 * rng.normal(size=2000)
    assert_same_as_dense(X, y, max_iter=3)


def test_above_the_rows_that_bins_are_found_from():
    rng = np.random.default_rng(0)
    X = sparse.random(210_000, 3, density=0.02, random_state=rng, data_rvs=rng.standard_normal, format="csr")
    assert_same_as_dense(X, X[:, 0].toarray()[:, 0] + rng.normal(size=210_000), max_iter=2)


def test_multiclass_and_staged_and_early_stopping():
    X, y = indicators(2000, 5, 10)
    y = np.digitize(y, [-1.0, 1.0])
    model = HistGradientBoostingClassifier(**SMALL, early_stopping=True)
    dense = [p.tobytes() for p in model.fit(X.toarray(), y).staged_predict_proba(X.toarray())]
    scores = model.validation_score_.tolist()
    assert [p.tobytes() for p in model.fit(X, y).staged_predict_proba(X)] == dense
    assert model.validation_score_.tolist() == scores
    assert model.set_params(scoring="accuracy").fit(X, y).predict(X).shape == (2000,)


def test_same_bits_for_any_threads_and_simd_level():
    X, y = indicators(30_000, 6, 40)
    seen = set()
    try:
        for level in simd.supported_levels():
            for n_threads in (1, 2, 3, 8) if level == simd.supported_levels()[-1] else (2,):
                mlwright.set_num_threads(n_threads)
                with simd.use_level(level):
                    seen.add(bits(HistGradientBoostingRegressor(**SMALL).fit(X, y), X))
    finally:
        mlwright.set_num_threads(None)
    assert len(seen) == 1


def test_the_caller_s_matrix_is_not_touched():
    X = sparse.csc_matrix((np.ones(4), np.array([1, 0, 1, 1]), np.array([0, 3, 4])), shape=(2, 2))
    before = X.data.copy(), X.indices.copy(), X.indptr.copy()
    HistGradientBoostingRegressor(min_samples_leaf=1).fit(X, [0.0, 1.0]).predict(X)
    for kept, now in zip(before, (X.data, X.indices, X.indptr), strict=True):
        np.testing.assert_array_equal(now, kept)


def test_broken_indices_are_refused():
    X, y = indicators(50, 2, 5)
    X.indices[7] = 99
    with pytest.raises(ValueError, match="out of range"):
        HistGradientBoostingRegressor().fit(X, y)
    model = HistGradientBoostingRegressor(min_samples_leaf=2).fit(*indicators(50, 2, 5))
    with pytest.raises(ValueError, match="out of range"):
        model.predict(X)


@pytest.mark.parametrize("shape", [(1, 3), (5, 1)])
def test_small_and_empty(shape):
    X = sparse.csr_matrix(shape)
    assert_same_as_dense(X, np.arange(float(shape[0])))
