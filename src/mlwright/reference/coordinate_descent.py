"""Twins of ``mlwright._kernels.coordinate_descent``: cyclic coordinate descent, one coefficient at a time."""

import numpy as np


def soft(v, threshold):
    return np.sign(v) * max(abs(v) - threshold, 0.0)


def elastic_net_paths(
    gram, which, linear, square, l1, l2, l1_weight, l2_weight, *, low=None, high=None, start=None, tol=1e-6,
    violation=0.0, max_iter=1000, n_iter=None,
):  # fmt: skip
    k, s, p = len(linear), l1.shape[1], linear.shape[1]
    low, high = np.full(p, -np.inf) if low is None else low, np.full(p, np.inf) if high is None else high
    coef, gap, worst, objective = np.zeros((k, s, p)), np.zeros((k, s)), np.zeros((k, s)), np.zeros((k, s))
    for path in range(k):
        G, c = gram[which[path]], linear[path]
        b = np.zeros(p) if start is None else np.array(start[path], dtype=float)
        for step in range(s):
            a, r = l1[path, step] * l1_weight, l2[path, step] * l2_weight

            def best(j, z, d, a=a, r=r):
                return np.clip(soft(z, a[j]) / (d + r[j]), low[j], high[j])

            _descend(G, c, b, best, square[path])
            coef[path, step] = b
            g = G @ b - c
            value = (a * np.abs(b) + r * b * b / 2).sum()
            objective[path, step] = b @ G @ b / 2 - c @ b + square[path] / 2 + value
            gap[path, step] = _gap(square[path], b @ G @ b, c @ b, a, r, low, high, b, -g)
            left = np.where(b > 0, a, -a) + r * b + g
            right = np.where(b < 0, -a, a) + r * b + g
            left[b <= low], right[b >= high] = -np.inf, np.inf
            worst[path, step] = _worst(np.maximum(np.maximum(left, -right), 0.0), G)
    return coef, gap, worst, objective


def _descend(G, c, b, best, square, most=100_000):
    """Sweeps over all coefficients, in place, until none moves."""
    for _ in range(most):
        largest = 0.0
        for j in range(len(b)):
            if G[j, j] <= 0.0:
                b[j] = 0.0
                continue
            old = b[j]
            b[j] = best(j, c[j] - G[j] @ b + G[j, j] * old, G[j, j])
            largest = max(largest, G[j, j] * (b[j] - old) ** 2)
        if largest <= 1e-26 * square:
            return


def _worst(distance, G):
    d = G.diagonal()
    return (distance[d > 0] / np.sqrt(d[d > 0])).max(initial=0.0)


def _gap(square, quadratic, cross, a, r, low, high, b, u):
    """Duality gap from sums, at the better of two scalings of the residual."""
    value = (a * np.abs(b) + r * b * b / 2).sum()
    residual = square - 2 * cross + quadratic
    balanced = u - r * b
    free = np.isinf(np.where(u > 0, high, low)) & (np.abs(balanced) > a)
    scale = (a[free] / np.abs(balanced[free])).min(initial=1.0)
    gaps = [
        residual * (1 + s * s) / 2 + value - s * (square - cross) + _conjugates(s * u, a, r, low, high)
        for s in (scale, 1.0)
    ]
    return max(0.0, min(gaps))


def _conjugates(u, a, r, low, high):
    beyond = np.maximum(np.abs(u) - a, 0.0)
    total = 0.0
    for j in range(len(u)):
        if beyond[j] <= 1e-15 * a[j]:
            continue
        top = np.sign(u[j]) * (beyond[j] / r[j] if r[j] > 0 else np.inf)
        b = np.clip(top, low[j], high[j])
        if np.isinf(b):
            return np.inf
        total += u[j] * b - a[j] * abs(b) - r[j] * b * b / 2
    return total


def concave_paths(
    gram, which, linear, square, kind, strength, gamma, weight, unit, *, low=None, high=None, start=None,
    violation=1e-8, max_iter=1000, n_iter=None,
):  # fmt: skip
    k, s, p = len(linear), strength.shape[1], linear.shape[1]
    bounded = low is not None
    prox = scad_prox if kind == "scad" else mcp_prox
    value = scad_value if kind == "scad" else mcp_value
    slope = scad_slope if kind == "scad" else mcp_slope
    coef, worst = np.zeros((k, s, p)), np.zeros((k, s))
    for path in range(k):
        G, c = gram[which[path]], linear[path]
        b = np.zeros(p) if start is None else np.array(start[path], dtype=float)
        for step in range(s):
            lam = strength[path, step] * weight

            def best(j, z, d, lam=lam):
                if bounded:
                    box = unit[j] * low[j], unit[j] * high[j]
                    return bounded_prox(value, unit[j] * z / d, unit[j] ** 2 / d, lam[j], gamma, *box) / unit[j]
                return prox(unit[j] * z / d, unit[j] ** 2 / d, lam[j], gamma) / unit[j]

            _descend(G, c, b, best, square[path])
            coef[path, step] = b
            g = G @ b - c
            at = np.array([unit[j] * slope(abs(unit[j] * b[j]), lam[j], gamma) for j in range(p)])
            left, right = g + np.where(b > 0, at, -at), g + np.where(b < 0, -at, at)
            if bounded:
                left[b <= low], right[b >= high] = -np.inf, np.inf
            worst[path, step] = _worst(np.maximum(np.maximum(left, -right), 0.0), G)
    return coef, worst


def bounded_prox(value, v, step, lam, gamma, low, high):
    """The best of the points where the slope is zero, kinks and bounds: every piece is a parabola or a line."""
    inside, size = step / gamma, abs(v)
    points = [0.0, v, lam, gamma * lam, soft(size, step * lam)]  # of either sign
    if inside != 1.0:
        points.append((size - step * lam) / (1 - inside))  # MCP's piece
    if step != gamma - 1:
        points.append(((gamma - 1) * size - step * gamma * lam) / (gamma - 1 - step))  # SCAD's
    points = np.clip([*points, *np.negative(points), low, high], low, high)
    return min(points, key=lambda b: (b - v) ** 2 / 2 + step * value(abs(b), lam, gamma))


def mcp_value(size, lam, gamma):
    inside = min(size, gamma * lam)
    return lam * inside - inside * inside / (2 * gamma)


def mcp_slope(size, lam, gamma):
    return max(lam - size / gamma, 0.0)


def mcp_prox(v, step, lam, gamma):
    if step >= gamma:
        return v if abs(v) > lam * np.sqrt(step * gamma) else 0.0
    return v if abs(v) > gamma * lam else soft(v, step * lam) / (1 - step / gamma)


def scad_slope(size, lam, gamma):
    return lam if size <= lam else max(gamma * lam - size, 0.0) / (gamma - 1)


def scad_value(size, lam, gamma):
    if size <= lam:
        return lam * size
    if size >= gamma * lam:
        return lam * lam * (gamma + 1) / 2
    return (gamma * lam * size - (size * size + lam * lam) / 2) / (gamma - 1)


def scad_prox(v, step, lam, gamma):
    size = abs(v)
    if step >= gamma - 1:
        near = np.clip(soft(v, step * lam), -lam, lam)
        if size < gamma * lam:
            return near
        at_near = (near - v) ** 2 / 2 + step * scad_value(abs(near), lam, gamma)
        return near if at_near <= step * scad_value(size, lam, gamma) else v
    if size > gamma * lam:
        return v
    if size <= lam * (1 + step):
        return soft(v, step * lam)
    return np.sign(v) * ((gamma - 1) * size - step * gamma * lam) / (gamma - 1 - step)
