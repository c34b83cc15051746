"""Inputs for ``mlwright._kernels.column_moments``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout
from mlwright.testing.linalg import csr_parts


@st.composite
def rows_with_holes(draw):
    n, p = draw(st.integers(1, 1500)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)) * draw(st.sampled_from([1.0, 100.0])) + draw(st.sampled_from([0.0, 50.0]))
    X = X.astype(draw(st.sampled_from(["float64", "float32"])))
    if draw(st.booleans()):
        X[rng.random((n, p)) < draw(st.sampled_from([0.1, 1.0]))] = np.nan
    w = rng.integers(0, 3, n).astype(float) if draw(st.booleans()) else None
    if draw(st.booleans()):
        X[rng.random((n, p)) < 0.6] = 0.0
        return (csr_parts(X, np.dtype(draw(st.sampled_from(["int32", "int64"])))), w), {}
    return (with_layout(X, draw(st.sampled_from(LAYOUTS))), w), {}


@st.composite
def columns_to_standardise(draw):
    n, p = draw(st.integers(1, 60)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)).astype(draw(st.sampled_from(["float64", "float32"])))
    X[rng.random((n, p)) < 0.1] = np.nan
    shift = rng.standard_normal(p) if draw(st.booleans()) else None
    scale = rng.random(p) + 0.5 if draw(st.booleans()) else None
    return (with_layout(X, draw(st.sampled_from(LAYOUTS))), shift, scale), {"back": draw(st.booleans())}
