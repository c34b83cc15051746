"""Binned matrices that outlive one fit: rows taken from them, codes stored and read back, values for codes."""

import numpy as np

from mlwright._kernels import tree, tree_sparse
from mlwright._native import core
from mlwright._runtime.registry import kernel

__all__ = ["restored", "stored", "take_rows", "taken_codes", "values_of_codes"]


def stored(bins):
    """The codes as arrays: a tuple of columns where zeros are left out, else one uint8 array of shape (n, p)."""
    columns = core.tree.stored_columns(bins)
    return bins.codes() if columns is None else columns


def restored(codes, n_rows, values, offsets):
    """The binned matrix of what :func:`stored` gave; ValueError unless it fits the thresholds."""
    if isinstance(codes, tuple):
        return core.tree.binned_from_columns(*codes, n_rows, values, offsets)
    return core.tree.binned_from_codes(np.asarray(codes, dtype=np.uint8), values, offsets)


def take_rows(bins, rows):
    """The rows given, in that order, maybe more than once, as a binned matrix of its own."""
    return core.tree.take_rows(bins, np.ascontiguousarray(rows, dtype=np.uint32))


def values(bins, features, first, last):
    """A value for each code of rows ``first`` to ``last``: its bin's upper end, infinity for the last, NaN for none."""
    return core.tree.binned_values(bins, np.ascontiguousarray(features, dtype=np.int32), first, last)


@kernel(
    native=("tree.take_rows", "tree.stored_columns", "tree.binned_from_columns"),
    twin="binned:taken_codes",
    strategy="binned:sparse_columns_and_rows",
)
def taken_codes(columns, thresholds, offsets, rows):
    """Codes of some rows of sparse columns, by way of storing and restoring."""
    bins = tree_sparse.bin_columns(columns, thresholds, offsets)
    again = restored(stored(bins), columns[3], thresholds, offsets)
    return take_rows(again, rows).codes()


@kernel(
    native=("tree.binned_values", "tree.binned_from_codes"),
    twin="binned:values_of_codes",
    strategy="binned:matrix_and_rows",
)
def values_of_codes(x, thresholds, offsets, rows, features):
    """Values of the codes of some rows and features of a dense matrix, by way of storing and restoring."""
    bins = take_rows(restored(stored(tree.bin_matrix(x, thresholds, offsets)), len(x), thresholds, offsets), rows)
    return values(bins, features, len(rows) // 2, len(rows))
