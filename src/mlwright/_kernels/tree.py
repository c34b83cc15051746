"""Binning, histograms and boosting. Trees come out as a dict of arrays, see :mod:`mlwright._kernels.forest`."""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

__all__ = [
    "LossSpec",
    "bin_codes",
    "boost",
    "find_thresholds",
    "histogram",
    "packed_histogram",
]

_NO_WEIGHT = np.empty(0)


@dataclass(frozen=True)
class LossSpec:
    """Which loss the engine minimises.

    Attributes
    ----------
    name : str
        Of ``mlwright._kernels.loss.TABLE``, or "log_loss" and "one_vs_rest" of classes, or "user".
    n_outputs : int
        Trees an iteration.
    address : int
        Of the compiled function of a user's loss.
    start : float
        Start value of a user's loss; NaN to have it searched for.
    link : {"identity", "log", "logit"}
        Of a user's loss.
    parameter : float
        Of a loss that has one.
    levels : tuple of float
        Of "quantiles", which share one tree an iteration.
    leaf_address : int
        Of the compiled rule for leaves of a user's loss; 0 for Newton steps.
    """

    name: str
    n_outputs: int = 1
    address: int = 0
    start: float = float("nan")
    link: str = "identity"
    parameter: float = 0.0
    levels: tuple = ()
    leaf_address: int = 0

    @property
    def trees_per_iteration(self):
        return 1 if self.levels else self.n_outputs

    def apart(self):
        """Losses of one output each that stand for this one's outputs, where those share trees; else only this."""
        return [LossSpec("quantile", parameter=level) for level in self.levels] or [self]

    def native(self):
        own = self.address, self.start, self.link
        return self.name, self.n_outputs, *own, self.parameter, list(self.levels), self.leaf_address

    def wrap(self, booster, y, weight):
        """The booster as the loop of a fit uses it."""
        return SharedTrees(booster, self.n_outputs) if self.levels else booster

    def mean(self, y, raw, weight=None):
        """Weighted mean loss of scores ``raw`` of shape (n_outputs, n)."""
        return mean_loss(self, y, raw, weight)


def _weights(w):
    return _NO_WEIGHT if w is None else layout.vector(w)


@kernel(
    native="tree.find_thresholds",
    twin="tree_bins:find_thresholds",
    strategy="tree:columns",
    tolerance=Tolerance(rtol=1e-15),
)
def find_thresholds(x, weight=None, max_bins=255, seed=0):
    """Thresholds of every column's bins: ``(values, offsets)``; feature j has ``values[offsets[j]:offsets[j + 1]]``."""
    return core.tree.find_thresholds(layout.floats(x), _weights(weight), max_bins, seed)


@kernel(native="tree.bin", twin="tree_bins:bin_codes", strategy="tree:columns_and_thresholds")
def bin_codes(x, values, offsets):
    """Codes of every value, uint8 of the shape of x."""
    return bin_matrix(x, values, offsets).codes()


def bin_matrix(x, values, offsets):
    """The binned matrix as the booster reads it."""
    return core.tree.bin(layout.floats(x), values, offsets)


@kernel(native=(), twin="tree_bins:histogram", strategy="tree:codes_and_integers")
def histogram(x, values, offsets, rows, g, h):
    """Integer sums of g, of h and counts over some rows, by feature and code."""
    return bin_matrix(x, values, offsets).histogram(*_row_entries(rows, g, h))


@kernel(native=(), twin="tree_bins:histogram", strategy="tree:codes_and_small_integers")
def packed_histogram(x, values, offsets, rows, g, h):
    """The same from rows of 32 bits: ``|g| <= 2**15``, ``0 <= h <= 2**12``; or ``|g| <= 2**30``, h None for ones."""
    return bin_matrix(x, values, offsets).packed_histogram(*_row_entries(rows, g, () if h is None else h))


def _row_entries(rows, g, h):
    return np.ascontiguousarray(rows, dtype=np.uint32), *(np.ascontiguousarray(v, dtype=np.int64) for v in (g, h))


def make_booster(bins, y, weight, loss, rules, first_tree=0):
    """The native loop of one fit; see ``tree/booster.hpp``. y: numbers, or uint8 numbers of classes."""
    y = np.ascontiguousarray(y) if y.dtype == np.uint8 else layout.vector(y)
    booster = core.tree.Booster(bins, y, _weights(weight), loss.native(), rules, first_tree)
    return loss.wrap(booster, y, weight)


class SharedTrees:
    """A booster whose outputs share trees: leaves hold a value for each.

    The core gives one tree an output, which differ in the values of leaves only.
    """

    def __init__(self, booster, n_outputs):
        self._booster, self._n_outputs = booster, n_outputs

    def __getattr__(self, name):
        return getattr(self._booster, name)  # all but growing is the booster's

    def grow(self, n_iterations):
        trees, k = self._booster.grow(n_iterations), self._n_outputs
        sizes = np.diff(trees["offsets"])
        first = np.repeat(np.arange(len(sizes)) % k == 0, sizes)
        # Arrays of sets (set_offsets, set_words) are not by node; a set that only dropped copies name does no harm.
        by_node = set(trees) - {"value", "offsets", "set_offsets", "set_words"}
        shared = {name: array[first] if name in by_node else array for name, array in trees.items()}
        shared["offsets"] = np.concatenate([[0], np.cumsum(sizes[::k])]).astype(np.int64)
        blocks = np.split(trees["value"], trees["offsets"][1:-1])
        shared["value"] = np.concatenate(
            [np.stack(blocks[i : i + k], axis=1) for i in range(0, len(sizes), k)] or [np.empty((0, k))]
        )
        return {name: shared[name] for name in trees}


def tree_rules(
    *,
    learning_rate=0.1,
    max_leaf_nodes=31,
    max_depth=None,
    min_samples_leaf=20,
    l2_regularization=0.0,
    max_features=1.0,
    colsample_bytree=1.0,
    l1_regularization=0.0,
    min_child_weight=1e-3,
    extra_trees=False,
    subsample=1.0,
    subsample_freq=1,
    sampling="uniform",
    top_rate=0.2,
    other_rate=0.1,
    seed=0,
    monotonic=(),
    categorical=(),
    interaction=(),
):
    """Parameters of the grower, in scikit-learn's names and LightGBM's."""
    return {
        "learning_rate": float(learning_rate),
        "max_leaves": 0 if max_leaf_nodes is None else int(max_leaf_nodes),
        "max_depth": 0 if max_depth is None else min(int(max_depth), 1 << 30),
        "min_samples_leaf": min(int(min_samples_leaf), 1 << 40),
        "l2": float(l2_regularization),
        "l1": float(l1_regularization),
        "min_hessian": float(min_child_weight),
        "max_features": float(max_features),
        "tree_features": float(colsample_bytree),
        "extra_trees": bool(extra_trees),
        "subsample": float(subsample),
        "subsample_freq": int(subsample_freq),
        "by_gradient": sampling == "goss",
        "top_rate": float(top_rate),
        "other_rate": float(other_rate),
        "seed": int(seed),
        "monotonic": [int(c) for c in monotonic],
        "categorical": [int(c) for c in categorical],
        "interaction": [sorted(int(j) for j in group) for group in interaction],
    }


@kernel(native=(), twin="tree:boost", strategy="tree:boosting_problem", tolerance=Tolerance(rtol=1e-7, atol=1e-9))
def boost(x, y, weight=None, loss="squared_error", n_outputs=1, n_iterations=3, max_bins=255, parameter=0.0, **rules):
    """Start values, then feature, threshold, missing_left and value of all nodes of a small boosted model."""
    bins = bin_matrix(x, *find_thresholds(x, weight, max_bins))
    booster = make_booster(bins, y, weight, LossSpec(loss, n_outputs, parameter=parameter), tree_rules(**rules))
    start = booster.start()
    booster.set_start(start)
    trees = booster.grow(n_iterations)
    return start, trees["feature"], trees["threshold"], trees["missing_left"], trees["value"], booster.raw()


@kernel(
    native="tree.mean_loss",
    twin="tree_losses:mean_loss",
    strategy="tree:scored_targets",
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
)
def mean_loss(loss, y, raw, weight=None):
    """Weighted mean loss of scores ``raw`` of shape (n_outputs, n)."""
    return core.tree.mean_loss(loss.native(), layout.vector(y), np.ascontiguousarray(raw).ravel(), _weights(weight))


@kernel(
    native="tree.probabilities",
    twin="tree_losses:probabilities",
    strategy="tree:scores",
    tolerance=Tolerance(rtol=1e-13, atol=1e-15),
)
def probabilities(raw):
    """Class probabilities of shape (n, n_classes) from scores of shape (n_outputs, n)."""
    return core.tree.probabilities(layout.vector(raw)).T
