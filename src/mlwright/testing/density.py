"""Inputs for ``mlwright._kernels.density``."""

import numpy as np
from hypothesis import strategies as st

_KINDS = range(6)
_SIMPLEX = 5


@st.composite
def blocks(draw):
    """One to three parameters of any constraint."""
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(_KINDS))
        size = draw(st.integers(2 if kind == _SIMPLEX else 1, 4))
        lower = draw(st.floats(-10, 10))
        rows.append((kind, size, lower, lower + draw(st.floats(0.1, 10))))
    return np.array(rows, dtype=np.float64)


def _numbers(n, bound):
    return st.lists(st.floats(-bound, bound), min_size=n, max_size=n).map(np.array)


@st.composite
def free_numbers(draw):
    table = draw(blocks())
    return (table, draw(_numbers(_free_size(table), 8))), {}


@st.composite
def gradients(draw):
    (table, u), _ = draw(free_numbers())
    return (table, u, draw(_numbers(int(table[:, 1].sum()), 100))), {}


@st.composite
def points(draw):
    """Points that satisfy the constraints, and some that do not."""
    from mlwright.reference.density import constrain

    table = draw(blocks())
    x, _ = constrain(table, draw(_numbers(_free_size(table), 3)))
    if draw(st.booleans()):
        x = x - draw(st.sampled_from([0.0, 1e3]))
    return (table, x), {}


def _free_size(table):
    return int(table[:, 1].sum() - (table[:, 0] == _SIMPLEX).sum())
