"""Forests: trees as flat arrays, their check, and scores by them.

``trees`` is a dict of arrays, one entry a node; tree t is nodes ``offsets[t]`` to ``offsets[t + 1]``, its root first:

=================  =========  =======================================================================================
feature            int32      -1: a leaf
threshold          float64
left, right        int32      counted within the tree, after their parent
missing_left       uint8
value              float64    of shape (n_nodes,): tree t adds to output t % n_outputs; or (n_nodes, n_outputs)
gain               float64    what the split won in training
count              int64      training rows of the node
offsets            int64      (n_trees + 1,)
=================  =========  =======================================================================================

These may be absent; then all nodes are numeric:

=================  =========  =======================================================================================
rule               uint8      0 numeric: left if x <= threshold; NaN by ``missing_left``. 1 zero as missing: NaN and
                              |x| <= float32(1e-35) by ``missing_left``, else as 0. 2 categorical: NaN by
                              ``missing_left``, else left if trunc(x) is in the node's set
category_set       int32      the set of a categorical node, else -1
set_offsets        int64      (n_sets + 1,): set s is words ``set_offsets[s]`` to ``set_offsets[s + 1]`` of
set_words          uint32     bit c % 32 of word c // 32: code c goes left
cover              float64    weight of the training rows of the node; absent: ``count``
=================  =========  =======================================================================================
"""

import weakref
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.tree_sparse import dense_blocks, has_blocks
from mlwright._native import core
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.registry import kernel

__all__ = ["Forest", "check_forest", "join_trees", "kept_forest", "predict_forest"]

_NODE_DTYPES = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.uint8,
    "value": np.float64,
    "gain": np.float64,
    "count": np.int64,
}
_OPTIONAL_NODE_DTYPES = {"rule": np.uint8, "category_set": np.int32, "cover": np.float64}
_SET_DTYPES = {"set_offsets": np.int64, "set_words": np.uint32}
_DTYPES = {**_NODE_DTYPES, **_OPTIONAL_NODE_DTYPES, **_SET_DTYPES, "offsets": np.int64}
_WALKED = ("feature", "threshold", "left", "right", "missing_left", "value", "offsets")
_FLOAT_NAMES = ("float64", "float32")
_ACCEPTS = ("any", "nan", "finite")
_NOT_PICKLED = ("_native", "_of_used_features", "briefly")


@dataclass(frozen=True, eq=False)
class Forest:
    """A forest and how its leaves become scores.

    Attributes
    ----------
    trees : dict of arrays
        As described above.
    start : float64 array of shape (n_outputs,)
    n_features : int
    input_dtype : {"float64", "float32"}
        x is rounded to this before it is compared.
    sum_dtype : {"float64", "float32"}
        Start and leaf values are rounded to this, and so is each addition, in the order of the trees.
    divide_by : float
        Of the sums: the number of trees where they are averaged.
    accepts : {"any", "nan", "finite"}
        Which numbers `briefly` takes: all, all but infinities, finite ones.
    """

    trees: dict
    start: np.ndarray
    n_features: int
    input_dtype: str = "float64"
    sum_dtype: str = "float64"
    divide_by: float = 1.0
    accepts: str = "any"

    @property
    def n_outputs(self):
        return len(self.start)

    @property
    def n_trees(self):
        return len(self.trees["offsets"]) - 1

    def predict_raw(self, X):
        """Scores of shape (n_outputs, n) for X of shape (n, n_features): an array or a compressed sparse matrix.

        Raises
        ------
        ModelFormatError
            Unless the arrays are trees; found out at the first call.
        """
        if type(X) is np.ndarray or not has_blocks(X):
            return self._native.predict(layout.floats(X))
        features, forest = self._of_used_features
        raw = np.empty((self.n_outputs, X.shape[0]))
        for begin, end, block in dense_blocks(X, features):
            raw[:, begin:end] = forest.predict_raw(block)
        return raw

    @cached_property
    def briefly(self):
        """``f(X)``: what `predict_raw` gives for a few plain rows, but at once; None for anything else.

        One row's prediction is dominated by what surrounds the trees. Plain is an aligned array of float32 or float64
        with the right number of columns, some rows, and numbers that are accepted.
        """
        return self._native.brief(_ACCEPTS.index(self.accepts))

    def add_to(self, raw, X, first=0, last=None):
        """Add the values of trees ``first`` to ``last`` to ``raw`` (n_outputs, n), neither started nor divided."""
        if not has_blocks(X):
            self._native.add_to(layout.floats(X), raw, first, self.n_trees if last is None else last)
            return raw
        features, forest = self._of_used_features
        for begin, end, block in dense_blocks(X, features):
            forest.add_to(raw[:, begin:end], block, first, last)
        return raw

    @cached_property
    def _of_used_features(self):
        """The features that the trees ask about, ascending, and the forest of those alone: often few of many."""
        self.check()
        features, renumbered = np.unique(np.maximum(self.trees["feature"], -1), return_inverse=True)
        n_leaf_codes = int(len(features) > 0 and features[0] < 0)
        trees = {**self.trees, "feature": (renumbered - n_leaf_codes).astype(np.int32)}
        features = features[n_leaf_codes:]
        return features, replace(self, trees=trees, n_features=len(features))

    @cached_property
    def _native(self):
        """The checked copy that the core walks; made at the first use in a process, never pickled."""
        for name in (self.input_dtype, self.sum_dtype):
            if name not in _FLOAT_NAMES:
                raise ModelFormatError(f"trees: got dtype {name!r}, expected float64 or float32; the model is damaged")
        return core.forest.Predictor(
            checked_arrays(self.trees),
            int(self.n_features),
            leaf_size(self.trees),
            layout.vector(self.start),
            float(self.divide_by),
            self.input_dtype == "float32",
            self.sum_dtype == "float32",
        )

    def check(self):
        """Raise ModelFormatError unless the forest is safe to walk and fits its start values."""
        self._native  # noqa: B018 the check is part of making it

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in _NOT_PICKLED}


_kept: dict[int, tuple] = {}  # id of the owner -> (weak reference to it, its trees, their forest)


def kept_forest(owner, trees, make):
    """The forest of an estimator, made once a process and again when its dict of trees is another.

    It is kept here and not in the estimator: a fitted model is arrays, and pickles, copies and files hold nothing else.
    """
    key = id(owner)
    entry = _kept.get(key)
    if entry is None or entry[1] is not trees:
        entry = _kept[key] = weakref.ref(owner, lambda _: _kept.pop(key, None)), trees, make()
    return entry[2]


def leaf_size(trees):
    """Numbers a leaf."""
    value = np.asarray(trees["value"])
    if value.ndim not in (1, 2):
        raise ModelFormatError(f"trees: got leaf values of {value.ndim} axes, expected 1 or 2; the model is damaged")
    return value.shape[1] if value.ndim == 2 else 1


def checked_arrays(trees):
    """The dict as the core reads it: dtypes and lengths of what it does not read are checked here."""
    missing = [name for name in _WALKED if name not in trees]
    if missing:
        raise ModelFormatError(f"trees: got no {', '.join(missing)}; the model is damaged")
    arrays = {name: layout.contiguous(array, _DTYPES[name]) for name, array in trees.items() if name in _DTYPES}
    for name in ("gain", "count", "cover"):
        if name in arrays and arrays[name].shape != arrays["feature"].shape:
            raise ModelFormatError(f"trees: {name} differs in length from their nodes; the model is damaged")
    cover = arrays.get("cover")
    if cover is not None and not (np.isfinite(cover).all() and (cover >= 0).all()):
        raise ModelFormatError("trees: got a cover that is negative or not finite; the model is damaged")
    return arrays


@kernel(native="forest.check", twin="forest:check_forest", strategy="forest:checked_forests")
def check_forest(trees, n_features):
    """Raise ModelFormatError unless the arrays are trees that are safe to walk; returns the number of trees."""
    core.forest.check(checked_arrays(trees), int(n_features), leaf_size(trees))
    return len(trees["offsets"]) - 1


@kernel(native=(), twin="forest:predict_forest", strategy="forest:forests_and_rows")
def predict_forest(x, trees, start, **rules):
    """Scores of shape (n_outputs, n); ``rules`` are the further attributes of :class:`Forest`."""
    return Forest(trees, start, x.shape[1], **rules).predict_raw(x)


def join_trees(parts):
    """One dict of trees from several, in order. What only some parts say is filled in for the others."""
    if not parts:
        required = {**_NODE_DTYPES, "offsets": np.int64}
        return {name: np.zeros(int(name == "offsets"), dtype=dtype) for name, dtype in required.items()}
    if len(parts) == 1:
        return parts[0]
    said = {name for part in parts for name in part}
    joined = {name: np.concatenate([part[name] for part in parts]) for name in _NODE_DTYPES if name in said}
    joined["offsets"] = _joined_offsets(parts, "offsets")
    if "rule" in said:
        joined["rule"] = np.concatenate([part.get("rule", np.zeros(_size(part), np.uint8)) for part in parts])
    if "cover" in said:
        joined["cover"] = np.concatenate([part["cover"] if "cover" in part else part["count"] * 1.0 for part in parts])
    if "category_set" in said:
        joined |= _joined_sets(parts)
    return joined


def _size(part):
    return len(part["feature"])


def _joined_offsets(parts, name):
    none = np.zeros(1, dtype=np.int64)
    offsets = [part.get(name, none) for part in parts]
    starts = np.cumsum([0] + [o[-1] for o in offsets])
    shifted = [o[:-1] + start for o, start in zip(offsets, starts, strict=False)]
    return np.concatenate([*shifted, starts[-1:]]).astype(np.int64)


def _joined_sets(parts):
    """Category sets, those of later parts renumbered."""
    n_sets = [len(part.get("set_offsets", (0,))) - 1 for part in parts]
    starts = np.cumsum([0, *n_sets])
    sets = [part.get("category_set", np.full(_size(part), -1, dtype=np.int32)) for part in parts]
    moved = [np.where(s >= 0, s + start, s).astype(np.int32) for s, start in zip(sets, starts, strict=False)]
    return {
        "category_set": np.concatenate(moved),
        "set_offsets": _joined_offsets(parts, "set_offsets"),
        "set_words": np.concatenate([part.get("set_words", np.zeros(0, np.uint32)) for part in parts]),
    }
