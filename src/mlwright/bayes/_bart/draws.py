"""Drawn trees as a model keeps them: counts of splits, their place in model files."""

import numpy as np

from mlwright.io.composite import Record
from mlwright.io.schema import Tensor

# Sums of trees differ in size; that the arrays of one fit together is checked with the trees themselves.
TREES = Record(
    variable=Tensor("i4", "*"),
    value=Tensor("i4", "*"),
    right=Tensor("u2", "*"),
    kind=Tensor("u1", "*"),
    bound=Tensor("u1", "*"),
    sets=Tensor("u8", "*"),
    ends=Tensor("i8", "*"),
)


def split_counts(trees, n_trees, n_features):
    """How often each draw splits each feature: shape (draws, n_features)."""
    of_tree = np.diff(trees["ends"], prepend=0)
    of_draw = of_tree.reshape(-1, n_trees).sum(axis=1)
    inner = trees["variable"] >= 0
    draw = np.repeat(np.arange(len(of_draw)), of_draw)[inner]
    return np.bincount(draw * n_features + trees["variable"][inner], minlength=len(of_draw) * n_features).reshape(
        len(of_draw), n_features
    )
