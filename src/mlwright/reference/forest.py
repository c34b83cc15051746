"""Twins of ``mlwright._kernels.forest``: the rules of a node, one row and one tree at a time."""

import math
from itertools import pairwise

import numpy as np

NUMERIC, ZERO_AS_MISSING, CATEGORICAL = range(3)


def _in_set(trees, s, x):
    """Whether the category trunc(x) is in set s."""
    words = trees["set_words"][trees["set_offsets"][s] : trees["set_offsets"][s + 1]]
    if math.isinf(x) or not 0 <= int(x) < 32 * len(words):
        return False
    code = int(x)
    return bool(words[code // 32] >> (code % 32) & 1)


def goes_left(trees, node, x):
    """Whether x goes left at a node, counted within the whole forest."""
    rule = trees["rule"][node] if "rule" in trees else NUMERIC
    if math.isnan(x) or (rule == ZERO_AS_MISSING and abs(x) <= float(np.float32(1e-35))):
        return bool(trees["missing_left"][node])
    if rule == CATEGORICAL:
        return _in_set(trees, trees["category_set"][node], x)
    return x <= trees["threshold"][node]


def leaf_of(trees, tree, row):
    """The leaf, counted within the whole forest, that a row ends in."""
    begin = trees["offsets"][tree]
    node = begin
    while trees["feature"][node] >= 0:
        left = goes_left(trees, node, row[trees["feature"][node]])
        node = begin + trees["left" if left else "right"][node]
    return node


def predict_forest(x, trees, start, input_dtype="float64", sum_dtype="float64", divide_by=1.0):
    """Walk every tree for every row; add in the order of the trees."""
    with np.errstate(over="ignore"):
        x = np.asarray(x).astype(input_dtype).astype(np.float64)
    value = np.asarray(trees["value"]).astype(sum_dtype)
    raw = np.repeat(np.asarray(start).astype(sum_dtype)[:, None], len(x), axis=1)
    for tree in range(len(trees["offsets"]) - 1):
        for i, row in enumerate(x):
            leaf = leaf_of(trees, tree, row)
            if value.ndim == 2:
                raw[:, i] += value[leaf]
            else:
                raw[tree % len(raw), i] += value[leaf]
    return raw.astype(np.float64) / divide_by


def check_forest(trees, n_features):
    """The number of trees; ValueError unless each is one, with children after parents."""
    offsets = trees["offsets"]
    n_sets = len(trees.get("set_offsets", (0,))) - 1
    for begin, end in pairwise(offsets):
        parents = np.zeros(end - begin, dtype=int)
        for i in range(end - begin):
            if trees["feature"][begin + i] < 0:
                continue
            children = [trees["left"][begin + i], trees["right"][begin + i]]
            if trees["feature"][begin + i] >= n_features or not all(i < child < end - begin for child in children):
                raise ValueError("a node's feature or child is out of range")
            categorical = "rule" in trees and trees["rule"][begin + i] == CATEGORICAL
            if categorical and not 0 <= trees["category_set"][begin + i] < n_sets:
                raise ValueError("a node's category set is out of range")
            np.add.at(parents, children, 1)
        if (parents[1:] != 1).any():
            raise ValueError("a node has no parent or two")
    return len(offsets) - 1
