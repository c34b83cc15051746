"""Inputs for ``mlwright._kernels.simd``."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlwright.testing.arrays import LAYOUTS, arrays, with_layout


@st.composite
def one_vector(draw):
    return (draw(arrays(draw(st.integers(0, 100)))),), {}


@st.composite
def two_vectors(draw):
    n = draw(st.integers(0, 100))
    return (draw(arrays(n, magnitude=1e3)), draw(arrays(n, magnitude=1e3))), {}


@st.composite
def any_doubles(draw):
    """An array of any shape and layout: infinities, NaN, subnormals and signed zeros are drawn too."""
    dtype = np.dtype(draw(st.sampled_from(("float64", "float32"))))
    everywhere = st.floats(width=8 * dtype.itemsize)
    interesting = st.floats(-800, 800, width=8 * dtype.itemsize)
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=40))
    values = draw(hnp.arrays(dtype, shape, elements=everywhere | interesting))
    return (with_layout(values, draw(st.sampled_from(LAYOUTS))),), {}
