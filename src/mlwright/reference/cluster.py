"""Twins of ``mlwright._kernels.cluster``: plain Lloyd, plain sums, draws along rows in the order of their keys."""

import numpy as np

from mlwright.reference.linalg import dense
from mlwright.reference.rng import uniform

_PLUS_PLUS, _RANDOM_ROWS = 0x4B2B << 32, 0x4B52 << 32


def _squared(X, centers):
    """Sums of squared differences in the order of the coordinates."""
    total = np.zeros((len(X), len(centers)))
    for i in range(X.shape[1]):
        total += (X[:, i, None] - centers[None, :, i]) ** 2
    return total


def _sums(X, w, labels, k):
    weight, sums = np.zeros(k), np.zeros((k, X.shape[1]))
    np.add.at(weight, labels, w)
    np.add.at(sums, labels, w[:, None] * X)
    return weight, sums


def _means(X, w, labels, centers):
    weight, sums = _sums(X, w, labels, len(centers))
    distance = _squared(X, centers)[np.arange(len(X)), labels]
    far = [r for r in np.lexsort((np.arange(len(X)), -distance)) if w[r] > 0.0 and distance[r] > 0.0]
    relocated, rows = False, np.bincount(labels[w > 0.0], minlength=len(centers))
    for j in np.flatnonzero(weight == 0.0):
        while rows[j] == 0 and far:
            equal = [r for r in far if (X[r] == X[far[0]]).all()]
            far = [r for r in far if r not in equal]
            old = labels[equal[0]]
            if rows[old] == len(equal):
                continue
            for r in equal:
                weight[j] += w[r]
                weight[old] -= w[r]
                sums[j] += w[r] * X[r]
                sums[old] -= w[r] * X[r]
            rows[j], rows[old], relocated = len(equal), rows[old] - len(equal), True
    filled = weight > 0.0
    means = np.empty_like(sums)
    means[filled] = sums[filled] / weight[filled, None]
    means[~filled] = means[np.argmax(weight)]
    return means, relocated


def lloyd(X, w, start, shift, unit, max_iter, tol):
    dtype = X[2].dtype if isinstance(X, tuple) else X.dtype
    X = dense(X)
    w = np.ones(len(X)) if w is None else w
    centers, labels, strict, n_iter = start, np.full(len(X), -1), False, 0
    while n_iter < max_iter:
        new = _squared(X, centers).argmin(axis=1)
        means, relocated = _means(X, w, new, centers)
        means = means.astype(dtype).astype(np.float64)
        moved = ((means - centers) ** 2).sum()
        same, labels, centers, n_iter = bool((new == labels).all()), new, means, n_iter + 1
        strict = same and not relocated
        if same or moved <= tol:
            break
    if not strict:
        labels = _squared(X, centers).argmin(axis=1)
    inertia = (w * _squared(X, centers)[np.arange(len(X)), labels]).sum()
    return labels, centers, inertia, n_iter, strict


def assign(X, w, centers, shift, unit, with_sums=False):
    X = dense(X)
    w = np.ones(len(X)) if w is None else w
    squared = _squared(X, centers)
    labels = squared.argmin(axis=1)
    weight, sums = _sums(X, w, labels, len(centers)) if with_sums else (np.zeros(0), np.zeros((0, X.shape[1])))
    return labels, (w * squared[np.arange(len(X)), labels]).sum(), weight, sums


def distances(X, centers):
    return np.sqrt(_squared(dense(X), centers))


def _draw(u, mass, order):
    """The row that u falls on when rows are laid out by the order, each as long as its mass; -1 without any mass."""
    ends = np.cumsum(mass[order])
    if not ends[-1] > 0.0:
        return -1
    at = np.searchsorted(ends, u * ends[-1], side="right")
    return order[min(at, np.flatnonzero(mass[order] > 0.0)[-1])]


def plus_plus(X, w, keys, k, trials, seed):
    X = dense(X)
    w = np.ones(len(X)) if w is None else w
    order = np.argsort(keys, kind="stable")
    u = uniform(seed, _PLUS_PLUS, 1 + k * trials)
    chosen = [_draw(u[0], w, order)]
    closest = _squared(X, X[chosen])[:, 0]
    for step in range(k - 1):
        rows = [_draw(v, w * closest, order) for v in u[1 + step * trials : 1 + (step + 1) * trials]]
        rows = [chosen[0] if row < 0 else row for row in rows]
        left = np.minimum(closest[:, None], _squared(X, X[rows]))
        best = np.argmin((w[:, None] * left).sum(axis=0))
        chosen.append(rows[best])
        closest = left[:, best]
    return np.array(chosen)


def random_rows(w, keys, k, seed):
    left = np.ones(len(keys)) if w is None else w.copy()
    order = np.argsort(keys, kind="stable")
    chosen = []
    for v in uniform(seed, _RANDOM_ROWS, k):
        row = _draw(v, left, order)
        chosen.append(chosen[0] if row < 0 else row)
        left[keys == keys[chosen[-1]]] = 0.0
    return np.array(chosen)
