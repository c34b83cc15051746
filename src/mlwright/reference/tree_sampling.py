"""Twins of the trees' random draws: rows, features and cuts, each from a stream of its own."""

import math

import numpy as np

from mlwright.reference.rng import Rng

_STRATUM = 4096
_ROWS_OF_TREE, _FEATURES_OF_TREE, _FEATURES_OF_NODE, _CUT_OF_FEATURE = 3, 2, 1, 4


def _rng(seed, purpose, iteration, chunk=0):
    return Rng(seed, purpose << 32 | iteration, chunk)


def _share(share, n):
    return min(n, math.ceil(share * n))


def _draw(candidates, share, seed, iteration):
    """Mark ceil(share * m) of the m candidates, stratum after stratum (Knuth's algorithm S)."""
    drawn, before = np.zeros(len(candidates), dtype=bool), 0
    for chunk, begin in enumerate(range(0, len(candidates), _STRATUM)):
        here = begin + np.flatnonzero(candidates[begin : begin + _STRATUM])
        wanted = _share(share, before + len(here)) - _share(share, before)
        before += len(here)
        rng = _rng(seed, _ROWS_OF_TREE, iteration, chunk)
        for left, i in zip(range(len(here), 0, -1), here, strict=True):
            if wanted == 0:
                break
            if rng.below(left) < wanted:
                drawn[i] = True
                wanted -= 1
    return drawn


def draw_rows(n, subsample, subsample_freq, seed, iteration):
    """Which rows the trees of an iteration are grown on."""
    return _draw(np.ones(n, dtype=bool), subsample, seed, iteration // subsample_freq)


def draw_by_gradient(g, top_rate, other_rate, seed, tree):
    """The rows of the largest gradients, some of the others, and what the others' gradients are multiplied by."""
    n = len(g)
    n_top = _share(top_rate, n)
    n_drawn = min(n - n_top, _share(other_rate, n))
    size = (np.abs(g) * math.ldexp(1, -max(math.frexp(np.abs(g).max())[1], -970))).astype(np.float32)
    top = np.zeros(n, dtype=bool)
    top[np.argsort(-size, kind="stable")[:n_top]] = True
    others = _draw(~top, n_drawn / (n - n_top), seed, tree) if n_drawn else np.zeros(n, dtype=bool)
    return top, others, (n - n_top) / n_drawn if n_drawn else 1.0


def draw_share(share, n, seed, tree, node=None):
    """ceil(share * n) of n features, for a tree, or for a node of it."""
    if share >= 1 or n == 0:
        return np.arange(n)
    rng = _rng(seed, _FEATURES_OF_TREE, tree) if node is None else _rng(seed, _FEATURES_OF_NODE, tree, node)
    order, size = np.arange(n), max(1, _share(share, n))
    for i in range(min(size, n - 1)):
        j = i + rng.below(n - i)
        order[[i, j]] = order[[j, i]]
    return np.sort(order[:size])


def draw_cut(codes, n_bins, seed, tree, node, feature):
    """One of the cuts between the lowest and the highest code; the one above all codes where these are equal."""
    codes = codes[codes < n_bins]
    low, high = (codes.min(), codes.max()) if len(codes) else (0, 0)
    if low == high:
        return n_bins - 1
    return int(low) + _rng(seed, _CUT_OF_FEATURE, tree, node << 32 | feature).below(int(high - low))
