"""The native chains against their twin, and against what they must leave invariant."""

import numpy as np
import pytest

from mlwright._kernels.sampler import Settings, Target, advance_chains, start_chains
from mlwright._runtime.progress import Reporter
from mlwright.extend import interval, log_density, positive, real
from mlwright.reference import nuts as twin


@log_density(x=real(3), scale=positive(), share=interval(-1.0, 2.0))
def curved(x, scale, share):
    """A funnel, with every kind of simple constraint."""
    total = -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - scale
    for i in range(1, 3):
        z = (x[i] - x[0] * share) / (0.5 + scale)
        total = total - 0.5 * z * z
    return total


@pytest.fixture(scope="module")
def target():
    return Target(curved.compile())


def run(target, settings, n, n_chains=2):
    states = start_chains(target, settings, n_chains)
    return (*advance_chains(target, settings, states, n, Reporter("test")), states)


def test_draws_are_those_of_the_twin(target):
    settings, n = Settings(seed=11, warm_up=25, max_depth=5), 45
    draws, _, _ = run(target, settings, n)

    def density(u):
        value, gradient, _ = target.evaluate(u)
        return value, gradient

    for number in range(2):
        u = twin.chain(density, target.free_size, settings.seed, number, n, settings.warm_up, max_depth=5)
        want = [target.evaluate(one)[2] for one in u[settings.warm_up :]]
        np.testing.assert_allclose(draws[number], want, rtol=1e-6)


@pytest.mark.parametrize("parts", [[40], [15, 25], [1, 19, 10, 10]])
def test_stopped_and_resumed_chains_go_on_to_the_bit(target, parts):
    settings = Settings(seed=3, warm_up=20)
    whole, statistics, states = run(target, settings, 40)
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
            results.add(run(target, Settings(seed=1, warm_up=30), 60, n_chains=5)[0].tobytes())
    assert len(results) == 1


def test_leapfrog_energy_error_is_of_second_order(target):
    """Halving the steps of a trajectory of fixed length quarters the energy error; it runs backwards to its start."""
    nuts = twin.Nuts(lambda u: target.evaluate(u)[:2], 1)
    nuts.inverse_mass = np.ones(target.free_size)
    u = np.full(target.free_size, 0.3)
    value, gradient = nuts.density(u)
    start = twin.Point(u, np.linspace(-1, 1, len(u)), gradient, value)

    def end(steps, size, z):
        for _ in range(steps):
            z = nuts.leapfrog(z, size)
        return z

    errors = [abs(nuts.energy(end(n, 0.4 / n, start)) - nuts.energy(start)) for n in (8, 16, 32)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, 2.0, atol=0.1)
    np.testing.assert_allclose(end(16, -0.025, end(16, 0.025, start)).u, start.u, rtol=1e-12)
