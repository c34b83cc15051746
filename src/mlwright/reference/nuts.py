"""Twin of the native chains: the no-U-turn sampler with its warm-up, as recursive Python over NumPy vectors.

``density(u) -> (log density, gradient)`` is of free numbers. The same random numbers are used in the same order, so a
chain here and a native one agree draw by draw until rounding drives them apart.

References
----------
Hoffman, Gelman (2014), The No-U-Turn Sampler. JMLR 15. Betancourt (2017), arXiv:1701.02434, appendix A.
"""

from dataclasses import dataclass

import numpy as np

from mlwright.reference.rng import Rng

TRANSITION, START, STEP_SIZE = range(3)


def stream(purpose, iteration=0):
    return purpose << 32 | iteration


@dataclass
class Point:
    u: np.ndarray
    p: np.ndarray
    gradient: np.ndarray
    log_density: float


@dataclass
class Tree:
    """A part of a trajectory: its two ends in the order in which it was built, and what it adds up."""

    begin: Point
    end: Point
    proposal: Point
    log_weight: float
    total: np.ndarray


class Stop(Exception):
    """The trajectory diverged or turned."""


class Nuts:
    def __init__(self, density, max_depth):
        self.density, self.max_depth = density, max_depth

    def energy(self, z):
        h = 0.5 * (self.inverse_mass * z.p**2).sum() - z.log_density
        return np.inf if np.isnan(h) else h

    def leapfrog(self, z, step):
        p = z.p + 0.5 * step * z.gradient
        u = z.u + step * self.inverse_mass * p
        log_density, gradient = self.density(u)
        return Point(u, p + 0.5 * step * gradient, gradient, log_density)

    def apart(self, begin, end, total):
        return ((self.inverse_mass * begin.p) @ total > 0) and ((self.inverse_mass * end.p) @ total > 0)

    def build(self, depth, z, step):
        if depth == 0:
            return self.leaf(z, step)
        left = self.build(depth - 1, z, step)
        right = self.build(depth - 1, left.end, step)
        log_weight = np.logaddexp(left.log_weight, right.log_weight)
        taken = right if self.rng.uniform() < np.exp(right.log_weight - log_weight) else left
        tree = Tree(left.begin, right.end, taken.proposal, log_weight, left.total + right.total)
        if not self.grows_on(left, right, tree):
            raise Stop
        return tree

    def grows_on(self, left, right, tree):
        """Neither the whole nor either half with the nearest point of the other one turns."""
        return (
            self.apart(tree.begin, tree.end, tree.total)
            and self.apart(tree.begin, right.begin, left.total + right.begin.p)
            and self.apart(left.end, tree.end, right.total + left.end.p)
        )

    def leaf(self, z, step):
        z = self.leapfrog(z, step)
        self.steps += 1
        error = self.energy(z) - self.start_energy
        self.acceptance += min(1.0, np.exp(-error))
        if not error <= 1000:
            raise Stop
        return Tree(z, z, z, -error, z.p)

    def momentum(self, rng):
        return np.array([rng.normal() for _ in self.inverse_mass]) / np.sqrt(self.inverse_mass)

    def transition(self, rng, z, inverse_mass, step):
        """The next point; mean acceptance and number of steps are left in the object."""
        self.rng, self.inverse_mass, self.steps, self.acceptance = rng, inverse_mass, 0, 0.0
        z = Point(z.u, self.momentum(rng), z.gradient, z.log_density)
        self.start_energy = self.energy(z)
        whole = Tree(z, z, z, 0.0, z.p)
        try:
            for depth in range(self.max_depth):
                forwards = rng.uniform() < 0.5
                if not forwards:
                    whole = Tree(whole.end, whole.begin, whole.proposal, whole.log_weight, whole.total)
                new = self.build(depth, whole.end, step if forwards else -step)
                if new.log_weight > whole.log_weight or rng.uniform() < np.exp(new.log_weight - whole.log_weight):
                    whole.proposal = new.proposal
                both = Tree(
                    whole.begin,
                    new.end,
                    whole.proposal,
                    np.logaddexp(whole.log_weight, new.log_weight),
                    whole.total + new.total,
                )
                going_on = self.grows_on(whole, new, both)
                whole = both if forwards else Tree(both.end, both.begin, both.proposal, both.log_weight, both.total)
                if not going_on:
                    break
        except Stop:
            pass
        return whole.proposal

    def reasonable_step(self, rng, z, inverse_mass, step):
        self.inverse_mass = inverse_mass

        def high(size):
            start = Point(z.u, self.momentum(rng), z.gradient, z.log_density)
            return self.energy(start) - self.energy(self.leapfrog(start, size)) > np.log(0.8)

        larger = high(step)
        for _ in range(60):
            if high(step) != larger:
                break
            step *= 2 if larger else 0.5
        return step


class Scales:
    """Running variances of draws and gradients."""

    def __init__(self):
        self.u, self.g = [], []

    def add(self, z):
        self.u.append(z.u)
        self.g.append(z.gradient)

    def __call__(self, inverse_mass):
        u, g = np.array(self.u), np.array(self.g)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.sqrt(u.var(axis=0) / g.var(axis=0))
        fits = np.isfinite(ratio) & (ratio > 0)
        return np.where(fits, np.clip(ratio, 1e-20, 1e20), inverse_mass)


class DualAveraging:
    def __init__(self, step):
        self.count, self.error, self.log_step, self.mean, self.centre = 0, 0.0, np.log(step), 0.0, np.log(10 * step)

    def update(self, acceptance, target):
        self.count += 1
        part = 1 / (self.count + 10)
        self.error = (1 - part) * self.error + part * (target - acceptance)
        self.log_step = self.centre - np.sqrt(self.count) / 0.05 * self.error
        forget = self.count**-0.75
        self.mean = forget * self.log_step + (1 - forget) * self.mean


def chain(density, d, seed, number, n, warm_up, target_acceptance=0.8, max_depth=10):
    """Free numbers after each of n iterations, warm-up included, of shape (n, d)."""
    rng = Rng(seed, stream(START), number)
    u = np.array([2 * (2 * rng.uniform() - 1) for _ in range(d)])
    log_density, gradient = density(u)
    z = Point(u, np.zeros(d), gradient, log_density)
    inverse_mass = 1 / np.clip(abs(gradient), 1e-10, 1e10)
    nuts = Nuts(density, max_depth)
    step = nuts.reasonable_step(Rng(seed, stream(STEP_SIZE), number), z, inverse_mass, 0.1)
    averaging, now, following, window = DualAveraging(step), Scales(), Scales(), 10
    for scales in (now, following):
        scales.add(z)
    out = np.empty((n, d))
    for at in range(n):
        before = z
        z = nuts.transition(Rng(seed, stream(TRANSITION, at), number), z, inverse_mass, step)
        out[at] = z.u
        if at >= warm_up:
            continue
        averaging.update(nuts.acceptance / nuts.steps, target_acceptance)
        step = np.exp(averaging.mean if at + 1 == warm_up else averaging.log_step)
        scales_end = warm_up - warm_up * 3 // 20
        if at >= scales_end:
            continue
        if (z.u != before.u).any():
            for scales in (now, following):
                scales.add(z)
        early = at < warm_up * 3 // 10
        growth = 1 if early else 1.5
        if len(following.u) >= window and (early or scales_end - at >= growth * window):
            now, following = following, Scales()
            window = 10 if early else max(80, growth * window)
        if len(now.u) >= 3:
            inverse_mass = now(inverse_mass)
    return out
