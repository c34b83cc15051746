"""Inputs for ``mlwright._kernels.column_products``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout


@st.composite
def matrices_and_vectors(draw):
    n, p, b = draw(st.sampled_from([1, 7, 8, 50, 2049, 4100])), draw(st.integers(1, 70)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)).astype(draw(st.sampled_from(["float64", "float32"])))
    return (with_layout(X, draw(st.sampled_from(LAYOUTS))), rng.standard_normal((n, b))), {}


@st.composite
def matrices_and_rows(draw):
    p, n = draw(st.integers(1, 40)), draw(st.integers(1, 11))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    B = rng.standard_normal((n, p)) * (rng.random((n, p)) < draw(st.sampled_from([0.0, 0.3, 1.0])))
    return (rng.standard_normal((p, p)), B), {}
