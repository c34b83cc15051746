"""From rows to what boosting grows trees on: every value a code."""

from mlwright._kernels import tree as kernels
from mlwright._kernels import tree_sparse


def binned(X, weight, max_bins, seed):
    """The binned matrix of dense or compressed rows."""
    if not tree_sparse.is_sparse(X):
        return kernels.bin_matrix(X, *kernels.find_thresholds(X, weight, max_bins, seed))
    columns = tree_sparse.as_columns(X)
    return tree_sparse.bin_columns(columns, *tree_sparse.find_sparse_thresholds(columns, weight, max_bins, seed))
