"""Twins of ``mlwright._kernels.shap``: Shapley values by going through every set of features.

Two games explain one row. Path-dependent: features outside the set are averaged out at each node by the covers of its
two sides. Interventional: they are taken from the rows of a background, and the results averaged.
"""

from itertools import combinations
from math import factorial

import numpy as np


def _goes_left(trees, node, x):
    """The rule of one node for one value; see ``mlwright._kernels.forest``."""
    rule = trees["rule"][node] if "rule" in trees else 0
    if np.isnan(x) or (rule == 1 and abs(x) <= float(np.float32(1e-35))):
        return bool(trees["missing_left"][node])
    if rule != 2:
        return bool(x <= trees["threshold"][node])
    which = trees["category_set"][node]
    words = trees["set_words"][trees["set_offsets"][which] : trees["set_offsets"][which + 1]]
    if not -1 < x < 32 * len(words) or not len(words):
        return False
    return bool(int(words[int(x) // 32]) >> (int(x) % 32) & 1)


def _share_left(trees, left, right):
    cover = trees["cover"] if "cover" in trees else trees["count"]
    total = float(cover[left]) + float(cover[right])
    return float(cover[left]) / total if total > 0 else 0.5


def _expected(trees, begin, node, row, known):
    """Value of a tree below a node when only the features in ``known`` are known."""
    if trees["feature"][node] < 0:
        return np.atleast_1d(trees["value"][node])
    left, right = begin + trees["left"][node], begin + trees["right"][node]
    j = trees["feature"][node]
    if j in known:
        return _expected(trees, begin, left if _goes_left(trees, node, row[j]) else right, row, known)
    share = _share_left(trees, left, right)
    below = [_expected(trees, begin, child, row, known) for child in (left, right)]
    return share * below[0] + (1 - share) * below[1]


def _game_of(trees, n_features, row, background):
    """v(S) of all trees together as a function: (tree, set of features) -> values."""

    def value(begin, known):
        if background is None:
            return _expected(trees, begin, begin, row, known)
        everything = set(range(n_features))
        hybrids = np.where([[j in known for j in range(n_features)]], row, background)
        return np.mean([_expected(trees, begin, begin, hybrid, everything) for hybrid in hybrids], axis=0)

    return value


def _sets(features):
    for size in range(len(features) + 1):
        yield from combinations(features, size)


def _shapley(value, begin, used):
    """What each used feature adds to one tree, averaged over all orders."""
    n = len(used)
    for i in used:
        total = 0.0
        for others in _sets([j for j in used if j != i]):
            weight = factorial(len(others)) * factorial(n - len(others) - 1) / factorial(n)
            total = total + weight * (value(begin, {*others, i}) - value(begin, {*others}))
        yield i, total


def _interactions(value, begin, used):
    """Half of the Shapley interaction index of each pair."""
    n = len(used)
    for i, j in combinations(used, 2):
        total = 0.0
        for others in _sets([k for k in used if k not in (i, j)]):
            weight = factorial(len(others)) * factorial(n - len(others) - 2) / factorial(n - 1)
            rest = {*others}
            both = value(begin, {*rest, i, j}) + value(begin, rest)
            both = both - value(begin, {*rest, i}) - value(begin, {*rest, j})
            total = total + weight / 2 * both
        yield i, j, total


def _outputs(trees, n_outputs):
    """For each tree: where it begins, its features, and to which outputs it adds."""
    for tree, (begin, end) in enumerate(zip(trees["offsets"][:-1], trees["offsets"][1:], strict=True)):
        inside = trees["feature"][begin:end]
        used = sorted({int(j) for j in inside[inside >= 0]})
        yield begin, used, slice(None) if trees["value"].ndim == 2 else slice(tree % n_outputs, tree % n_outputs + 1)


def shap_base(trees, n_features, n_outputs, background=None):
    """What the trees predict when nothing is known: shape (n_outputs,)."""
    base = np.zeros(n_outputs)
    value = _game_of(trees, n_features, np.full(n_features, np.nan), background)
    for begin, _, outputs in _outputs(trees, n_outputs):
        base[outputs] += value(begin, set())
    return base


def shap_values(x, trees, n_outputs, background=None):
    """Shapley values of every row, feature and output: shape (n, n_features, n_outputs)."""
    x = np.asarray(x, dtype=np.float64)
    phi = np.zeros((*x.shape, n_outputs))
    for i, row in enumerate(x):
        value = _game_of(trees, x.shape[1], row, background)
        for begin, used, outputs in _outputs(trees, n_outputs):
            for j, part in _shapley(value, begin, used):
                phi[i, j, outputs] += part
    return phi


def shap_interactions(x, trees, n_outputs, background=None):
    """Interaction values, symmetric, each row summing to the Shapley value: (n, n_features, n_features, n_outputs)."""
    x = np.asarray(x, dtype=np.float64)
    n, p = x.shape
    pairs = np.zeros((n, p, p, n_outputs))
    for i, row in enumerate(x):
        value = _game_of(trees, p, row, background)
        for begin, used, outputs in _outputs(trees, n_outputs):
            for j, k, part in _interactions(value, begin, used):
                pairs[i, j, k, outputs] += part
                pairs[i, k, j, outputs] += part
    diagonal = shap_values(x, trees, n_outputs, background) - pairs.sum(axis=2)
    pairs[:, np.arange(p), np.arange(p)] = diagonal
    return pairs
