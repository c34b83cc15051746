"""Inputs for ``mlwright._kernels.horseshoe``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def shrinkages(draw):
    """Global scales from next to nothing to huge, and coefficients from none to certain."""
    word = st.integers(0, 2**64 - 1)
    size = draw(st.sampled_from([4097])) if draw(st.integers(0, 15)) == 7 else draw(st.sampled_from([0, 1, 40]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    q = 10.0 ** rng.uniform(*draw(st.sampled_from([(-6.0, 2.0), (-100.0, 100.0)])), size)
    e = rng.exponential(size=size) * draw(st.sampled_from([0.0, 1.0, 30.0, 1e6, 1e25]))
    return (draw(word), draw(word), q, np.minimum(e, 1e30)), {}
