"""Inputs for ``mlwright._kernels.binned``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing import tree, tree_sparse


def _some(draw, n):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, n, draw(st.integers(0, 2 * n)))


@st.composite
def sparse_columns_and_rows(draw):
    (columns, thresholds, offsets), _ = draw(tree_sparse.columns_and_thresholds())
    return (columns, thresholds, offsets, _some(draw, columns[3])), {}


@st.composite
def matrix_and_rows(draw):
    (x, thresholds, offsets), _ = draw(tree.columns_and_thresholds())
    return (x, thresholds, offsets, _some(draw, len(x)), _some(draw, x.shape[1])), {}
