"""Covariances of least squares by their definitions, in extended precision: slow and readable."""

import numpy as np


def orthonormal(A):
    """Q and the inverse of R with ``A = Q R``: Gram and Schmidt, twice."""
    Q, undo = A.copy(), np.eye(A.shape[1], dtype=A.dtype)
    for _ in range(2):
        for j in range(A.shape[1]):
            norm = np.sqrt(Q[:, j] @ Q[:, j])
            Q[:, j], undo[:, j] = Q[:, j] / norm, undo[:, j] / norm
            along = Q[:, j] @ Q[:, j + 1 :]
            Q[:, j + 1 :] -= np.outer(Q[:, j], along)
            undo[:, j + 1 :] -= np.outer(undo[:, j], along)
    return Q, undo


def covariance(X, y, w=None, kind="nonrobust", *, intercept=True, groups=None, lags=0, repeats=False):
    """Covariance of (intercept, coefficients), of shape (k, k).

    Parameters
    ----------
    w : array of shape (n,)
        Precisions; or, with ``repeats``, how often each row was seen.
    """
    X = np.asarray(X, dtype=np.longdouble)
    A = np.hstack([np.ones((len(X), 1), dtype=np.longdouble), X]) if intercept else X
    y = np.asarray(y, dtype=np.longdouble)
    w = np.ones(len(y)) if w is None else np.asarray(w)
    if repeats:
        A, y, w = np.repeat(A, w.astype(int), axis=0), np.repeat(y, w.astype(int)), np.ones(int(w.sum()))
    n, k = A.shape
    root = np.sqrt(w)
    Q, undo = orthonormal(root[:, None] * A)
    residual = root * y - Q @ (Q.T @ (root * y))
    residual -= Q @ (Q.T @ residual)
    if kind == "nonrobust":
        return undo @ undo.T * (residual**2).sum() / (n - k)
    leverage = (Q * Q).sum(axis=1)
    score = Q * residual[:, None]
    meat = {
        "HC0": lambda: score.T @ score,
        "HC1": lambda: score.T @ score * n / (n - k),
        "HC2": lambda: score.T @ (score / (1 - leverage)[:, None]),
        "HC3": lambda: score.T @ (score / (1 - leverage)[:, None] ** 2),
        "cluster": lambda: clusters(score, groups, n, k),
        "HAC": lambda: newey_west(score, lags),
    }[kind]()
    return undo @ meat @ undo.T


def clusters(score, groups, n, k):
    if np.ndim(groups) == 2:
        first, second = np.asarray(groups).T
        both = [f"{a}/{b}" for a, b in zip(first, second, strict=True)]
        return clusters(score, first, n, k) + clusters(score, second, n, k) - clusters(score, both, n, k)
    groups = np.asarray(groups)
    sums = np.array([score[groups == name].sum(axis=0) for name in np.unique(groups)])
    size = len(sums)
    return sums.T @ sums * (size / (size - 1)) * ((n - 1) / (n - k))


def newey_west(score, lags):
    total = score.T @ score
    for lag in range(1, lags + 1):
        product = score[lag:].T @ score[:-lag]
        total = total + (1 - lag / (lags + 1)) * (product + product.T)
    return total
