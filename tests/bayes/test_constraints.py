"""Changes of variables: Jacobians against determinants of differences, and a lost one that does not pass."""

import numpy as np
import pytest

from mlwright._kernels.density import SIMPLEX, constrain, sizes, unconstrain
from mlwright._kernels.sampler import Target
from mlwright.extend import interval, log_density, lower_bounded, ordered, positive, real, simplex, upper_bounded

DECLARED = {
    "real": real(2),
    "positive": positive(2),
    "lower": lower_bounded(-1.5, 3),
    "upper": upper_bounded(2.0, 2),
    "interval": interval(-1.0, 4.0, 2),
    "ordered": ordered(4),
    "simplex": simplex(4),
}


def blocks_of(*names):
    parameters = [DECLARED[name] for name in names]
    return np.array([(p.kind, p.size, p.lower, p.upper) for p in parameters], float)


def log_determinant(blocks, u, step=1e-5):
    """Of the derivatives of x by u, the last number of a simplex left out."""
    moves = step * np.eye(len(u))
    slopes = np.array([(constrain(blocks, u + e)[0] - constrain(blocks, u - e)[0]) / (2 * step) for e in moves])
    ends = np.cumsum(blocks[:, 1]).astype(int) - 1
    return np.linalg.slogdet(np.delete(slopes, ends[blocks[:, 0] == SIMPLEX], axis=1))[1]


@pytest.mark.parametrize("names", [*((name,) for name in DECLARED), tuple(DECLARED)], ids="-".join)
def test_log_jacobians_are_those_of_differences(names):
    blocks, rng = blocks_of(*names), np.random.default_rng(0)
    for _ in range(5):
        u = rng.normal(size=sizes(blocks)[1])
        x, log_jacobian = constrain(blocks, u)
        assert log_jacobian == pytest.approx(log_determinant(blocks, u), abs=1e-6)
        if names != ("real",):
            assert abs(log_determinant(blocks, u)) > 1e-3  # a lost one would show
        back, fits = unconstrain(blocks, x)
        assert fits
        np.testing.assert_allclose(back, u, rtol=1e-6, atol=1e-9)


def test_a_pole_is_no_state_of_a_chain():
    """An infinite density, which nothing could leave, counts as none."""

    @log_density(x=real())
    def pole(x):
        return np.inf if x > 1.5 else -0.5 * x * x

    target = Target(pole.compile())
    assert target.evaluate(np.array([2.0]))[0] == -np.inf
    assert target.evaluate(np.array([1.0]))[0] == -0.5
