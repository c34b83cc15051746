"""Inputs for ``mlwright._kernels.row_triangle``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def independent_rows(draw):
    """Rows of many independent columns, of which some are chosen, each once."""
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, 20 * n)) + draw(st.sampled_from([0.0, 1.0]))
    chosen = rng.permutation(n)[: draw(st.integers(2, n))]
    mirror = None
    if draw(st.booleans()):
        mirror = np.full(len(chosen), 1.0 / np.sqrt(len(chosen)))
        mirror[-1] += 1.0
        mirror /= np.linalg.norm(mirror)
    return (X @ X.T, chosen, mirror, 1e-6), {}
