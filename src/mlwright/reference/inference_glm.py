"""Inference of generalized linear models, classes and quantiles by its definitions, in extended precision.

Optima are found anew, and observed information is what differences of the scores say: nothing here is derived twice.
"""

import numpy as np
from scipy import special

from mlwright.reference.inference import clusters, newey_west, orthonormal

_LONG = np.longdouble
_STEP = _LONG(2.0) ** -13  # of differences of fourth order


def inverse(A):
    """Gauss and Jordan, with pivots from rows."""
    A, k = np.array(A, dtype=_LONG), len(A)
    B = np.eye(k, dtype=_LONG)
    for j in range(k):
        p = j + int(np.argmax(np.abs(A[j:, j])))
        for M in (A, B):
            M[[j, p]] = M[[p, j]]
        B[j], A[j] = B[j] / A[j, j], A[j] / A[j, j]
        for i in set(range(k)) - {j}:
            B[i], A[i] = B[i] - A[i, j] * B[j], A[i] - A[i, j] * A[j]
    return B


def _probit(e):
    return special.ndtr(e.astype(float)).astype(_LONG), np.exp(-e * e / 2) / np.sqrt(2 * _LONG(np.pi))


#: Mean and its derivative of the score, by link.
LINKS = {
    "identity": lambda e: (e, np.ones_like(e)),
    "log": lambda e: (np.exp(e), np.exp(e)),
    "logit": lambda e: (1 / (1 + np.exp(-e)), np.exp(-e) / (1 + np.exp(-e)) ** 2),
    "probit": _probit,
    "cloglog": lambda e: (-np.expm1(-np.exp(e)), np.exp(e - np.exp(e))),
    "inverse": lambda e: (1 / e, -1 / e**2),
    "inverse_squared": lambda e: (1 / np.sqrt(e), -1 / (2 * e * np.sqrt(e))),
}

#: Variance of an observation of mean m, but for the dispersion, by family; a is its parameter.
VARIANCES = {
    "normal": lambda m, a: np.ones_like(m),
    "binomial": lambda m, a: m * (1 - m),
    "poisson": lambda m, a: m,
    "gamma": lambda m, a: m**2,
    "inverse_gaussian": lambda m, a: m**3,
    "negative_binomial": lambda m, a: m + a * m**2,
    "tweedie": lambda m, a: m**a,
}


def _design(X, intercept):
    X = np.asarray(X, dtype=_LONG)
    return np.hstack([np.ones((len(X), 1), dtype=_LONG), X]) if intercept else X


def _repeated(A, y, offset, w):
    if w is None:
        return A, y, offset
    often = np.asarray(w).astype(int)
    return A.repeat(often, axis=0), y.repeat(often), offset.repeat(often)


def glm(X, y, family, link, start, w=None, kind="nonrobust", *, a=1.0, intercept=True, offset=0.0, groups=None, lags=0):
    """Parameters (intercept, coefficients) and their covariance; `start` is near the optimum.

    w is how often rows are seen; `groups` are of the repeated rows.
    """
    A, y = _design(X, intercept), np.asarray(y, dtype=_LONG)
    A, y, offset = _repeated(A, y, np.broadcast_to(np.asarray(offset, dtype=_LONG), len(y)), w)
    b, (n, k) = np.array(start, dtype=_LONG), A.shape

    def score(eta):
        mean, slope = LINKS[link](eta)
        return (y - mean) * slope / VARIANCES[family](mean, a)

    for _ in range(4):  # Newton's steps, from near the optimum
        eta = A @ b + offset
        h = _STEP * np.maximum(1.0, np.abs(eta))
        near, far = (score(eta + s * h) - score(eta - s * h) for s in (1, 2))
        observed = -(8 * near - far) / (12 * h)
        bread = inverse(A.T @ (observed[:, None] * A))
        b = b + bread @ (A.T @ score(eta))
    eta = A @ b + offset
    mean, slope = LINKS[link](eta)
    variance = VARIANCES[family](mean, a)
    dispersion = 1.0
    if family in ("normal", "gamma", "inverse_gaussian", "tweedie"):
        dispersion = ((y - mean) ** 2 / variance).sum() / (n - k)
    if kind == "nonrobust":
        _, undo = orthonormal(A * (np.abs(slope) / np.sqrt(variance))[:, None])
        return b, undo @ undo.T * dispersion
    left = 1 - observed * ((A @ bread) * A).sum(axis=1)
    return b, bread @ _meat(score(eta)[:, None] * A, kind, k, left, groups, lags) @ bread


def _meat(scores, kind, k, left, groups, lags):
    n = len(scores)
    return {
        "HC0": lambda: scores.T @ scores,
        "HC1": lambda: scores.T @ scores * n / (n - k),
        "HC2": lambda: scores.T @ (scores / left[:, None]),
        "HC3": lambda: scores.T @ (scores / left[:, None] ** 2),
        "cluster": lambda: clusters(scores, groups, n, k),
        "HAC": lambda: newey_west(scores, lags),
    }[kind]()


def classes(X, y, start, w=None, kind="nonrobust", *, intercept=True, groups=None, lags=0):
    """Of several classes, y their numbers: parameters of each but the first, set after set, and their covariance."""
    A, _ = _design(X, intercept), np.asarray(y)
    A, y, _ = _repeated(A, np.asarray(y), np.zeros(len(A)), w)
    b, (n, k) = np.array(start, dtype=_LONG), A.shape
    others = len(b) // k
    seen = (y[:, None] == np.arange(1, others + 1)).astype(_LONG)
    for _ in range(4):
        odds = np.exp(A @ b.reshape(others, k).T)
        p = odds / (1 + odds.sum(axis=1, keepdims=True))
        scores = ((seen - p)[:, :, None] * A[:, None, :]).reshape(n, -1)
        bends = p[:, :, None] * (np.eye(others) - p[:, None, :])
        information = np.einsum("ncd,ni,nj->cidj", bends, A, A).reshape(others * k, others * k)
        bread = inverse(information)
        b = b + bread @ scores.sum(axis=0)
    if kind == "nonrobust":
        return b, bread
    return b, bread @ _meat(scores, kind, others * k, None, groups, lags) @ bread


def quantile(X, y, b, q, w=None, kind="nonrobust", *, intercept=True, groups=None, lags=0):
    """Covariance of the parameters of a plane at level q: Epanechnikov's kernel, Hall and Sheather's bandwidth."""
    A = _design(X, intercept)
    A, y, _ = _repeated(A, np.asarray(y, dtype=_LONG), np.zeros(len(A)), w)
    (n, k), e = A.shape, y - A @ np.asarray(b, dtype=_LONG)
    e[np.abs(e) < 1e-10 * np.abs(y).max()] = 0
    z = special.ndtri(q)
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    reach = n ** (-1 / 3) * special.ndtri(0.975) ** (2 / 3) * (1.5 * density**2 / (2 * z * z + 1)) ** (1 / 3)
    low, high = np.quantile(e.astype(float), [0.25, 0.75])
    width = min(float(y.std()), (high - low) / 1.34) * (special.ndtri(q + reach) - special.ndtri(q - reach))
    at_zero = sum(0.75 * (1 - u * u) for u in e / width if abs(u) <= 1) / (n * width)
    _, undo = orthonormal(A)
    bread = undo @ undo.T / at_zero
    if kind == "nonrobust":
        return bread @ (A.T @ A) @ bread * q * (1 - q)
    left = 1 - ((A @ (undo @ undo.T)) * A).sum(axis=1)
    return bread @ _meat(np.where(e > 0, q, q - 1)[:, None] * A, kind, k, left, groups, lags) @ bread
