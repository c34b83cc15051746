"""Inputs for ``mlwright._kernels.normal_mixture``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def mixtures(draw):
    """Of one component to many, far out too; humps overlap: a quantile where there is no density has few digits."""
    n, components = draw(st.integers(0, 5)), draw(st.sampled_from([1, 2, 7, 8, 40]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    means = rng.standard_normal((n, components)) * draw(st.sampled_from([0.0, 0.3, 1.0]))
    sds = rng.uniform(0.5, 2.0, (n, components) if draw(st.booleans()) else components)
    levels = np.array(draw(st.lists(st.sampled_from([1e-6, 0.05, 0.5, 0.9, 0.999]), min_size=1, max_size=3)))
    return (means, sds, levels), {}
