"""k-means: Lloyd's iteration, nearest centres, distances and first centres; see ``cluster/lloyd.hpp``.

``X`` is what :func:`mlwright._kernels.sgd.as_rows` returns: a C-contiguous float array, or the tuple of a CSR matrix.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.cluster
_CLOSE = Tolerance(rtol=1e-9, atol=1e-7)


def _weights(w):
    return None if w is None else layout.vector(w)


def _keys(keys):
    return np.ascontiguousarray(keys, dtype=np.uint64)


@kernel(native="cluster.lloyd", twin="cluster:lloyd", strategy="cluster:lloyd_runs", tolerance=_CLOSE)
def lloyd(X, w, start, shift, unit, max_iter, tol, reporter=None):
    """Centres and labels in turn until no label changes or the centres hardly move.

    Parameters
    ----------
    X : array of shape (n, p) or CSR tuple
    w : float64 array of shape (n,), or None
    start : float64 array of shape (k, p)
    shift : float64 array of shape (p,)
    unit : float
        Single precision looks at ``(X - shift) * unit`` first; no result depends on either.
    max_iter : int
    tol : float
        Of the sum of squared movements of the centres.
    reporter : mlwright._runtime.progress.Reporter, optional

    Returns
    -------
    labels : int32 array of shape (n,)
        Of the centres returned.
    centers : array of shape (k, p)
        Numbers of float32 for float32 X.
    inertia : float
    n_iter : int
    strict : bool
        Whether the last iteration changed no label.
    """
    watcher, interval = (None, 0.0) if reporter is None else (reporter.native, reporter.interval)
    return _core.lloyd(
        X, _weights(w), layout.vector(start), layout.vector(shift), float(unit), max_iter, float(tol), watcher, interval
    )


@kernel(native="cluster.assign", twin="cluster:assign", strategy="cluster:rows_and_centers", tolerance=_CLOSE)
def assign(X, w, centers, shift, unit, with_sums=False):
    """Labels (n,) of the nearest centres, the inertia; weights (k,) and sums (k, p) of the clusters where asked for."""
    return _core.assign(X, _weights(w), layout.vector(centers), layout.vector(shift), float(unit), with_sums)


@kernel(native="cluster.distances", twin="cluster:distances", strategy="cluster:rows_and_points", tolerance=_CLOSE)
def distances(X, centers):
    """Euclidean distances (n, k), by differences, so that small ones are right too."""
    return _core.distances(X, layout.vector(centers))


@kernel(native="cluster.plus_plus", twin="cluster:plus_plus", strategy="cluster:seedings")
def plus_plus(X, w, keys, k, trials, seed):
    """Numbers (k,) of the rows that greedy k-means++ chooses; `keys` are :func:`mlwright._kernels.sgd.row_keys`."""
    return _core.plus_plus(X, _weights(w), _keys(keys), k, trials, seed)


@kernel(native="cluster.random_rows", twin="cluster:random_rows", strategy="cluster:samples")
def random_rows(w, keys, k, seed):
    """Numbers (k,) of rows of different content, drawn with probability proportional to their weight."""
    return _core.random_rows(_weights(w), _keys(keys), k, seed)
