"""Twins of ``mlwright._kernels.linalg``, and the algebra of fold statistics."""

import itertools

import numpy as np


def dense(X):
    """Columns of doubles from an array, the CSR tuple ``(indptr, indices, data, n_columns)``, or rows with codes.

    In ``(numbers, codes, ends)`` codes (n, k) are the columns of ones; numbers, or None, stand behind all those.
    """
    if not isinstance(X, tuple):
        return np.asarray(X, dtype=np.float64)
    if len(X) == 3:
        numbers, codes, ends = X
        out = np.zeros((len(codes), int(ends[-1])))
        np.put_along_axis(out, codes.astype(np.int64), 1.0, axis=1)
        return out if numbers is None else np.hstack([out, dense(numbers)])
    indptr, indices, data, n_columns = X
    out = np.zeros((len(indptr) - 1, n_columns))
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    np.add.at(out, (rows, indices), data)
    return out


def fold_statistics(X, y, w=None):
    Z = np.hstack([dense(X), np.asarray(y, dtype=np.float64)])
    w = np.ones(len(Z)) if w is None else np.asarray(w, dtype=np.float64)
    weight = w.sum()
    first = Z[:1]
    mean = (first + (w @ (Z - first)) / weight).ravel() if weight > 0 else _sample(Z).mean(axis=0)
    scale = _scale(Z)
    centred = (Z - mean) * scale
    return weight, mean, (w[:, None] * centred).T @ centred, scale


def single_statistics(X, y):
    """Of columns that vary, around means that a sample tells."""
    return fold_statistics(X, y)


def fold_statistics_of_sets(X, y, w, numbers, starts):
    X = dense(X)
    sets = []
    for begin, end in itertools.pairwise(starts):
        at = slice(begin, end)
        sets.append(fold_statistics(X[numbers[at]], y[at], None if w is None else w[at]))
    return tuple(np.array(part) for part in zip(*sets, strict=True))


def _sample(Z):
    step = max(1, len(Z) // 256)
    return Z[: 256 * step : step]


def _scale(Z):
    """The power of two that brings the largest distance from the first of the sampled rows into [1, 2)."""
    spread = np.abs(_sample(Z) - Z[0]).max(axis=0)
    exponent = np.frexp(np.where(spread > 0, spread, 1.0))[1] - 1
    return np.where(spread > 0, np.ldexp(1.0, -exponent), 1.0)


def residual_gradient(X, y, w, mean, scale, b):
    X, y = dense(X), np.asarray(y, dtype=np.float64)
    p = X.shape[1]
    w = np.ones(len(X)) if w is None else np.asarray(w, dtype=np.float64)
    x, target = (X - mean[:p]) * scale[:p], (y - mean[p:]) * scale[p:]
    return x.T @ (w[:, None] * (target - x @ b))


def gram(X, w, row_shift, scale):
    Z = (dense(X) - np.asarray(row_shift)[:, None]) * scale
    w = np.ones(len(Z)) if w is None else np.asarray(w, dtype=np.float64)
    return Z.T @ (w[:, None] * Z)


def affine_map(X, coef, start):
    return dense(X) @ np.asarray(coef, dtype=np.float64).T + np.asarray(start)


def merge(a, b):
    """Statistics ``(weight, mean, scatter)`` of two sets of rows together (Chan, Golub and LeVeque, 1983)."""
    (wa, ma, sa), (wb, mb, sb) = a, b
    weight, distance = wa + wb, mb - ma
    return weight, ma + distance * wb / weight, sa + sb + np.outer(distance, distance) * (wa * wb / weight)


def forget(both, b):
    """Statistics of what is left of `both` without `b`."""
    (w, m, s), (wb, mb, sb) = both, b
    wa = w - wb
    ma = m - (mb - m) * wb / wa
    distance = mb - ma
    return wa, ma, s - sb - np.outer(distance, distance) * (wa * wb / w)
