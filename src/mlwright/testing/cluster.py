"""Inputs for ``mlwright._kernels.cluster``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.linalg import csr_parts


@st.composite
def _points(draw, max_rows=400, max_columns=20):
    """Rows with clusters among them, dense or sparse, far from the origin or not; and a generator for the rest."""
    n, p = draw(st.integers(1, max_rows)), draw(st.integers(1, max_columns))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)) + 3.0 * rng.standard_normal((5, p))[rng.integers(0, 5, n)]
    X = X.astype(draw(st.sampled_from(["float64", "float32"])))
    if draw(st.booleans()):
        X[rng.random((n, p)) < 0.6] = 0.0
        X[:, 0] += 0.01 * rng.random(n)  # no two rows alike, so no two centres are equally near but by chance
        return csr_parts(X, np.dtype(draw(st.sampled_from(["int32", "int64"])))), X, rng
    X = X + np.asarray(draw(st.sampled_from([0.0, 1000.0])), dtype=X.dtype)
    return X, X, rng


def _weights(draw, rng, n):
    w = rng.integers(0, 4, n).astype(float) if draw(st.booleans()) else rng.random(n) + 0.1
    return None if draw(st.booleans()) else w + (np.arange(n) == 0)


def _frame(draw, dense):
    return dense.mean(axis=0, dtype=np.float64), draw(st.sampled_from([1.0, 0.125]))


@st.composite
def lloyd_runs(draw):
    X, dense, rng = draw(_points())
    k = draw(st.integers(1, min(len(dense), 12)))
    start = dense[rng.choice(len(dense), k, replace=False)].astype(np.float64)
    if draw(st.booleans()):
        start = start + 1e-3 * rng.standard_normal(start.shape)
        start[0] += draw(st.sampled_from([0.0, 1e6]))  # a centre that is left alone
    return (X, _weights(draw, rng, len(dense)), start, *_frame(draw, dense), draw(st.integers(0, 9)), 1e-9), {}


@st.composite
def rows_and_centers(draw):
    X, dense, rng = draw(_points())
    centers = rng.standard_normal((draw(st.integers(1, 15)), dense.shape[1])) + dense.mean(axis=0)
    return (X, _weights(draw, rng, len(dense)), centers, *_frame(draw, dense)), {"with_sums": draw(st.booleans())}


@st.composite
def rows_and_points(draw):
    X, dense, rng = draw(_points())
    return (X, rng.standard_normal((draw(st.integers(1, 15)), dense.shape[1]))), {}


@st.composite
def seedings(draw):
    X, dense, rng = draw(_points(max_rows=150, max_columns=6))
    keys = rng.integers(0, 2**64, len(dense), dtype=np.uint64, endpoint=False)
    w = _weights(draw, rng, len(dense))
    return (X, w, keys, draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(0, 2**64 - 1))), {}


@st.composite
def samples(draw):
    n = draw(st.integers(1, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    keys = rng.integers(0, 2**64, n, dtype=np.uint64, endpoint=False)[rng.integers(0, n, n)]
    return (_weights(draw, rng, n), keys, draw(st.integers(1, 10)), draw(st.integers(0, 2**64 - 1))), {}
