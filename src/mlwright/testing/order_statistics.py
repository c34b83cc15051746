"""Inputs for ``mlwright._kernels.order_statistics``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def rows_and_places(draw):
    """Few draws and many, with ties, infinities and NaNs, sorted ones, and their ends among the places."""
    n, draws = draw(st.integers(0, 4)), draw(st.sampled_from([1, 2, 9, 512, 513, 3000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.standard_cauchy((n, draws)) * draw(st.sampled_from([1.0, 1e300]))
    shape = draw(st.sampled_from(["any", "ties", "sorted", "infinite", "nan"]))
    if shape == "ties":
        values = np.round(rng.standard_normal((n, draws)))
    elif shape == "sorted":
        values.sort(axis=1)
    elif shape in ("infinite", "nan") and n:
        values[0, rng.integers(draws)] = -np.inf if shape == "infinite" else np.nan
    places = np.array([0, draws - 1, *draw(st.lists(st.integers(0, draws - 1), max_size=3))])
    return (values, places), {}
