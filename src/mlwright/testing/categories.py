"""Inputs for ``mlwright._kernels.categories``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def levels_and_gradients(draw):
    """Gradients that are small integers: their sums, and so the order of levels, are exact."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_features, n_outputs = draw(st.integers(1, 400)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    n_levels = rng.integers(1, draw(st.sampled_from((3, 30, 600))), n_features)
    levels = np.stack([rng.integers(-1, k, n) for k in n_levels]).astype(np.int32)
    g = rng.integers(-3, 4, (n_outputs, n)) + (levels[0] % 3 - 1)
    h = rng.integers(1, 3, (n_outputs, n)) if draw(st.booleans()) else np.ones((n_outputs, n))
    fold = rng.integers(0, draw(st.sampled_from((2, 5))), n).astype(np.uint8)
    return (levels, n_levels, g.astype(float), h.astype(float), fold), {}
