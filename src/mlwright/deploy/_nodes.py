"""From the nodes of single trees, in any order, to the arrays of a forest."""

from dataclasses import dataclass

import numpy as np

from mlwright._runtime.errors import ModelFormatError

NUMERIC, NUMERIC_ZERO_MISSING, CATEGORICAL = 0, 1, 2

_DTYPES = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.uint8,
    "value": np.float64,
    "gain": np.float64,
    "count": np.int64,
    "cover": np.float64,
    "rule": np.uint8,
}
_OPTIONAL = ("cover", "rule")
_MOST_NODES = 1 << 31


@dataclass
class Nodes:
    """One tree: an entry a node, the root first.

    ``category_set`` says for every node which entry of ``sets`` holds its codes (-1: none); each entry is an array of
    uint32, bit c % 32 of word c // 32 for code c.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    gain: np.ndarray
    count: np.ndarray
    cover: np.ndarray | None = None
    rule: np.ndarray | None = None
    category_set: np.ndarray | None = None
    sets: tuple = ()

    def __len__(self):
        return len(self.feature)

    def taken(self, order):
        """The nodes in this order, children renumbered; nodes that it does not name are dropped."""
        place = np.full(len(self), -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        parts = {name: None if part is None else part[order] for name, part in vars(self).items() if name != "sets"}
        inner = parts["feature"] >= 0
        for side in ("left", "right"):
            parts[side] = np.where(inner, place[np.where(inner, parts[side], 0)], -1)
        return Nodes(**parts, sets=self.sets)


def ordered(nodes, what):
    """The same tree with children after their parents; ModelFormatError, naming `what`, if it is no tree."""
    n = len(nodes)
    inner = np.flatnonzero(nodes.feature >= 0)
    left, right = nodes.left[inner], nodes.right[inner]
    children = np.concatenate([left, right])
    if len(children) and (children.min() < 0 or children.max() >= n):
        raise ModelFormatError(f"{what}: a node's child is out of range; expected 0 to {n - 1}; the file is damaged")
    parents = np.bincount(children, minlength=n)
    if (left > inner).all() and (right > inner).all() and (parents[1:] == 1).all():
        return nodes
    return nodes.taken(_reached(nodes, what))


def _reached(nodes, what):
    """Nodes from the root on, parents first, each once."""
    feature, left, right = nodes.feature.tolist(), nodes.left.tolist(), nodes.right.tolist()
    order, seen = [0], bytearray(len(feature))
    seen[0] = 1
    for node in order:
        if feature[node] < 0:
            continue
        for child in (left[node], right[node]):
            if seen[child]:
                raise ModelFormatError(f"{what}: node {child} has two parents; the file is damaged")
            seen[child] = 1
            order.append(child)
    return np.asarray(order)


def join(trees):
    """The arrays of a forest from its trees."""
    sizes = [len(tree) for tree in trees]
    if sum(sizes) >= _MOST_NODES:
        raise ModelFormatError(f"forest: has {sum(sizes)} nodes; at most {_MOST_NODES - 1} are supported")
    joined = {}
    for name, dtype in _DTYPES.items():
        parts = [getattr(tree, name) for tree in trees]
        if name in _OPTIONAL and all(part is None for part in parts):
            continue
        parts = [np.zeros(n, dtype) if part is None else part for part, n in zip(parts, sizes, strict=True)]
        joined[name] = np.ascontiguousarray(np.concatenate(parts), dtype=dtype) if parts else np.zeros(0, dtype)
    joined["offsets"] = np.cumsum([0, *sizes], dtype=np.int64)
    if any(tree.sets for tree in trees):
        joined.update(_join_sets(trees, sizes))
    return joined


def _join_sets(trees, sizes):
    sets, parts = [], []
    for tree, n in zip(trees, sizes, strict=True):
        if tree.category_set is None:
            parts.append(np.full(n, -1, dtype=np.int32))
            continue
        parts.append(np.where(tree.category_set >= 0, tree.category_set + len(sets), -1).astype(np.int32))
        sets.extend(tree.sets)
    return {
        "category_set": np.concatenate(parts),
        "set_offsets": np.cumsum([0, *(len(words) for words in sets)], dtype=np.int64),
        "set_words": np.concatenate(sets).astype(np.uint32),
    }


def in_turn(trees, group, n_outputs, what):
    """Trees in an order in which tree t adds to output t % n_outputs; of each output the order stays.

    Outputs with fewer trees are filled up with trees that add 0.
    """
    by_output = [[] for _ in range(n_outputs)]
    for tree, output in zip(trees, group, strict=True):
        if not 0 <= output < n_outputs:
            raise ModelFormatError(f"{what}: a tree adds to output {output} of {n_outputs}; the file is damaged")
        by_output[output].append(tree)
    longest = max(map(len, by_output), default=0)
    if longest * n_outputs > 2 * len(trees) + n_outputs:
        raise ModelFormatError(f"{what}: its {len(trees)} trees leave most of {n_outputs} outputs out")
    return [(part[i] if i < len(part) else leaf(0.0)) for i in range(longest) for part in by_output]


def leaf(value, count=0, cover=None):
    """A tree of one leaf."""
    return Nodes(
        feature=np.array([-1]),
        threshold=np.zeros(1),
        left=np.array([-1]),
        right=np.array([-1]),
        missing_left=np.zeros(1, np.uint8),
        value=np.array([value]),
        gain=np.zeros(1),
        count=np.array([count]),
        cover=None if cover is None else np.array([cover]),
    )
