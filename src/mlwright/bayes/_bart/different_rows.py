"""Rows of codes and classes that are the same, counted as one: what latent variables are drawn for."""

import numpy as np

_ROWS_AT_ONCE = 1 << 14
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def different_rows(codes, places, weight):
    """Different rows with whole weights, in an order of their own: latent variables depend on no order of rows.

    They are ordered by hashes, which are sorted sooner than rows are; rows of equal hashes by themselves.
    """
    keys = np.concatenate([_hashes(codes[rows], places[rows]) for rows in _in_blocks(len(codes))])
    order = np.argsort(keys)
    keys = keys[order]
    for begin, end in _clashes(codes, places, keys, order):
        part = order[begin:end]
        order[begin:end] = part[np.lexsort([places[part], *codes[part].T])]
    first = np.flatnonzero(np.append(True, _differ(codes, places, order)))
    w = np.ones(len(order)) if weight is None else weight[order]
    return codes[order[first]], places[order[first]], np.add.reduceat(w, first).astype(np.int64)


def _in_blocks(n):
    return (slice(begin, begin + _ROWS_AT_ONCE) for begin in range(0, n, _ROWS_AT_ONCE))


def _hashes(codes, places):
    """Of rows, uint64: polynomials, with the bits mixed as in splitmix64."""
    out = places.astype(np.uint64)
    for column in codes.T:
        out = out * _FACTOR + column
    out = (out ^ (out >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return out ^ (out >> np.uint64(31))


def _differ(codes, places, order):
    """Whether each row, in that order, differs from the one before it; of all but the first."""
    out = np.empty(len(order) - 1, dtype=bool)
    for rows in _in_blocks(len(out)):
        a, b = order[:-1][rows], order[1:][rows]
        out[rows] = (codes[a] != codes[b]).any(axis=1) | (places[a] != places[b])
    return out


def _clashes(codes, places, keys, order):
    """Stretches of equal hashes in which not all rows are equal."""
    clash = _differ(codes, places, order) & (keys[1:] == keys[:-1])
    for key in np.unique(keys[1:][clash]):
        yield np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
