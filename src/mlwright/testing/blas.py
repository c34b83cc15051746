"""Inputs for ``mlwright._kernels.blas``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, arrays, with_layout


@st.composite
def positive_definite_system(draw):
    """A symmetric positive definite matrix, well conditioned, and right-hand sides."""
    n, k = draw(st.integers(1, 12)), draw(st.integers(0, 3))
    root = np.asarray(draw(arrays((n, n), magnitude=1.0)), dtype=np.float64)
    a = with_layout(root @ root.T + n * np.eye(n), draw(st.sampled_from(LAYOUTS)))
    return (a, draw(arrays((n, k), magnitude=1e3))), {}
