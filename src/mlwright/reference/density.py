"""Twins of ``mlwright._kernels.density``: formulas of the Stan Reference Manual, and derivatives by complex steps."""

import numpy as np

NONE, LOWER, UPPER, INTERVAL, ORDERED, SIMPLEX = range(6)


def _free(kind, size):
    return size - 1 if kind == SIMPLEX else size


def _expit(v):
    return 1 / (1 + np.exp(-v))


def _constrain_one(kind, size, lower, upper, u):
    if kind == LOWER:
        return lower + np.exp(u), u.sum()
    if kind == UPPER:
        return upper - np.exp(u), u.sum()
    if kind == INTERVAL:
        s = _expit(u)
        return lower + (upper - lower) * s, (np.log(upper - lower) + np.log(s) + np.log(1 - s)).sum()
    if kind == ORDERED:
        return np.cumsum(np.concatenate([u[:1], np.exp(u[1:])])), u[1:].sum()
    if kind == SIMPLEX:
        return _break_stick(size, u)
    return u.copy(), 0.0


def _break_stick(size, u):
    x, rest, log_jacobian = [], 1.0, 0.0
    for k in range(size - 1):
        z = _expit(u[k] - np.log(size - 1 - k))
        log_jacobian = log_jacobian + np.log(z) + np.log(1 - z) + np.log(rest)
        x.append(rest * z)
        rest = rest * (1 - z)
    return np.array([*x, rest]), log_jacobian


def constrain(blocks, u):
    u = np.asarray(u)
    parts, log_jacobian, at = [], 0.0, 0
    for kind, size, lower, upper in blocks:
        free = _free(int(kind), int(size))
        x, one = _constrain_one(int(kind), int(size), lower, upper, u[at : at + free])
        parts.append(x)
        log_jacobian = log_jacobian + one
        at += free
    return np.concatenate(parts), log_jacobian


def pull_back(blocks, u, gradient_x):
    """The gradient of ``gradient_x . x(u) + log|J(u)|``, exact to rounding: no difference is taken."""
    step = 1e-30
    out = np.empty(len(u))
    for i in range(len(u)):
        moved = np.array(u, dtype=complex)
        moved[i] += 1j * step
        x, log_jacobian = constrain(blocks, moved)
        out[i] = ((np.asarray(gradient_x) * x).sum() + log_jacobian).imag / step
    return out


def _unconstrain_one(kind, lower, upper, x):
    if kind == LOWER:
        return np.log(x - lower)
    if kind == UPPER:
        return np.log(upper - x)
    if kind == INTERVAL:
        return np.log((x - lower) / (upper - x))
    if kind == ORDERED:
        return np.concatenate([x[:1], np.log(np.diff(x))])
    if kind == SIMPLEX:
        rest = 1 - np.concatenate([[0.0], np.cumsum(x[:-2])])
        sticks = len(x) - 1 - np.arange(len(x) - 1)
        return np.log(x[:-1] / (rest - x[:-1])) + np.log(sticks)
    return x.copy()


def unconstrain(blocks, x):
    parts, at = [], 0
    with np.errstate(invalid="ignore", divide="ignore"):
        for kind, size, lower, upper in blocks:
            parts.append(_unconstrain_one(int(kind), lower, upper, np.asarray(x)[at : at + int(size)]))
            at += int(size)
    u = np.concatenate(parts)
    fits = bool(np.isfinite(u).all())
    return (u if fits else np.full_like(u, np.nan)), fits
