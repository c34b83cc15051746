"""Twin of ``mlwright._kernels.tree_refit``."""

import math

import numpy as np

from mlwright.reference.tree_losses import gradients


def _leaf_of(trees, begin, row):
    node = 0
    while trees["feature"][begin + node] >= 0:
        i = begin + node
        x = row[trees["feature"][i]]
        left = trees["missing_left"][i] if np.isnan(x) else x <= trees["threshold"][i]
        node = trees["left" if left else "right"][i]
    return node


def _value(g, h, rules, low, high):
    size = h + rules["l2"]
    g = math.copysign(max(abs(g) - rules["l1"], 0.0), g)
    return min(max(-g / size if size > 0 else 0.0, low), high)


def _refit_tree(trees, begin, end, leaf_of_row, g, h, rules, decay):
    n = end - begin
    old = trees["value"][begin:end].copy()
    G, H = np.bincount(leaf_of_row, g, n), np.bincount(leaf_of_row, h, n)
    filled = np.bincount(leaf_of_row, minlength=n) > 0
    feature, sides = trees["feature"][begin:end], (trees["left"][begin:end], trees["right"][begin:end])
    for i in reversed(range(n)):
        if feature[i] >= 0:
            G[i], H[i] = (sum(side[i] for side in (total[sides[0]], total[sides[1]])) for total in (G, H))
    bounds = [(-math.inf, math.inf)] * n
    value = old.copy()
    for i in range(n):
        if feature[i] < 0:
            if filled[i] or len(rules["monotonic"]):
                fresh = rules["learning_rate"] * _value(G[i], H[i], rules, *bounds[i])
                value[i] = decay * old[i] + (1 - decay) * fresh
            continue
        left, right = sides[0][i], sides[1][i]
        bounds[left] = bounds[right] = low, high = bounds[i]
        direction = rules["monotonic"][feature[i]] if len(rules["monotonic"]) else 0
        if direction:
            middle = sum(_value(G[j], H[j], rules, low, high) for j in (left, right)) / 2
            lower, upper = (left, right) if direction > 0 else (right, left)
            bounds[lower], bounds[upper] = (low, middle), (middle, high)
    return value


def refit_leaves(x, y, weight, loss, rules, trees, start, decay):
    """Iteration by iteration: gradients at the refitted scores, sums by leaf, values within their bounds."""
    x = np.asarray(x, dtype=np.float64)
    weight = np.ones(len(y)) if weight is None else weight
    k, offsets = len(start), trees["offsets"]
    raw = np.repeat(np.asarray(start)[:, None], len(y), axis=1)
    values = [np.empty(0)]
    for first in range(0, len(offsets) - 1, k):
        g, h = gradients(loss.name, y, raw, loss.parameter)
        for j in range(k):
            begin, end = offsets[first + j], offsets[first + j + 1]
            leaf_of_row = np.array([_leaf_of(trees, begin, row) for row in x])
            values.append(_refit_tree(trees, begin, end, leaf_of_row, weight * g[j], weight * h[j], rules, decay))
            raw[j] += values[-1][leaf_of_row]
    return np.concatenate(values)
