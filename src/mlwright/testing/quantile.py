"""Inputs for ``mlwright._kernels.quantile``: rows in general position, so that coefficients and slopes are unique."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.linalg import designs, shape_of


@st.composite
def rows_and_levels(draw):
    X = draw(designs(min_rows=40, max_rows=300, max_columns=6))
    n, p = shape_of(X)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.standard_normal(n) * draw(st.sampled_from([1.0, 100.0]))
    w = None if draw(st.booleans()) else rng.random(n) + 0.5
    levels = rng.uniform(0.1, 0.9, draw(st.integers(1, 3)))
    l1 = None if draw(st.booleans()) else rng.random(p) * n * 0.05
    return (X, y, w, levels, np.zeros(p), np.full(p, 2.0**-6), True, l1), {}
