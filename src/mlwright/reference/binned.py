"""Twins of ``mlwright._kernels.binned``."""

import numpy as np

from mlwright.reference.tree_bins import bin_codes
from mlwright.reference.tree_sparse import sparse_codes


def taken_codes(columns, thresholds, offsets, rows):
    """Rows of the codes."""
    return sparse_codes(columns, thresholds, offsets)[rows]


def values_of_codes(x, thresholds, offsets, rows, features):
    """Each bin's upper end; infinity has none above, and NaN is missing."""
    codes = bin_codes(x, thresholds, offsets)[rows][len(rows) // 2 :]
    out = np.empty((len(codes), len(features)))
    for k, j in enumerate(features):
        out[:, k] = np.concatenate([thresholds[offsets[j] : offsets[j + 1]], [np.inf, np.nan]])[codes[:, j]]
    return out
