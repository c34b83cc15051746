"""The native chains against their twin, and against what they must leave invariant."""

import numpy as np
import pytest

from mlwright._kernels.sampler import Settings, Target, advance_chains, start_chains
from mlwright._runtime.progress import Reporter
from mlwright.extend import interval, log_density, positive, real
from mlwright.reference import chains as twin
from mlwright.reference.metric import Metric, find_directions


@log_density(x=real(3), scale=positive(), share=interval(-1.0, 2.0))
def curved(x, scale, share):
    """A funnel, with every kind of simple constraint."""
    total = -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - scale
    for i in range(1, 3):
        z = (x[i] - x[0] * share) / (0.5 + scale)
        total = total - 0.5 * z * z
    return total


@log_density(x=real(4))
def narrow(x):
    """Far narrower in one direction than its scales say, and not quite normal."""
    z = x[0] + x[1] + x[2] - 0.1 * x[3]
    return -50.0 * z * z - 0.5 * (x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3]) - 0.01 * x[0] ** 4


@log_density(x=real(60), gradient="own")
def wide(x, gradient):
    """A random walk, of more numbers than there are draws to compare."""
    total = -0.5 * x[0] * x[0]
    gradient[0] = -x[0]
    for i in range(1, 60):
        step = x[i] - x[i - 1]
        total -= 2.0 * step * step
        gradient[i] = -4.0 * step
        gradient[i - 1] += 4.0 * step
    return total


MEAN, ROOT = np.array([0.5, -0.2, 0.1, 0.3, 0.0]), np.tril(np.full((5, 5), 0.2)) + 0.6 * np.eye(5)
KERNELS = {
    "nuts": {},
    "hmc": {"method": "hmc", "n_steps": 6},
    "nuts around a law": {"mean": MEAN, "root": ROOT},
    "independence": {"method": "independence", "mean": MEAN, "root": ROOT},
    "elliptical": {"method": "elliptical", "mean": MEAN, "root": ROOT},
}


@pytest.fixture(scope="module")
def target():
    return Target(curved.compile())


@pytest.fixture(scope="module")
def narrow_target():
    return Target(narrow.compile())


def run(target, settings, n, n_chains=2):
    states = start_chains(target, settings, n_chains)
    return (*advance_chains(target, settings, states, n, Reporter("test")), states)


def twin_chain(target, settings, number, n):
    def density(u):
        value, gradient, _ = target.evaluate(u)
        return value, gradient

    law = (settings.mean, settings.root) if len(settings.mean) else (None, None)
    if settings.method in ("independence", "elliptical"):
        kind = twin.Independence if settings.method == "independence" else twin.Elliptical
        return twin.fixed_chain(kind(density, *law), target.free_size, settings.seed, number, n)
    nuts = twin.Nuts(density, settings.max_depth)
    kernel = nuts if settings.method == "nuts" else twin.Hmc(density, settings.n_steps)
    law = {"mean": law[0], "root": law[1], "finds_directions": settings.finds_directions}
    return twin.chain(kernel, target.free_size, settings.seed, number, n, settings.warm_up, **law)


@pytest.mark.parametrize("name", KERNELS)
def test_draws_are_those_of_the_twin(target, name):
    settings, n = Settings(seed=11, warm_up=25, max_depth=5, **KERNELS[name]), 45
    draws, _, _ = run(target, settings, n)
    for number in range(2):
        u = twin_chain(target, settings, number, n)
        want = [target.evaluate(one)[2] for one in u[settings.warm_up :]]
        np.testing.assert_allclose(draws[number], want, rtol=1e-6)


@pytest.mark.parametrize(("density", "warm_up"), [(narrow, 60), (wide, 30)])
def test_directions_are_those_of_the_twin(density, warm_up):
    """Rounding doubles every few steps of the wide one, so its chain is stopped before instruction sets differ."""
    target = Target(density.compile())
    settings, n = Settings(seed=4, warm_up=warm_up, max_depth=5, finds_directions=True), warm_up + 10
    draws, _, _ = run(target, settings, n, n_chains=1)
    u = twin_chain(target, settings, 0, n)
    np.testing.assert_allclose(draws[0], u[settings.warm_up :], rtol=1e-4, atol=1e-4)


def test_directions_of_a_normal_law_are_its_covariance():
    """To rounding, once there are more draws than numbers; whatever the draws are."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    covariance = root @ root.T
    u = rng.standard_t(3, size=(60, 6))
    gradients = -u @ np.linalg.inv(covariance)
    scales = np.sqrt(u.var(axis=0) / gradients.var(axis=0))
    metric = Metric(scales, *find_directions(u, gradients, scales))
    seen = np.array([metric.velocity(one) for one in np.eye(6)])
    values = np.linalg.eigvals(np.linalg.solve(covariance, seen)).real
    assert (values > 0.49).all()
    assert (values < 2.05).all()  # what the metric leaves is less than twice as wide, or narrow


def test_directions_shorten_trajectories(narrow_target):
    steps = {}
    for finds in (True, False):
        told = run(narrow_target, Settings(seed=2, warm_up=400, finds_directions=finds), 800, n_chains=4)[1]
        steps[finds] = told[:, :, 5].mean()
    assert steps[True] < 0.6 * steps[False]


@pytest.mark.parametrize("parts", [[100], [35, 65], [1, 49, 10, 40]])
@pytest.mark.parametrize("name", KERNELS)
def test_stopped_and_resumed_chains_go_on_to_the_bit(target, name, parts):
    settings = Settings(seed=3, warm_up=50, finds_directions=True, **KERNELS[name])
    whole, statistics, states = run(target, settings, 100)
    resumed = start_chains(target, settings, 2)
    pieces = [advance_chains(target, settings, resumed, n, Reporter("test")) for n in parts]
    assert np.concatenate([p[0] for p in pieces], axis=1).tobytes() == whole.tobytes()
    assert np.concatenate([p[1] for p in pieces], axis=1).tobytes() == statistics.tobytes()
    assert resumed.tobytes() == states.tobytes()


def test_same_bits_for_any_number_of_threads(target):
    from mlwright._runtime.threads import limit

    results = set()
    for n_jobs in (1, 2, 3, 8):
        with limit(n_jobs):
            results.add(run(target, Settings(seed=1, warm_up=40, finds_directions=True), 60, n_chains=5)[0].tobytes())
    assert len(results) == 1


def test_same_bits_at_every_simd_level(narrow_target):
    from mlwright._runtime import simd

    results = set()
    for level in simd.supported_levels():
        with simd.use_level(level):
            results.add(run(narrow_target, Settings(seed=1, warm_up=60, finds_directions=True), 80)[0].tobytes())
    assert len(results) == 1


def energy_slopes(target, share_of_gradient=1.0):
    """By which power of the step the energy error of a trajectory of fixed length falls; and how far the way back ends
    from the start."""

    def density(u):
        value, gradient, _ = target.evaluate(u)
        return value, share_of_gradient * gradient

    nuts = twin.Nuts(density, 1)
    nuts.metric = Metric.diagonal(np.ones(target.free_size))
    u = np.full(target.free_size, 0.3)
    value, gradient = nuts.density(u)
    start = twin.Point(u, np.linspace(-1, 1, len(u)), gradient, value)

    def end(steps, size, z):
        for _ in range(steps):
            z = nuts.leapfrog(z, size)
        return z

    errors = [abs(nuts.energy(end(n, 0.4 / n, start)) - nuts.energy(start)) for n in (8, 16, 32)]
    back = end(16, -0.025, end(16, 0.025, start)).u
    return np.log2(np.array(errors[:-1]) / errors[1:]), np.abs(back - start.u).max()


def test_leapfrog_energy_error_is_of_second_order(target):
    """Halving the steps of a trajectory of fixed length quarters the energy error; it runs backwards to its start."""
    slopes, distance = energy_slopes(target)
    np.testing.assert_allclose(slopes, 2.0, atol=0.1)
    assert distance < 1e-12


def test_a_halved_gradient_shows(target):
    """Draws would still be exact, and slow: energy is not kept, however small the steps."""
    slopes, _ = energy_slopes(target, share_of_gradient=0.5)
    assert (np.abs(slopes) < 0.5).all()
