"""Inputs for ``mlwright._kernels.simd``."""

from hypothesis import strategies as st

from mlwright.testing.arrays import arrays


@st.composite
def one_vector(draw):
    return (draw(arrays(draw(st.integers(0, 100)))),), {}


@st.composite
def two_vectors(draw):
    n = draw(st.integers(0, 100))
    return (draw(arrays(n, magnitude=1e3)), draw(arrays(n, magnitude=1e3))), {}
