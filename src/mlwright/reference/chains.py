"""Twin of the native chains: every kernel, and the warm-up of those with dynamics, as Python over NumPy vectors.

``density(u) -> (log density, gradient)`` is of free numbers. The same random numbers are used in the same order, so a
chain here and a native one agree draw by draw until rounding drives them apart.

References
----------
Hoffman, Gelman (2014), The No-U-Turn Sampler. JMLR 15. Betancourt (2017), arXiv:1701.02434, appendix A. Tierney (1994),
Annals of Statistics 22. Murray, Adams, MacKay (2010), Elliptical slice sampling.
"""

from dataclasses import dataclass

import numpy as np

from mlwright.reference.metric import Metric, find_directions
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


class Dynamics:
    def __init__(self, density):
        self.density = density

    def energy(self, z):
        h = 0.5 * z.p @ self.metric.velocity(z.p) - z.log_density
        return np.inf if np.isnan(h) else h

    def leapfrog(self, z, step):
        p = z.p + 0.5 * step * z.gradient
        u = z.u + step * self.metric.velocity(p)
        log_density, gradient = self.density(u)
        return Point(u, p + 0.5 * step * gradient, gradient, log_density)

    def reasonable_step(self, rng, z, metric, step):
        self.metric = metric

        def high(size):
            start = Point(z.u, metric.momentum(rng), z.gradient, z.log_density)
            return self.energy(start) - self.energy(self.leapfrog(start, size)) > np.log(0.8)

        larger = high(step)
        for _ in range(60):
            if high(step) != larger:
                break
            step *= 2 if larger else 0.5
        return step


class Nuts(Dynamics):
    def __init__(self, density, max_depth):
        super().__init__(density)
        self.max_depth = max_depth

    def apart(self, begin, end, total):
        return (self.metric.velocity(begin.p) @ total > 0) and (self.metric.velocity(end.p) @ total > 0)

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

    def step(self, rng, z, metric, step):
        """The next point; mean acceptance and number of steps are left in the object."""
        self.rng, self.metric, self.steps, self.acceptance = rng, metric, 0, 0.0
        z = Point(z.u, metric.momentum(rng), z.gradient, z.log_density)
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
        self.acceptance /= self.steps
        return whole.proposal


class Hmc(Dynamics):
    def __init__(self, density, n_steps):
        super().__init__(density)
        self.n_steps = n_steps

    def step(self, rng, z, metric, step):
        self.metric = metric
        end = start = Point(z.u, metric.momentum(rng), z.gradient, z.log_density)
        steps, chance = 1 + rng.below(2 * self.n_steps - 1), rng.uniform()
        for _ in range(steps):
            end = self.leapfrog(end, step)
            error = self.energy(end) - self.energy(start)
            if not error <= 1000:
                self.acceptance = 0.0
                return z
        self.acceptance = min(1.0, np.exp(-error))
        return end if chance < self.acceptance else z


class Independence:
    def __init__(self, density, mean, root):
        self.density, self.mean, self.root = density, mean, root

    def step(self, rng, z, metric, step):
        numbers = np.array([rng.normal() for _ in self.mean])
        u = self.mean + self.root @ numbers
        log_density, gradient = self.density(u)
        old = np.linalg.solve(self.root, z.u - self.mean)
        gain = log_density + 0.5 * numbers @ numbers - z.log_density - 0.5 * old @ old
        return Point(u, z.p, gradient, log_density) if rng.uniform() < np.exp(min(gain, 0.0)) else z


class Elliptical:
    """The density is the likelihood; its prior is normal."""

    def __init__(self, density, mean, root):
        self.density, self.mean, self.root = density, mean, root

    def step(self, rng, z, metric, step):
        other = self.root @ np.array([rng.normal() for _ in self.mean])
        level = z.log_density + np.log(rng.uniform_open())
        angle = 2 * np.pi * rng.uniform()
        low, high = angle - 2 * np.pi, angle
        while high - low > 1e-14:
            u = self.mean + np.cos(angle) * (z.u - self.mean) + np.sin(angle) * other
            log_density, gradient = self.density(u)
            if log_density > level:
                return Point(u, z.p, gradient, log_density)
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = low + (high - low) * rng.uniform()
        return z


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


def start(density, d, seed, number, mean, root):
    rng = Rng(seed, stream(START), number)
    if root is None:
        u = np.array([2 * (2 * rng.uniform() - 1) for _ in range(d)])
    else:
        u = mean + root @ np.array([rng.normal() for _ in range(d)])
    log_density, gradient = density(u)
    return Point(u, np.zeros(d), gradient, log_density)


def fixed_chain(kernel, d, seed, number, n):
    """Free numbers after each of n iterations of a kernel that learns nothing and has a normal law."""
    z = start(kernel.density, d, seed, number, kernel.mean, kernel.root)
    out = np.empty((n, d))
    for at in range(n):
        z = kernel.step(Rng(seed, stream(TRANSITION, at), number), z, None, None)
        out[at] = z.u
    return out


def chain(kernel, d, seed, number, n, warm_up, target_acceptance=0.8, finds_directions=False, mean=None, root=None):
    """Free numbers after each of n iterations, warm-up included, of shape (n, d)."""
    z = start(kernel.density, d, seed, number, mean, root)
    scales = 1 / np.clip(abs(z.gradient), 1e-10, 1e10) if root is None else (root**2).sum(axis=1)
    metric, learnt_at = Metric.diagonal(scales), 0
    step = kernel.reasonable_step(Rng(seed, stream(STEP_SIZE), number), z, metric, 0.1)
    averaging, now, following, window = DualAveraging(step), Scales(), Scales(), 20 if finds_directions else 10
    for seen in (now, following):
        seen.add(z)
    memory, out = ([z.u], [z.gradient]), np.empty((n, d))
    for at in range(n):
        before = z
        z = kernel.step(Rng(seed, stream(TRANSITION, at), number), z, metric, step)
        out[at] = z.u
        if at >= warm_up:
            continue
        averaging.update(kernel.acceptance, target_acceptance)
        step = np.exp(averaging.mean if at + 1 == warm_up else averaging.log_step)
        scales_end = warm_up - warm_up * 3 // 20
        if at >= scales_end:
            continue
        if (z.u != before.u).any():
            for seen in (now, following):
                seen.add(z)
            memory[0].append(z.u)
            memory[1].append(z.gradient)
        early = at < warm_up * 3 // 10
        growth = 1 if early else 1.5
        if len(following.u) >= window and (early or scales_end - at >= growth * window):
            now, following, learnt_at = following, Scales(), 0
            window = window if early else max(80, growth * window)
        known = len(now.u)
        again = finds_directions and known >= 20 and (at + 1 == scales_end or known >= 1.25 * learnt_at)
        if known < 3 or (len(metric.stretch) and not again):
            continue
        metric = Metric.diagonal(now(metric.inverse_mass))
        if again:
            learnt_at = known
            told = find_directions(memory[0][-known:], memory[1][-known:], metric.inverse_mass)
            metric = Metric(metric.inverse_mass, *told)
    return out
