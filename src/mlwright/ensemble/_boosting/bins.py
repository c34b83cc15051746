"""Thresholds and codes of columns of numbers and of columns of codes."""

import numpy as np

from mlwright._kernels import tree, tree_sparse


def thresholds_and_bins(X, weight, max_bins, seed):
    """``(values, offsets)`` of all columns' thresholds, and the binned matrix; of a dense or compressed matrix."""
    if not tree_sparse.is_sparse(X):
        thresholds = tree.find_thresholds(X, weight, max_bins, seed)
        return thresholds, tree.bin_matrix(X, *thresholds)
    columns = tree_sparse.as_columns(X)
    thresholds = tree_sparse.find_sparse_thresholds(columns, weight, max_bins, seed)
    return thresholds, tree_sparse.bin_columns(columns, *thresholds)


def thresholds_beside_codes(X, n_codes, weight, max_bins, seed):
    """The same thresholds, where column j of the dense X is codes 0 to ``n_codes[j] - 1`` unless that is 0."""
    n_codes = np.asarray(n_codes)
    values, offsets = tree.find_thresholds(X[:, np.flatnonzero(n_codes == 0)], weight, max_bins, seed)
    of_numbers = iter(np.split(values, offsets[1:-1]))
    cuts = [np.arange(n - 1) + 0.5 if n else next(of_numbers) for n in n_codes]
    return np.concatenate(cuts), np.cumsum([0] + [len(c) for c in cuts])
