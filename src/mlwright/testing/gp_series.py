"""Inputs for ``mlwright._kernels.gp_series``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def terms_and_series(draw):
    """Up to four terms, and rows of which some are equal, some far apart and some not observed."""
    n = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    states = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    terms = [(s, float(rng.uniform(0.2, 3.0)), float(rng.uniform(0.2, 3.0))) for s in states]
    t = np.sort(rng.uniform(0.0, draw(st.sampled_from([1.0, 20.0, 300.0])), n))
    if draw(st.booleans()):
        t = np.round(t)
    observed = rng.random(n) < draw(st.sampled_from([0.3, 0.8, 1.0]))
    observed[0] = True
    y = rng.standard_normal((n, draw(st.integers(1, 3))))
    return (terms, t, y, rng.uniform(0.1, 1.0, n), observed), {"with_gradient": draw(st.booleans())}
