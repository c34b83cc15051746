"""Twins of ``mlwright._kernels.column_moments``."""

import numpy as np

from mlwright.reference.linalg import dense


def column_moments(X, w=None):
    X = dense(X)
    w = np.ones(len(X)) if w is None else w
    out = np.zeros((3, X.shape[1]))
    for j, column in enumerate(X.T):
        there = ~np.isnan(column)
        weight = w[there].sum()
        if weight > 0.0:
            mean = (w[there] * column[there]).sum() / weight
            out[:, j] = weight, mean, (w[there] * (column[there] - mean) ** 2).sum()
    return tuple(out)


def standardise(X, shift, scale, back=False):
    shift, scale = (None if a is None else np.asarray(a, dtype=X.dtype) for a in (shift, scale))
    shift = np.zeros(X.shape[1], dtype=X.dtype) if shift is None else shift
    scale = np.ones(X.shape[1], dtype=X.dtype) if scale is None else scale
    return X * scale + shift if back else (X - shift) / scale
