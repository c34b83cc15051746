"""Inputs for ``mlwright._kernels.selection``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def selections(draw):
    """Few columns, some of them alike, with a ridge on the diagonal and any prior of sizes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.integers(3, 30)), draw(st.integers(0, 6))
    kappa = draw(st.sampled_from([0.1, 1.0, 20.0]))
    X = rng.standard_normal((n, p))
    if p > 1 and draw(st.booleans()):
        X[:, 1] = X[:, 0] + 0.01 * rng.standard_normal(n)
    y = X.sum(axis=1) * draw(st.sampled_from([0.0, 1.0])) + rng.standard_normal(n)
    A = np.column_stack([X, y])
    matrix = A.T @ A
    matrix[np.arange(p), np.arange(p)] += kappa
    return ((matrix, rng.standard_normal(p + 1), 0.5 * np.log(kappa), 0.5 * n + 0.1, 0.3),), {}
