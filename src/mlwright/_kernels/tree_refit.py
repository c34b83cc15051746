"""New values for the leaves of fitted trees, from other rows."""

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels import tree as kernels
from mlwright._kernels.forest import Forest
from mlwright._runtime.registry import Tolerance, kernel

__all__ = ["refit_leaves"]


@kernel(
    native=(),
    twin="tree_refit:refit_leaves",
    strategy="tree_refit:trees_and_new_rows",
    tolerance=Tolerance(rtol=1e-9, atol=1e-12),
)
def refit_leaves(x, y, weight, loss, rules, trees, start, decay):
    """Values of all nodes after each leaf has moved to ``decay`` times the old plus ``1 - decay`` times the new value.

    The new value is what the gradients of the rows in a leaf make it, at the scores that the refitted trees before it
    give; a leaf without rows stays, or, under monotonic constraints, moves towards the value nearest 0 that they allow.
    """
    k, n_features, offsets = len(start), x.shape[1], trees["offsets"]
    column, rules = _columns_that_matter(n_features, rules)
    booster = kernels.make_booster(_uncut(len(y), max(1, len(rules["monotonic"]))), y, weight, loss, rules)
    booster.set_start(layout.vector(start))
    numbers, values = _leaf_numbers(trees, k, n_features), []
    for first in range(0, len(offsets) - 1, k):
        leaves = numbers.add_to(np.zeros((k, len(y))), x, first, first + k).astype(np.int32)
        values += booster.refit([(*_arrays(trees, first + j, column), leaves[j]) for j in range(k)], decay)
    return np.concatenate([np.empty(0), *values])


def _columns_that_matter(n_features, rules):
    """A column for each constrained feature and one for all others, and the rules in these columns."""
    directions = np.asarray(rules["monotonic"], dtype=np.int64)
    constrained = np.flatnonzero(directions)
    column = np.full(n_features, len(constrained), dtype=np.int32)
    column[constrained] = np.arange(len(constrained))
    monotonic = [*directions[constrained].tolist(), 0] if len(constrained) else []
    return column, {
        **rules,
        "monotonic": monotonic,
        "categorical": [],
        "interaction": [],
        "subsample": 1.0,
        "by_gradient": False,
    }


def _uncut(n_rows, n_columns):
    """Bins of one code each: the leaves of the rows are known."""
    return kernels.bin_matrix(np.zeros((n_rows, n_columns)), np.empty(0), np.zeros(n_columns + 1, dtype=np.int64))


def _leaf_numbers(trees, n_outputs, n_features):
    """A forest that predicts the number within its tree of the leaf that a row falls into."""
    sizes = np.diff(trees["offsets"])
    number = np.arange(trees["offsets"][-1]) - np.repeat(trees["offsets"][:-1], sizes)
    return Forest({**trees, "value": number.astype(np.float64)}, np.zeros(n_outputs), n_features)


def _arrays(trees, tree, column):
    nodes = slice(trees["offsets"][tree], trees["offsets"][tree + 1])
    feature = trees["feature"][nodes]
    feature = np.where(feature < 0, -1, column[feature]).astype(np.int32)
    return feature, *(np.ascontiguousarray(trees[name][nodes]) for name in ("left", "right", "value"))
