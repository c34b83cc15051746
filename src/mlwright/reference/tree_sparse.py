"""Twins of ``mlwright._kernels.tree_sparse``: the same through dense matrices."""

import numpy as np

from mlwright.reference.tree_bins import bin_codes, find_thresholds


def _dense(columns):
    pointer, row, value, n_rows = columns
    x = np.zeros((n_rows, len(pointer) - 1), dtype=value.dtype)
    for j in range(x.shape[1]):
        here = slice(pointer[j], pointer[j + 1])
        x[row[here], j] = value[here]
    return x


def find_sparse_thresholds(columns, weight=None, max_bins=255, seed=0):
    """Those of the dense matrix."""
    return find_thresholds(_dense(columns), weight, max_bins, seed)


def sparse_codes(columns, values, offsets):
    """Those of the dense matrix."""
    return bin_codes(_dense(columns), values, offsets)


def gather_rows(rows, place, width, first, last):
    """Entry by entry; equal places add up."""
    pointer, column, value = rows
    out = np.zeros((last - first, width), dtype=value.dtype)
    for i in range(first, last):
        for k in range(pointer[i], pointer[i + 1]):
            if place[column[k]] >= 0:
                out[i - first, place[column[k]]] += value[k]
    return out
