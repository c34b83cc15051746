"""Twin of ``mlwright._kernels.block_descent``: proximal gradient steps on all coefficients at once."""

import numpy as np


def soft(v, threshold):
    return np.sign(v) * np.maximum(np.abs(v) - threshold, 0.0)


class Penalty:
    """``l1 |.|_1 + norm |.|_2 + ridge |.|^2 / 2`` on one group's block of shape (t, n), between `low` and `high`."""

    def __init__(self, l1, norm, ridge, low, high):
        self.l1, self.norm, self.ridge, self.low, self.high = l1, norm, ridge, low, high

    def value(self, b):
        return (self.l1 * np.abs(b)).sum() + self.norm * np.linalg.norm(b) + self.ridge * (b * b).sum() / 2

    def prox(self, v, step):
        return self.held_to(soft(v, step * self.l1), 1 + step * self.ridge, step * self.norm)

    def held_to(self, z, ridge, norm):
        """argmin over b in bounds of ``ridge |b|^2 / 2 + norm |b| - z'b``, entries infinite where nothing ends them.

        A b of length s is z over ``ridge + norm / s``, clipped; s is where that is of length s.
        """
        if np.linalg.norm(np.where(np.where(z > 0, self.high, -self.low) == 0, 0.0, z)) <= norm:
            return np.zeros(z.shape)
        if ridge == norm == 0:
            return np.where(z > 0, self.high, np.where(z < 0, self.low, 0.0))

        def of_length(s):
            return np.clip(z * (s / (ridge * s + norm)), self.low, self.high)

        low, high = 0.0, 1.0
        while np.linalg.norm(of_length(high)) > high:
            if high > 1e150:
                return np.where(z > 0, self.high, np.where(z < 0, self.low, 0.0))
            high *= 2
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if np.linalg.norm(of_length(middle)) > middle else (low, middle)
        return of_length(high)

    def distance(self, b, g):
        pull = self.norm / np.linalg.norm(b) if b.any() else 0.0
        slope = g + (self.ridge + pull) * b
        off = np.where(b == 0, soft(slope, self.l1), slope + np.sign(b) * self.l1)
        off = np.where(b >= self.high, np.maximum(off, 0.0), off)
        length = np.linalg.norm(np.where(b <= self.low, np.minimum(off, 0.0), off))
        return length if b.any() else max(0.0, length - self.norm)

    def beyond(self, u):
        return np.linalg.norm(soft(u, self.l1)) - self.norm

    def conjugate(self, u):
        z = soft(u, self.l1)
        if self.beyond(u) <= 1e-13 * max(self.norm, np.abs(u).max()):
            return 0.0
        b = self.held_to(z, self.ridge, self.norm)
        if np.isinf(b).any():
            return np.inf
        return max(0.0, (z * b).sum() - self.norm * np.linalg.norm(b) - self.ridge * (b * b).sum() / 2)

    def dual_scale(self, v, b):
        v = np.where(np.where(v > 0, b >= self.high, b <= self.low), 0.0, v)
        if self.beyond(v) <= 0:
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if self.beyond(middle * v) <= 0 else (low, middle)
        return low


def block_paths(
    gram, which, linear, square, groups, strengths, weights, *, start=None, low=None, high=None, tol=1e-6,
    violation=0.0, max_iter=1000, n_iter=None,
):  # fmt: skip
    starts, member = groups
    (k, t, p), s = linear.shape, strengths[0].shape[1]
    sets = [member[starts[g] : starts[g + 1]] for g in range(len(starts) - 1)]
    low = np.full(len(member), -np.inf) if low is None else low
    high = np.full(len(member), np.inf) if high is None else high
    coef = np.zeros((k, s, t, p))
    gap, worst, objective = np.zeros((3, k, s))
    for path in range(k):
        G, C, b = gram[which[path]], linear[path], np.zeros((t, p))
        if start is not None:
            b[...] = start[path]
            b[:, member] = np.clip(b[:, member], low, high)
        for step in range(s):
            l1, norm, ridge = (part[path, step] for part in strengths)
            penalties = [
                Penalty(l1 * weights[0][of], norm * weights[1][g], ridge * weights[2][g], low[of], high[of])
                for g, of in enumerate(map(slice, starts[:-1], starts[1:]))
            ]
            b = _descend(G, C, b, sets, penalties)
            coef[path, step] = b
            worst[path, step], gap[path, step], objective[path, step] = _certify(G, C, square[path], b, sets, penalties)
    return coef, gap, worst, objective


def _descend(G, C, b, sets, penalties, most=200_000):
    """Block after block, each by proximal steps until it is at its best."""
    b = b.copy()
    b[:, G.diagonal() == 0] = 0.0
    for _ in range(most):
        before = b.copy()
        for group, penalty in zip(sets, penalties, strict=True):
            bound = np.linalg.eigvalsh(G[np.ix_(group, group)])[-1]
            if bound <= 0:
                continue
            for _ in range(20):
                g = b @ G[:, group] - C[:, group]
                b[:, group] = penalty.prox(b[:, group] - g / bound, 1 / bound)
        if np.abs(b - before).max() <= 1e-14 * max(1e-300, np.abs(b).max()):
            break
    return b


def _certify(G, C, square, b, sets, penalties):
    u = C - b @ G
    worst, scale, value = 0.0, 1.0, 0.0
    for group, penalty in zip(sets, penalties, strict=True):
        block = b[:, group]
        bound = np.linalg.eigvalsh(G[np.ix_(group, group)])[-1]
        if bound > 0:
            worst = max(worst, penalty.distance(block, -u[:, group]) / np.sqrt(bound))
        scale = min(scale, penalty.dual_scale(u[:, group] - penalty.ridge * block, block))
        value += penalty.value(block)
    residual = square - 2 * (b * C).sum() + (b * (b @ G)).sum()
    gaps = [
        residual * (1 + s * s) / 2
        + value
        - s * (square - (b * C).sum())
        + sum(penalty.conjugate(s * u[:, group]) for group, penalty in zip(sets, penalties, strict=True))
        for s in (scale, 1.0)
    ]
    return worst, max(0.0, min(gaps)), residual / 2 + value
