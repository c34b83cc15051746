"""Twins of ``mlwright._kernels.sgd``: one visit after another, as the update rules are written."""

import numpy as np

from mlwright.reference.linalg import dense
from mlwright.reference.rng import permutation

_ORDER_OF_VISITS = 0x5347
_M64 = (1 << 64) - 1


def _spread(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _M64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & _M64
    return x ^ (x >> 31)


def _bits(x):
    return int(np.float64(x).view(np.uint64))


def keys_and_finiteness(X, y):
    keys = []
    for x, target in zip(dense(X), y, strict=True):
        key = _spread(_bits(target) + 1 & _M64)
        for j in np.flatnonzero(x):
            key += _spread(_bits(x[j]) ^ (int(j) + 1) * 0x9E3779B97F4A7C15 & _M64)
        keys.append(_spread(key & _M64))
    return np.array(keys, dtype=np.uint64), bool(np.isfinite(dense(X)).all())


def value_and_slope(loss, parameter, y, p):
    z, r = y * p, y - p
    over = abs(r) - parameter
    if loss == "hinge":
        return (parameter - z, -y) if z <= parameter else (0.0, 0.0)
    if loss == "squared_hinge":
        return (max(0.0, 1 - z) ** 2, -2 * y * max(0.0, 1 - z))
    if loss == "modified_huber":
        return (-4 * z, -4 * y) if z < -1 else (max(0.0, 1 - z) ** 2, -2 * y * max(0.0, 1 - z))
    if loss == "log_loss":
        return np.logaddexp(0.0, -z), -y / (1 + np.exp(z))
    if loss == "squared_error":
        return r * r / 2, -r
    if loss == "huber":
        inside = abs(r) <= parameter
        return (r * r / 2, -r) if inside else (parameter * (abs(r) - parameter / 2), -parameter * np.sign(r))
    if loss == "epsilon_insensitive":
        return max(0.0, over), -np.sign(r) * (over > 0)
    return max(0.0, over) ** 2, -2 * np.sign(r) * max(0.0, over)


def epoch(X, y, row, weight, class_weight, eta, state, settings):
    X = dense(X)
    order = np.arange(len(row))
    if settings["shuffle"]:
        order = permutation(settings["seed"], _ORDER_OF_VISITS << 32 | settings["number"], len(row))
    new = [None if a is None else np.array(a, dtype=np.float64) for a in state]
    losses = np.zeros(len(y))
    for k in range(len(y)):
        problem = [None if a is None else a[k : k + 1] for a in new]
        for i, place in enumerate(order):
            r = row[place]
            omega = 1.0 if weight is None else weight[place]
            rate = _rate(settings, settings["t"] + i, eta[k])
            balance = class_weight[k][0 if y[k][r] > 0 else 1]
            losses[k] += omega * _visit(X[r], y[k][r], omega * balance, rate, settings["t"] + i, problem, settings)
    return (losses, *(a for a in new if a is not None))


def _rate(s, t, eta):
    if s["schedule"] == "optimal":
        return 1.0 / (s["alpha"] * (1.0 / (np.sqrt(1.0 / np.sqrt(s["alpha"])) * s["alpha"]) + t - 1))
    return s["eta0"] / t ** s["power_t"] if s["schedule"] == "invscaling" else eta


def _visit(x, y, weight, eta, t, problem, s):
    coef, intercept, paid, due, coef_sum, intercept_sum = problem
    p = x @ coef[0] + intercept[0]
    value, slope = value_and_slope(s["loss"], s["parameter"], y, p)
    step = -eta * np.clip(slope, -1e12, 1e12)
    if s["schedule"] in ("pa1", "pa2"):
        square = x @ x
        step = value / (square + 0.5 / s["eta0"])
        if s["schedule"] == "pa1":
            step = min(s["eta0"], value / square) if square > 0 else 0.0
        step *= y if s["loss"] == "hinge" else (-1.0 if y < p else 1.0)
    coef[0] *= max(0.0, 1.0 - (1.0 - s["l1_ratio"]) * eta * s["alpha"])
    coef[0] += step * weight * x
    intercept[0] += step * weight * s["fit_intercept"]
    if paid is not None:
        due[0] += s["l1_ratio"] * eta * s["alpha"]
        before, at = coef[0].copy(), x != 0.0
        positive, negative = at & (before > 0), at & (before < 0)
        coef[0][positive] = np.maximum(0.0, before[positive] - due[0] - paid[0][positive])
        coef[0][negative] = np.minimum(0.0, before[negative] + due[0] - paid[0][negative])
        paid[0] += coef[0] - before
    if coef_sum is not None and t >= s["average"]:
        coef_sum[0] += coef[0]
        intercept_sum[0] += intercept[0]
    return value
