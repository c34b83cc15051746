"""Twin of ``mlwright._kernels.categories``: cross-fitted codes of levels."""

import math

import numpy as np

_MOST_CODES = 254
_MISSING = 255


def _cells(level, n_levels, g, h, fold):
    """Sums of g, of h, and counts, each of shape (n_levels, n_folds), and the mean m = sum g / sum h."""
    shape = n_levels, int(fold.max(initial=0)) + 1
    sums = [np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)]
    present = level >= 0
    for total, part in zip(sums, (g, h, np.ones(len(g), dtype=np.int64)), strict=True):
        np.add.at(total, (level[present], fold[present]), part[present])
    mean = sums[0].sum() / sums[1].sum() if sums[1].sum() > 0 else 0.0
    return *sums, mean


def _between_folds(cells):
    """Of each level, the sum over pairs of different folds of the product of what they hold."""
    return cells.sum(axis=1) ** 2 - (cells**2).sum(axis=1)


def _shrinkage(g, h, n):
    """The ratio of the noise of one row to the variance between levels, in units of h."""
    if n.sum() == 0:
        return math.inf
    size, lam = h.sum(axis=1), 10 * h.sum() / n.sum()
    for _ in range(4):
        weight = np.zeros(len(size))
        weight[size > 0] = 1 / (size[size > 0] + lam) ** 2
        pairs = (weight * _between_folds(h)).sum()
        between = (weight * _between_folds(g)).sum() / pairs if pairs > 0 else 0.0
        if between <= 0:
            return math.inf
        lam = max(((g**2).sum() - between * (h**2).sum()) / h.sum() / between, 0.0)
    return lam


def _effect(g, h, mean, lam):
    size = h + lam
    return np.where(size > 0, -(g - mean * h) / np.where(size > 0, size, 1), 0.0)


def _ends(values, counts):
    """Values after which a code ends."""
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(counts[order])
    ends = []
    for i in range(len(values) - 1):
        due = (len(ends) + 1) * below[-1]
        if values[i] != values[i + 1] and below[i] * _MOST_CODES >= due and len(ends) < _MOST_CODES - 1:
            ends.append(values[i])
    return np.array(ends)


def target_codes(levels, n_levels, g, h, fold):
    """The codes of rows and of levels, feature by feature and output by output."""
    of_rows, of_levels = [], []
    for level, n_of_feature in zip(levels, n_levels, strict=True):
        for g_k, h_k in zip(g, h, strict=True):
            cell_g, cell_h, cell_n, mean = _cells(level, n_of_feature, g_k, h_k, fold)
            lam = _shrinkage(cell_g - mean * cell_h, cell_h, cell_n)
            all_g, all_h = cell_g.sum(axis=1, keepdims=True), cell_h.sum(axis=1, keepdims=True)
            seen = _effect(all_g - cell_g, all_h - cell_h, mean, lam)
            ends = _ends(seen[cell_n > 0], cell_n[cell_n > 0])
            of_cell = np.searchsorted(ends, seen, side="left").astype(np.uint8)
            rows = np.where(level < 0, _MISSING, of_cell[np.maximum(level, 0), fold] if n_of_feature else _MISSING)
            whole = _effect(all_g, all_h, mean, lam)[:, 0]
            of_rows.append(rows.astype(np.uint8))
            of_levels.append(np.searchsorted(ends, whole, side="left").astype(np.uint8))
    return np.stack(of_rows), np.concatenate(of_levels)
