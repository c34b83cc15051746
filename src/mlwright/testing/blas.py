"""Inputs for ``mlwright._kernels.blas``: from drawn sizes and a seed, matrices of known, modest condition."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout


def _layout(draw, a, dtype):
    return with_layout(a.astype(dtype), draw(st.sampled_from(LAYOUTS)))


@st.composite
def _problem(draw, smallest=1):
    """A random generator, two sizes and a dtype."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = st.integers(smallest, 12)
    return rng, draw(size), draw(size), np.dtype(draw(st.sampled_from(("float64", "float32"))))


def _orthogonal(rng, m, n):
    return np.linalg.qr(rng.standard_normal((m, n)))[0]


def _with_singular_values(rng, m, n):
    """A matrix with the well separated singular values 1, 2, ..., min(m, n)."""
    r = min(m, n)
    return (_orthogonal(rng, m, r) * np.arange(r, 0, -1)) @ _orthogonal(rng, n, r).T


@st.composite
def positive_definite(draw):
    rng, n, _, dtype = draw(_problem())
    v = _orthogonal(rng, n, n)
    return (_layout(draw, (v * np.arange(1, n + 1)) @ v.T, dtype),), {}


@st.composite
def positive_definite_system(draw):
    (a,), _ = draw(positive_definite())
    b = draw(_problem())[0].standard_normal((a.shape[0], draw(st.integers(0, 3))))
    return (a, _layout(draw, b, a.dtype)), {}


@st.composite
def separated_symmetric(draw):
    """Eigenvalues that differ, so that the eigenvectors are unique but for their signs."""
    rng, n, _, dtype = draw(_problem())
    v = _orthogonal(rng, n, n)
    return (_layout(draw, (v * (np.arange(n) - n // 2)) @ v.T, dtype),), {}


@st.composite
def separated_matrix(draw):
    rng, m, n, dtype = draw(_problem())
    return (_layout(draw, _with_singular_values(rng, m, n), dtype),), {}


@st.composite
def least_squares(draw):
    """Full and deficient rank, more rows than columns and fewer."""
    rng, m, n, _ = draw(_problem(smallest=2))
    a = _with_singular_values(rng, m, n)
    if draw(st.booleans()):
        a[:, -1] = 0.0
    return (_layout(draw, a, np.float64), _layout(draw, rng.standard_normal((m, 2)), np.float64)), {}


@st.composite
def tall_matrix(draw):
    rng, m, n, dtype = draw(_problem())
    return (_layout(draw, _with_singular_values(rng, max(m, n), min(m, n)), dtype),), {}


@st.composite
def one_matrix(draw):
    rng, m, n, dtype = draw(_problem())
    return (_layout(draw, rng.standard_normal((m, n)), dtype),), {}


@st.composite
def matrix_product(draw):
    rng, m, n, dtype = draw(_problem())
    k = draw(st.integers(1, 8))
    return (_layout(draw, rng.standard_normal((m, k)), dtype), _layout(draw, rng.standard_normal((k, n)), dtype)), {}


@st.composite
def matrix_vector(draw):
    rng, m, n, dtype = draw(_problem())
    return (_layout(draw, rng.standard_normal((m, n)), dtype), _layout(draw, rng.standard_normal(n), dtype)), {}


@st.composite
def lower_system(draw):
    rng, n, k, dtype = draw(_problem())
    lower = np.tril(rng.uniform(-1, 1, (n, n)) / n) + np.diag(rng.uniform(1, 2, n))
    return (_layout(draw, lower, dtype), _layout(draw, rng.standard_normal((n, k)), dtype)), {}
