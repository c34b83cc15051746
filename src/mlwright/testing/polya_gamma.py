"""Inputs for ``mlwright._kernels.polya_gamma``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def tilts(draw):
    """Scores from nothing to far out, of both signs."""
    word = st.integers(0, 2**64 - 1)
    sizes = st.sampled_from([0, 1, 40])
    size = draw(st.sampled_from([4097])) if draw(st.integers(0, 15)) == 7 else draw(sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    z = rng.standard_normal(size) * draw(st.sampled_from([0.0, 0.1, 1.0, 4.0, 40.0]))
    return (draw(word), draw(word), z), {}
