"""Inputs for ``mlwright._kernels.tree_sparse``: compressed matrices of every kind that SciPy allows."""

import numpy as np
from hypothesis import strategies as st

from mlwright._kernels.tree_sparse import as_columns, as_rows
from mlwright.testing.tree import _column

_KINDS = ("normal", "few", "constant", "missing", "infinite")


@st.composite
def sparse_matrices(draw, max_rows=80, max_features=6):
    """CSR or CSC; int32 or int64 indices in any order, some twice; stored zeros; float32 or float64; NaN."""
    from scipy import sparse

    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.integers(1, max_rows)), draw(st.integers(1, max_features))
    kinds = draw(st.lists(st.sampled_from(_KINDS), min_size=p, max_size=p))
    x = np.stack([_column(rng, n, kind) for kind in kinds], axis=1)
    x[rng.random((n, p)) >= draw(st.sampled_from((0.0, 0.1, 0.5, 1.0)))] = 0
    i, j = np.nonzero(x != 0)
    value = x[i, j].astype(draw(st.sampled_from((np.float32, np.float64))))
    halves = draw(st.booleans())
    if halves:  # stored as two equal halves, which add up exactly
        i, j, value = np.tile(i, 2), np.tile(j, 2), np.tile(value / 2, 2)
    zeros = rng.integers(0, n * p, draw(st.integers(0, 5)))
    i, j = np.append(i, zeros // p), np.append(j, zeros % p)
    value = np.append(value, np.zeros(len(zeros), dtype=value.dtype))
    return _compressed(sparse, (n, p), i, j, value, rng, draw(st.sampled_from(("csr", "csc"))), draw(st.booleans()))


def _compressed(sparse, shape, i, j, value, rng, form, wide):
    """In compressed form with the entries of a row (or column) in random order, added up by nobody."""
    order = rng.permutation(len(i))
    major, minor = (i, j) if form == "csr" else (j, i)
    order = order[np.argsort(major[order], kind="stable")]
    index = np.int64 if wide else np.int32
    pointer = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=shape[form == "csc"]))]).astype(index)
    make = sparse.csr_matrix if form == "csr" else sparse.csc_matrix
    x = make(shape, dtype=value.dtype)
    x.data, x.indices, x.indptr = value[order], minor[order].astype(index), pointer
    return x


@st.composite
def weighted_columns(draw):
    x = draw(sparse_matrices())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weight = rng.integers(1, 4, x.shape[0]).astype(float) if draw(st.booleans()) else None
    return (as_columns(x),), {"weight": weight, "max_bins": draw(st.integers(2, 40))}


@st.composite
def columns_and_thresholds(draw):
    from mlwright.reference.tree_sparse import find_sparse_thresholds

    columns = as_columns(draw(sparse_matrices()))
    return (columns, *find_sparse_thresholds(columns, max_bins=draw(st.integers(2, 20)))), {}


@st.composite
def rows_and_places(draw):
    x = draw(sparse_matrices())
    first = draw(st.integers(0, x.shape[0]))
    last = draw(st.integers(first, x.shape[0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kept = rng.permutation(x.shape[1])[: draw(st.integers(0, x.shape[1]))]
    place = np.full(x.shape[1], -1)
    place[kept] = np.arange(len(kept))
    return (as_rows(x), place, len(kept), first, last), {}
