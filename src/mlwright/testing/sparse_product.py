"""Inputs for ``mlwright._kernels.sparse_product``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.linalg import csr_parts


def _matrices(draw):
    n, p, m = draw(st.integers(1, 600)), draw(st.integers(1, 60)), draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.standard_normal((n, p)) * (rng.random((n, p)) < draw(st.sampled_from([0.0, 0.2, 1.0])))
    A = A.astype(draw(st.sampled_from(["float64", "float32"])))
    return A, np.dtype(draw(st.sampled_from(["int32", "int64"]))), rng.standard_normal((p, m))


@st.composite
def matrices(draw):
    A, index, B = _matrices(draw)
    return (csr_parts(A, index), B), {}


@st.composite
def squared_matrices(draw):
    A, index, B = _matrices(draw)
    return (csr_parts(A, index), csr_parts(A.T, index), B), {}
