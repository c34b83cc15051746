"""Inputs for ``mlwright._kernels.gp_vecchia``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.gp import programs


def _points(draw, most, least=1):
    n, d = draw(st.integers(least, most)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = np.round(2.0 * X)  # equal rows, equal distances
    return rng, X


@st.composite
def points(draw):
    return (_points(draw, 400)[1],), {}


@st.composite
def points_and_number(draw):
    return (_points(draw, 300)[1], draw(st.integers(1, 30))), {}


@st.composite
def points_queries_and_number(draw):
    rng, X = _points(draw, 300)
    queries = np.round(2.0 * rng.standard_normal((draw(st.integers(1, 50)), X.shape[1])))
    return (X, queries, draw(st.integers(1, 30))), {}


def _neighbours(rng, counts, m):
    """A random set of as many rows as there are to choose from, up to m."""
    table = np.full((len(counts), m), -1, dtype=np.int64)
    for i, count in enumerate(counts):
        table[i, : min(m, count)] = rng.permutation(count)[:m]
    return table


@st.composite
def rows_and_neighbours(draw):
    rng, X = _points(draw, 40)
    n, y = len(X), rng.standard_normal((len(X), draw(st.integers(1, 3))))
    near = _neighbours(rng, range(n), draw(st.integers(1, 8)))
    arguments = (draw(programs(X.shape[1])), X, y, rng.uniform(0.3, 1.0, n), near)
    return arguments, {"with_gradient": draw(st.booleans())}


@st.composite
def queries_and_neighbours(draw):
    rng, X = _points(draw, 40)
    queries = rng.standard_normal((draw(st.integers(1, 20)), X.shape[1]))
    near = _neighbours(rng, [len(X)] * len(queries), draw(st.integers(1, 8)))
    return (draw(programs(X.shape[1])), X, rng.uniform(0.3, 1.0, len(X)), queries, near), {}
