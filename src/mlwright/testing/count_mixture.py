"""Inputs for ``mlwright._kernels.count_mixture``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def mixtures(draw):
    """Of one component to many, near each other and far apart, Poisson and negative binomial."""
    n, components = draw(st.integers(0, 4)), draw(st.sampled_from([1, 2, 7, 8, 40]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale, spread = draw(st.sampled_from([0.0, 0.01, 1.0, 6.0, 40.0])), draw(st.sampled_from([0.0, 0.02, 0.3, 1.5]))
    means = scale * np.exp(spread * rng.standard_normal((n, components)))
    dispersions = None
    if draw(st.booleans()):
        around = draw(st.sampled_from([0.0, 0.05, 0.4, 1.0])) * rng.standard_normal(components)
        dispersions = draw(st.sampled_from([1e-12, 1e-3, 0.2, 1.0, 3.0])) * np.exp(around)
    levels = np.array(draw(st.lists(st.sampled_from([1e-6, 0.05, 0.5, 0.9, 0.97]), min_size=1, max_size=3)))
    return (means, dispersions, levels), {}
