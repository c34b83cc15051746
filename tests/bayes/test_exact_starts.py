"""Chains that start from exact draws stay exact: of every kernel, at a fixed step and metric, after a few transitions.

Gandy, Scott (2021), Unit testing for MCMC and other Monte Carlo methods, arXiv:2001.06465.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mlwright._kernels.sampler import Settings, Target, advance_chains, start_chains
from mlwright._runtime.progress import Reporter
from mlwright.extend import log_density, positive, real
from mlwright.reference import chains as twin
from mlwright.reference.metric import Metric
from mlwright.reference.rng import Rng

LEVEL, STEP = 1e-5, 1  # of all numbers of a kernel together; where the step stands in a state
AROUND = {"mean": np.zeros(3), "root": np.array([1.0, 2.0, 1.0])}


@log_density(scale=positive(), x=real(2))
def funnel(scale, x):
    """A gamma law of three, and two numbers that it scales."""
    total = 2.0 * np.log(scale) - scale
    for i in range(2):
        total += -0.5 * x[i] * x[i] / (scale * scale) - np.log(scale)
    return total


@log_density(scale=real(), x=real(2))
def lost_jacobian(scale, x):
    total = 3.0 * scale - np.exp(scale) - scale
    for i in range(2):
        total += -0.5 * x[i] * x[i] * np.exp(-2.0 * scale) - scale
    return total


@log_density(x=real(3))
def half(x):
    return 0.0 if x[0] > 0.0 else -np.inf


def free_draws(n, seed=0):
    """Exact ones of the funnel, as free numbers."""
    rng = np.random.default_rng(seed)
    scale = rng.gamma(3.0, size=n)
    return np.column_stack([np.log(scale), scale[:, None] * rng.standard_normal((n, 2))])


def smallest_p(u, before):
    """Of tests that scale and standardised numbers, alone and in pairs, are what starts were drawn as."""
    scale = np.exp(u[:, 0])
    parts = [stats.gamma.cdf(scale, 3.0), *stats.norm.cdf(u[:, 1:] / scale[:, None]).T]
    p = [stats.kstest(part, "uniform").pvalue for part in parts]
    for i in range(3):
        counts = np.histogram2d(parts[i], parts[i - 1], bins=4, range=[[0, 1], [0, 1]])[0]
        p.append(stats.chisquare(counts.ravel()).pvalue)
    assert (np.abs(u - before).max(axis=1) > 1e-3).mean() > 0.3
    return min(p) * len(p)


def moved(density, settings, starts, n, step):
    target = Target(density.compile())
    states = start_chains(target, settings, len(starts), starts)
    states[:, STEP] = step
    draws, _ = advance_chains(target, settings, states, n, Reporter("test"))
    return draws[:, -1]


KERNELS = {
    "nuts": {"max_depth": 4},
    "nuts of one doubling": {"max_depth": 1},
    "nuts in columns": {"max_depth": 4, "root": np.tril(np.full((3, 3), 0.4)) + 0.5 * np.eye(3)},
    "hmc": {"method": "hmc", "n_steps": 5},
    "independence": {"method": "independence", "mean": np.array([1.0, 0.0, 0.0]), "root": np.diag([0.8, 3.0, 3.0])},
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("step", [0.25, 0.7])
def test_exact_draws_stay_exact(name, step):
    starts = free_draws(10_000)
    x = moved(funnel, Settings(seed=1, warm_up=0, **AROUND | KERNELS[name]), starts, 4, step)
    assert smallest_p(np.column_stack([np.log(x[:, 0]), x[:, 1:]]), starts) > LEVEL


def test_a_lost_jacobian_shows():
    starts = free_draws(10_000)
    x = moved(lost_jacobian, Settings(seed=1, warm_up=0, **AROUND), starts, 4, 0.25)
    assert smallest_p(x, starts) < LEVEL


def test_exact_draws_of_a_normal_law_cut_in_half_stay_exact():
    """Elliptical slices: of numbers that depend on each other."""
    root = np.tril(np.full((3, 3), 0.5)) + 0.4 * np.eye(3)
    z = np.random.default_rng(2).standard_normal((10_000, 3))
    z[:, 0] = np.abs(z[:, 0])
    settings = Settings(seed=1, warm_up=0, method="elliptical", mean=np.zeros(3), root=root)
    x = moved(half, settings, z @ root.T, 4, 1.0)
    again = np.linalg.solve(root, x.T)
    p = [
        stats.kstest(again[0], stats.halfnorm.cdf).pvalue,
        *(stats.kstest(a, stats.norm.cdf).pvalue for a in again[1:]),
    ]
    assert min(p) > LEVEL
    assert abs(stats.spearmanr(again[0], z[:, 0]).statistic) < 0.5  # they moved


class EvenWeights(twin.Nuts):
    """Takes any point of a trajectory, whatever its energy."""

    def leaf(self, z, step):
        return replace(super().leaf(z, step), log_weight=0.0)


class LostKineticEnergy(twin.Nuts):
    def energy(self, z):
        return super().energy(z) - 0.25 * z.p @ self.metric.velocity(z.p)


class GradientOfBefore(twin.Nuts):
    """The second half of each step, too, goes by the gradient at its beginning: no way back."""

    def leapfrog(self, z, step):
        end = super().leapfrog(z, step)
        return replace(end, p=z.p + step * z.gradient)


def of_twin(cls, n=2500, transitions=3, step=0.5, depth=3):
    target = Target(funnel.compile())
    nuts = cls(lambda u: target.evaluate(u)[:2], depth)
    metric, starts, out = Metric.diagonal(AROUND["root"] ** 2), free_draws(n), []
    for number, u in enumerate(starts):
        value, gradient = nuts.density(u)
        z = twin.Point(u, np.zeros(3), gradient, value)
        for at in range(transitions):
            z = nuts.step(Rng(5, at, number), z, metric, step)
        out.append(z.u)
    return smallest_p(np.array(out), starts)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [twin.Nuts, EvenWeights, LostKineticEnergy, GradientOfBefore])
def test_the_twin_keeps_what_its_broken_variants_do_not(cls):
    assert (of_twin(cls) > LEVEL) == (cls is twin.Nuts)
