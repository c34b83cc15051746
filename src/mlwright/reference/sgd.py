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


def row_keys(X, y, brief=False):
    keys = []
    for x, target in zip(dense(X), y, strict=True):
        key = _spread(_bits(target) + 1 & _M64)
        for j in np.flatnonzero(x)[: 8 if brief else None]:
            key += _spread(_bits(x[j]) ^ (int(j) + 1) * 0x9E3779B97F4A7C15 & _M64)
        keys.append(_spread(key & _M64))
    return np.array(keys, dtype=np.uint64)


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


def descend(X, y, row, weight, class_weight, state, settings):
    X, k, s = dense(X), len(y), settings
    new = [None if a is None else np.array(a, dtype=np.float64) for a in state]
    penalty = (np.zeros((k, X.shape[1])), np.zeros(k)) if s["penalised"] and s["l1_ratio"] else (None, None)
    parts = [new[0], new[1], *penalty, new[2], new[3]]
    problems = [[None if a is None else a[j : j + 1] for a in parts] for j in range(k)]
    total = len(row) if weight is None else weight.sum()
    eta, best, waited = np.full(k, s["eta0"]), np.full(k, np.inf), np.zeros(k, int)
    n_iter, value, going, overflowed = np.zeros(k, np.int64), np.full(k, np.nan), set(range(k)), -1
    for number in range(s["max_iter"]):
        for j in sorted(going):
            losses = _epoch(X, y[j], row, weight, class_weight[j], eta[j], number, problems[j], s)
            n_iter[j] = number + 1
            if not s["patience"]:
                continue
            value[j] = losses / total + _penalty(new[0][j], s)
            waited[j] = waited[j] + 1 if value[j] > best[j] - s["tol"] else 0
            best[j] = min(best[j], value[j])
            if waited[j] >= s["patience"]:
                if s["schedule"] == "adaptive" and eta[j] > 1e-6:
                    eta[j], waited[j] = eta[j] / 5, 0
                else:
                    going.remove(j)
        if not all(np.isfinite(a).all() for a in new if a is not None):
            overflowed = number
            break
    return (overflowed, n_iter, value, *(a for a in new if a is not None))


def _penalty(coef, s):
    if not s["penalised"] or s["schedule"] in ("pa1", "pa2"):
        return 0.0
    return s["alpha"] * ((1 - s["l1_ratio"]) / 2 * coef @ coef + s["l1_ratio"] * abs(coef).sum())


def _epoch(X, y, row, weight, class_weight, eta, number, problem, s):
    order, losses = np.arange(len(row)), 0.0
    if s["shuffle"]:
        order = permutation(s["seed"], _ORDER_OF_VISITS << 32 | number, len(row))
    for i, place in enumerate(order):
        r, t = row[place], s["t"] + number * len(row) + i
        omega = 1.0 if weight is None else weight[place]
        balance = class_weight[0 if y[r] > 0 else 1]
        losses += omega * _visit(X[r], y[r], omega * balance, _rate(s, t, eta), t, problem, s)
    return losses


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
