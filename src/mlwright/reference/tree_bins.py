"""Twins of the binning and the histograms of ``mlwright._kernels.tree``; slow and readable."""

from itertools import pairwise

import numpy as np

_LARGEST = float(np.finfo(np.float64).max)


def _between(a, b):
    """A number t with a <= t < b: the mean if it is one."""
    with np.errstate(over="ignore", invalid="ignore"):
        middle = (a + b) / 2
        if not np.isfinite(middle) and np.isfinite(a) and np.isfinite(b):
            middle = a / 2 + b / 2
    if not a <= middle < b:
        middle = a
    return min(max(middle, -_LARGEST), _LARGEST)


def _quantiles(values, weight, max_bins):
    cumulative = np.cumsum(weight)
    cuts = []
    for k in range(1, max_bins):
        target = cumulative[-1] * k / max_bins
        i = min(int(np.searchsorted(cumulative, target, side="left")), len(values) - 1)
        on_the_step = cumulative[i] == target and i + 1 < len(values) and values[i] != values[i + 1]
        cuts.append(_between(values[i], values[i + 1]) if on_the_step else min(max(values[i], -_LARGEST), _LARGEST))
    cuts = sorted(set(cuts))
    return cuts[:-1] if cuts and cuts[-1] >= values[-1] else cuts


def _cuts(values, weight, max_bins):
    kept = ~np.isnan(values) & (weight > 0)
    values, weight = values[kept] + 0.0, weight[kept]
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    distinct = np.unique(values)
    if len(distinct) <= max_bins:
        return [_between(a, b) for a, b in pairwise(distinct)]
    return _quantiles(values, weight, max_bins)


def find_thresholds(x, weight=None, max_bins=255, seed=0):
    """Weighted quantiles, or midpoints where there are few distinct values."""
    x = np.asarray(x, dtype=np.float64)
    weight = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    cuts = [_cuts(x[:, j], weight, max_bins) for j in range(x.shape[1])]
    offsets = np.cumsum([0] + [len(c) for c in cuts])
    return np.concatenate([np.asarray(c, dtype=np.float64) for c in cuts] or [np.empty(0)]), offsets


def bin_codes(x, values, offsets):
    """Code = number of thresholds below the value; one more than all of them for NaN."""
    x = np.asarray(x, dtype=np.float64)
    codes = np.empty(x.shape, dtype=np.uint8)
    for j in range(x.shape[1]):
        cuts = values[offsets[j] : offsets[j + 1]]
        codes[:, j] = np.where(np.isnan(x[:, j]), len(cuts) + 1, np.searchsorted(cuts, x[:, j], side="left"))
    return codes


def _n_codes(x, offsets):
    return np.diff(offsets) + 1 + np.isnan(np.asarray(x, dtype=np.float64)).any(axis=0)


def histogram(x, values, offsets, rows, g, h):
    """Sums of g, sums of h and counts, feature after feature, code after code."""
    codes = bin_codes(x, values, offsets)[rows]
    h = np.ones_like(g) if h is None else h
    g, h = np.asarray(g, dtype=np.int64)[rows], np.asarray(h, dtype=np.int64)[rows]
    sums = ([], [], [])
    for j, n_codes in enumerate(_n_codes(x, offsets)):
        for code in range(n_codes):
            here = codes[:, j] == code
            for total, part in zip(sums, (g[here], h[here], here), strict=True):
                total.append(int(part.sum()))
    return tuple(np.asarray(total, dtype=np.int64) for total in sums)
