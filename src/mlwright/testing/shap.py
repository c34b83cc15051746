"""Inputs for ``mlwright._kernels.shap``: small forests of every rule, few features a tree."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.forest import plain, random_forest

__all__ = ["forests", "forests_and_few_rows", "forests_and_rows", "small_forest", "small_rows"]


def small_forest(rng, n_trees, n_features, n_outputs=None, *, max_inner=7, cover="reals"):
    """Trees of random shape, rules and leaves, with covers that may be zero or absent."""
    trees = random_forest(rng, n_trees, n_features, max_inner, n_outputs)
    trees["threshold"] = trees["threshold"].round(1)
    if cover == "zeros":
        trees["cover"] = rng.integers(0, 3, len(trees["cover"])).astype(float)
    elif cover == "none":
        del trees["cover"]
    elif cover == "plain":
        trees["feature"] = np.where(trees["rule"] == 2, trees["feature"] // 2, trees["feature"])
        trees = plain(trees)
    return trees


def small_rows(rng, n, n_features):
    """Numbers that meet thresholds, codes, zeros and missing values."""
    x = rng.normal(size=(n, n_features)).round(1)
    codes = rng.random(x.shape) < 0.4
    x[codes] = rng.integers(-1, 70, codes.sum())
    x[rng.random(x.shape) < 0.1] = 0
    x[rng.random(x.shape) < 0.15] = np.nan
    return x


@st.composite
def _call(draw, max_rows, max_inner, with_rows):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_features, n_outputs = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    trees = small_forest(
        rng,
        n_outputs * draw(st.integers(0, 2)),
        n_features,
        n_outputs if draw(st.booleans()) else None,
        max_inner=max_inner,
        cover=draw(st.sampled_from(("reals", "zeros", "none", "plain"))),
    )
    background = small_rows(rng, draw(st.integers(1, 4)), n_features) if draw(st.booleans()) else None
    if not with_rows:
        return (trees, n_features, n_outputs), {"background": background}
    x = small_rows(rng, draw(st.integers(1, max_rows)), n_features)
    return (x, trees, n_outputs), {"background": background}


def forests():
    return _call(0, 15, with_rows=False)


def forests_and_rows():
    return _call(3, 10, with_rows=True)


def forests_and_few_rows():
    return _call(2, 7, with_rows=True)
