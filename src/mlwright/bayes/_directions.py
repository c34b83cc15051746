"""Directions along which a density may be flat although it is not along any one number: sums, differences, shifts.

Candidates only: whether the density integrates along them is asked elsewhere. They have small whole numbers, so that
far out, where nothing is left of the digits of a start, what cancels in the density cancels to the bit.
"""

from itertools import combinations

import numpy as np

_MOST_PAIRED = 16  # numbers whose pairs are all looked at
_MOST_CURVED = 64  # whose curvature is
_STEP = 1e-4  # of differences of gradients
_FLAT = 1e-6  # of the largest curvature, in numbers that have curvature 1 each
_NOTHING, _WHOLE = 1e-6, 1e-3  # of an entry; of its distance to a whole number
_LARGEST = 12  # of those


def candidate_directions(target, u, places):
    """Whole numbers, each of shape (free_size,), that are not 0 at two or more of `places`; `u` is a point."""
    found = {} if len(places) > _MOST_PAIRED else {v.tobytes(): v for v in _pairs(target.free_size, places)}
    if 2 <= len(places) <= _MOST_CURVED:
        for v in _uncurved(target, u, np.asarray(places)):
            found.setdefault(v.tobytes(), v)
    return list(found.values())


def _pairs(n, places):
    for i, j in combinations(places, 2):
        for sign in (1.0, -1.0):
            v = np.zeros(n)
            v[i], v[j] = 1.0, sign
            yield v


def _uncurved(target, u, places):
    """A basis of the directions without curvature at `u`, as far as it is of whole numbers."""
    hessian = _hessian(target, u, places)
    if not np.isfinite(hessian).all() or not hessian.any():
        return
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale[scale <= _NOTHING * scale.max()] = scale.max() or 1.0
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    flat = np.abs(values) <= _FLAT * np.abs(values).max()
    for row in _echelon((vectors[:, flat] / scale[:, None]).T):
        whole = _in_whole_numbers(row)
        if whole is not None and np.count_nonzero(whole) > 1:
            v = np.zeros(target.free_size)
            v[places] = whole
            yield v


def _hessian(target, u, places):
    rows = []
    for i in places:
        ends = [target.evaluate(u + sign * _STEP * (np.arange(len(u)) == i))[1] for sign in (1.0, -1.0)]
        rows.append((ends[0] - ends[1])[places] / (2.0 * _STEP))
    hessian = np.array(rows)
    return 0.5 * (hessian + hessian.T)


def _echelon(basis):
    """The same space by rows, of which each is alone to have its pivot: a basis of whole numbers, if there is one."""
    basis, done = basis.copy(), 0
    for column in range(basis.shape[1]):
        if done == len(basis):
            break
        pivot = done + int(np.argmax(np.abs(basis[done:, column])))
        if abs(basis[pivot, column]) <= _NOTHING * np.abs(basis).max():
            continue
        basis[[done, pivot]] = basis[[pivot, done]]
        basis[done] /= basis[done, column]
        others = np.arange(len(basis)) != done
        basis[others] -= np.outer(basis[others, column], basis[done])
        done += 1
    return basis


def _in_whole_numbers(row):
    """The multiple of the row that has them, none above 12; None where there is none."""
    row = np.where(np.abs(row) <= _NOTHING * np.abs(row).max(), 0.0, row)
    least = np.abs(row[row != 0.0]).min()
    for times in range(1, _LARGEST + 1):
        whole = np.rint(row * (times / least))
        if np.abs(whole).max() > _LARGEST:
            return None
        if np.abs(row * (times / least) - whole).max() <= _WHOLE:
            return whole
    return None
