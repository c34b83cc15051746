"""Inputs for ``mlwright._kernels.shap``: small forests with every rule, whose sets of features can all be gone through."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.tree import random_trees

__all__ = ["forests", "forests_and_few_rows", "forests_and_rows", "random_forest"]


def random_forest(rng, n_trees, n_features, n_outputs=1, *, max_nodes=15, vector_leaves=False, rules=True, cover=None):
    """Trees of random shape, rules, covers (consistent or not) and leaf values."""
    trees = random_trees(rng, n_trees, n_features, max_nodes)
    n = len(trees["feature"])
    trees["threshold"] = rng.normal(size=n).round(1)
    if vector_leaves:
        trees["value"] = rng.normal(size=(n, n_outputs))
    trees["count"] = rng.integers(1, 50, n)
    trees["gain"] = rng.uniform(size=n)
    if cover == "zeros":
        trees["cover"] = rng.integers(0, 3, n).astype(float)
    elif cover == "reals":
        trees["cover"] = rng.uniform(0, 10, n)
    if rules:
        n_sets = 3
        trees["rule"] = rng.integers(0, 3, n).astype(np.uint8)
        trees["category_set"] = np.where(trees["rule"] == 2, rng.integers(0, n_sets, n), -1).astype(np.int32)
        trees["set_offsets"] = np.array([0, 1, 1, 3])
        trees["set_words"] = rng.integers(0, 2**32, 3, dtype=np.uint32)
    return trees


def _rows(rng, n, n_features):
    """Numbers, codes, zeros and missing values."""
    x = rng.normal(size=(n, n_features)).round(1)
    codes = rng.random(x.shape) < 0.4
    x[codes] = rng.integers(-1, 70, codes.sum())
    x[rng.random(x.shape) < 0.1] = 0
    x[rng.random(x.shape) < 0.15] = np.nan
    return x


@st.composite
def _call(draw, max_rows, max_nodes, with_rows):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_features, n_outputs = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    trees = random_forest(
        rng,
        n_outputs * draw(st.integers(1, 2)),
        n_features,
        n_outputs,
        max_nodes=max_nodes,
        vector_leaves=draw(st.booleans()),
        rules=draw(st.booleans()),
        cover=draw(st.sampled_from((None, "zeros", "reals"))),
    )
    background = _rows(rng, draw(st.integers(1, 4)), n_features) if draw(st.booleans()) else None
    if not with_rows:
        return (trees, n_features, n_outputs), {"background": background}
    x = _rows(rng, draw(st.integers(1, max_rows)), n_features)
    return (x, trees, n_outputs), {"background": background}


def forests():
    return _call(0, 31, with_rows=False)


def forests_and_rows():
    return _call(3, 21, with_rows=True)


def forests_and_few_rows():
    return _call(2, 15, with_rows=True)
