"""Inputs for ``mlwright._kernels.sampler.diagnose`` and ``pareto_smoothed``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def chains(draw):
    """Few chains of some draws: independent, sticky, drifting, with ties, outliers, constant or not finite."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    few = st.tuples(st.integers(1, 4), st.integers(2, 45), st.integers(0, 10))
    many = st.tuples(st.integers(1, 2), st.sampled_from([127, 128, 129, 256, 300]), st.just(1))  # words of bits
    x = rng.standard_normal(draw(st.one_of(few, many)))
    x *= draw(st.sampled_from([1.0, 1e-3, 1e6]))
    match draw(st.sampled_from(["plain", "sticky", "drift", "ties", "outlier", "constant", "not finite"])):
        case "sticky":
            x = np.cumsum(x, axis=1)
        case "drift":
            x += 3 * np.arange(len(x))[:, None, None]
        case "ties":
            x = np.round(x)
        case "outlier" if x.size:
            x.flat[draw(st.integers(0, x.size - 1))] *= 100
        case "constant":
            x[:] = 1.5
        case "not finite" if x.size:
            x.flat[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return (x,), {}


@st.composite
def log_likelihoods(draw):
    """Few observations under some draws: from nearly alike to heavy tails, with ties, few draws, and constant rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((draw(st.integers(1, 3)), draw(st.integers(1, 400))))
    match draw(st.sampled_from(["plain", "square", "ties", "constant"])):
        case "square":
            x = -x * x
        case "ties":
            x = np.round(x)
        case "constant":
            x[0] = -1.5
    x *= draw(st.sampled_from([1.0, 1e-3, 20.0]))
    return (x + draw(st.sampled_from([0.0, -50.0])), draw(st.sampled_from([1.0, 0.3]))), {}
