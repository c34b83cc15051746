"""Inputs for ``mlwright._kernels.sampler.diagnose``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def chains(draw):
    """Few chains of some draws: independent, sticky, drifting, with ties, constant or not finite."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((draw(st.integers(1, 4)), draw(st.integers(2, 45)), draw(st.integers(0, 10))))
    x *= draw(st.sampled_from([1.0, 1e-3, 1e6]))
    match draw(st.sampled_from(["plain", "sticky", "drift", "ties", "constant", "not finite"])):
        case "sticky":
            x = np.cumsum(x, axis=1)
        case "drift":
            x += 3 * np.arange(len(x))[:, None, None]
        case "ties":
            x = np.round(x)
        case "constant":
            x[:] = 1.5
        case "not finite" if x.size:
            x.flat[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return (x,), {}
