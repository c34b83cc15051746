"""Trees on sparse matrices: bins from columns, predictions from rows, never a whole dense matrix."""

from functools import partial

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import kernel

__all__ = [
    "as_columns",
    "as_rows",
    "dense_blocks",
    "find_sparse_thresholds",
    "gather_rows",
    "has_blocks",
    "is_sparse",
    "sparse_codes",
]

_BLOCK_BYTES = 1 << 23  # of the dense rows that are walked at once
_NO_WEIGHT = np.empty(0)


def is_sparse(x):
    """Whether x is a matrix in SciPy's compressed form."""
    return hasattr(x, "indptr") and hasattr(x, "indices")


def _parts(pointer, index, value):
    """The three arrays in dtypes that native code reads, both of indices in the same one."""
    wide = np.int64 if np.int64 in (pointer.dtype, index.dtype) else np.int32
    return (
        np.ascontiguousarray(pointer, wide),
        np.ascontiguousarray(index, wide),
        np.ascontiguousarray(layout.floats(value)),
    )


def _check(x):
    """SciPy converts without looking: indices out of range would be written out of bounds."""
    pointer, index = x.indptr, x.indices
    n_major, n_minor = x.shape if x.format == "csr" else x.shape[::-1]
    good = len(pointer) == n_major + 1 and pointer[0] == 0 and pointer[-1] <= len(index) and len(index) <= len(x.data)
    good = good and (np.diff(pointer) >= 0).all()
    if not (good and (not len(index) or (index.min() >= 0 and index.max() < n_minor))):
        raise ValueError(
            f"X: got a sparse matrix of shape {x.shape} whose indices are out of range or order, expected what "
            "check_format() accepts; build it anew"
        )


def as_columns(x):
    """``(pointer, row, value, n_rows)`` of a compressed matrix: rows of a column ascend, equal ones were added up."""
    _check(x)
    columns = x.tocsc()
    if not columns.has_canonical_format:
        columns = columns.copy() if columns is x else columns
        columns.sum_duplicates()
    return *_parts(columns.indptr, columns.indices, columns.data), x.shape[0]


def as_rows(x):
    """``(pointer, column, value)`` of a compressed matrix, in any order within a row."""
    _check(x)
    rows = x.tocsr()
    return _parts(rows.indptr, rows.indices, rows.data)


@kernel(
    native="tree.find_sparse_thresholds",
    twin="tree_sparse:find_sparse_thresholds",
    strategy="tree_sparse:weighted_columns",
)
def find_sparse_thresholds(columns, weight=None, max_bins=255, seed=0):
    """Thresholds of the bins of columns as of ``as_columns``: those of the same numbers in a dense matrix."""
    weight = _NO_WEIGHT if weight is None else layout.vector(weight)
    return core.tree.find_sparse_thresholds(*columns, weight, max_bins, seed)


@kernel(native="tree.bin_sparse", twin="tree_sparse:sparse_codes", strategy="tree_sparse:columns_and_thresholds")
def sparse_codes(columns, values, offsets):
    """Codes of every value, stored or not, uint8 of shape (n, p)."""
    return bin_columns(columns, values, offsets).codes()


def bin_columns(columns, values, offsets):
    """The binned matrix as the booster reads it."""
    return core.tree.bin_sparse(*columns, values, offsets)


@kernel(native="tree.gather_rows", twin="tree_sparse:gather_rows", strategy="tree_sparse:rows_and_places")
def gather_rows(rows, place, width, first, last):
    """Rows ``first`` to ``last`` as a dense array of ``width`` columns, column j at ``place[j]`` if that is not -1."""
    out = np.empty((last - first, width), dtype=rows[2].dtype)
    core.tree.gather_rows(*rows, np.ascontiguousarray(place, dtype=np.int32), first, out)
    return out


def has_blocks(x):
    """Whether rows of x are had densely by :func:`dense_blocks` only."""
    return is_sparse(x) or hasattr(x, "dense_block")


def dense_blocks(x, features):
    """``(begin, end, block)`` of all rows, dense in some features only: of a compressed matrix, or of binned rows."""
    size = max(64, _BLOCK_BYTES // (8 * max(1, len(features))))
    block_of = _rows_of(x, features) if is_sparse(x) else partial(x.dense_block, features)
    for begin in range(0, x.shape[0], size):
        end = min(begin + size, x.shape[0])
        yield begin, end, block_of(begin, end)


def _rows_of(x, features):
    rows = as_rows(x)
    place = np.full(x.shape[1], -1, dtype=np.int32)
    place[features] = np.arange(len(features))
    return partial(gather_rows, rows, place, len(features))
