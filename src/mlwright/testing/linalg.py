"""Inputs for ``mlwright._kernels.linalg``: dense in every layout, and CSR with both index widths."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout


@st.composite
def designs(draw, max_rows=300, max_columns=40, min_rows=1, min_columns=1):
    """A design as the kernels read it; a drawn seed fills it, so that large shapes stay cheap to draw and to shrink."""
    n, p = draw(st.integers(min_rows, max_rows)), draw(st.integers(min_columns, max_columns))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = np.dtype(draw(st.sampled_from(["float64", "float32"])))
    spread, centre = draw(st.sampled_from([1.0, 100.0])), draw(st.sampled_from([0.0, 50.0]))
    X = (rng.standard_normal((n, p)) * spread + centre).astype(dtype)
    if draw(st.booleans()):
        return with_layout(X, draw(st.sampled_from(LAYOUTS)))
    X[rng.random((n, p)) < 0.6] = 0.0
    return csr_parts(X, np.dtype(draw(st.sampled_from(["int32", "int64"]))))


def csr_parts(X, index):
    """The CSR tuple of a dense array."""
    rows, columns = np.nonzero(X)
    indptr = np.searchsorted(rows, np.arange(len(X) + 1)).astype(index)
    return indptr, columns.astype(index), np.ascontiguousarray(X[rows, columns]), X.shape[1]


@st.composite
def coded_designs(draw, max_rows=300, max_columns=12):
    """Rows with categorical features as codes, behind which there may be numbers."""
    n, k = draw(st.integers(1, max_rows)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = rng.integers(1, 1 + max(1, max_columns // k), k)
    ends = np.cumsum(widths)
    codes = np.stack([rng.integers(end - width, end, n) for width, end in zip(widths, ends, strict=True)], axis=1)
    numbers = rng.standard_normal((n, draw(st.integers(1, 9)))) * 100.0 if draw(st.booleans()) else None
    return numbers, np.ascontiguousarray(codes, dtype=np.int32), ends.astype(np.int64)


def shape_of(X):
    if isinstance(X, tuple) and len(X) == 3:
        return len(X[1]), int(X[2][-1]) + (0 if X[0] is None else X[0].shape[1])
    return (len(X[0]) - 1, X[3]) if isinstance(X, tuple) else X.shape


def _rng(draw):
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def _weights(draw, rng, n):
    kind = draw(st.sampled_from(["none", "positive", "integer"]))
    if kind == "none":
        return None
    return rng.random(n) + 0.1 if kind == "positive" else rng.integers(0, 3, n).astype(float) + (np.arange(n) == 0)


@st.composite
def rows_and_weights(draw):
    X = draw(designs())
    n, _ = shape_of(X)
    rng = _rng(draw)
    return (X, rng.standard_normal((n, draw(st.integers(1, 3)))), _weights(draw, rng, n)), {}


@st.composite
def single_rows(draw):
    """Enough float32 rows for their first 256 to tell every column's mean and spread."""
    n, p = draw(st.integers(60, 700)), draw(st.integers(1, 40))
    rng = _rng(draw)
    centre, spread = draw(st.sampled_from([0.0, 3.0, 50.0])), draw(st.sampled_from([1e-3, 1.0, 100.0]))
    X = (rng.standard_normal((n, p)) * spread + centre * spread).astype(np.float32)
    y = rng.standard_normal((n, draw(st.integers(1, 3)))) * 1e4
    return (with_layout(X, draw(st.sampled_from(LAYOUTS))), y), {}


@st.composite
def sets_of_rows(draw):
    """Up to five sets of row numbers: in runs, scattered, repeated, some rows in none."""
    X = draw(designs())
    n, _ = shape_of(X)
    rng = _rng(draw)
    m, k = draw(st.integers(1, 2 * n)), draw(st.integers(1, 5))
    numbers = rng.integers(0, n, m) if draw(st.booleans()) else np.arange(m) % n
    inner = np.unique(rng.integers(1, m, k - 1)) if m > 1 else np.empty(0, dtype=np.int64)
    starts = np.concatenate([[0], inner, [m]]).astype(np.int64)
    return (X, rng.standard_normal((m, draw(st.integers(1, 3)))), _weights(draw, rng, m), numbers, starts), {}


@st.composite
def rows_and_coefficients(draw):
    X = draw(designs())
    n, p = shape_of(X)
    rng = _rng(draw)
    t = draw(st.integers(1, 3))
    scale = np.ldexp(1.0, rng.integers(-6, 1, p + t))
    y, mean, b = rng.standard_normal((n, t)), rng.standard_normal(p + t), rng.standard_normal((p, t))
    return (X, y, _weights(draw, rng, n), mean, scale, b), {}


@st.composite
def rows_and_row_shift(draw):
    X = draw(designs(max_columns=600 if draw(st.integers(0, 9)) == 0 else 40))
    n, p = shape_of(X)
    rng = _rng(draw)
    return (X, _weights(draw, rng, n), rng.standard_normal(n), rng.random(p) / 16), {}


@st.composite
def rows_and_maps(draw):
    X = draw(designs())
    _, p = shape_of(X)
    rng = _rng(draw)
    t = draw(st.sampled_from([1, 2, 3, 15, 16, 27]))
    return (X, rng.standard_normal((t, p)), rng.standard_normal(t)), {}
