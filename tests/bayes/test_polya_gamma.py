"""Pólya-Gamma variates: moments, the Laplace transform, and sums of them."""

import numpy as np
import pytest

from mlwright._kernels.polya_gamma import draw

TILTS = [0.0, 0.3, 1.5, 3.2, 8.0, 40.0]


def moments(z):
    """Mean and variance of PG(1, z)."""
    if z == 0.0:
        return 0.25, 1.0 / 24.0
    return np.tanh(z / 2.0) / (2.0 * z), (np.sinh(z) - z) / (4.0 * z**3 * np.cosh(z / 2.0) ** 2)


@pytest.mark.parametrize("z", TILTS)
def test_moments(z):
    x, (mean, variance) = draw(0, 1, np.full(400_000, -z)), moments(z)
    assert abs(x.mean() - mean) < 4.5 * np.sqrt(variance / len(x))
    fourth = ((x - x.mean()) ** 4).mean()
    assert abs(x.var() - variance) < 4.5 * np.sqrt((fourth - variance**2) / len(x))


@pytest.mark.parametrize("z", TILTS)
def test_laplace_transform(z):
    """E exp(-t X) = cosh(z / 2) / cosh(sqrt(z^2 / 4 + t / 2)), which says all of the distribution."""
    x, mean = draw(3, 4, np.full(400_000, z)), moments(z)[0]
    for t in np.array([0.2, 1.0, 5.0, 25.0]) / mean:
        root = np.sqrt(z * z / 4.0 + t / 2.0)
        want = np.exp(z / 2.0 - root) * (1.0 + np.exp(-z)) / (1.0 + np.exp(-2.0 * root))
        values = np.exp(-t * x)
        assert abs(values.mean() - want) < 4.5 * values.std() / np.sqrt(len(x))


@pytest.mark.parametrize("z", [1e80, 1e160, 1e300, np.inf])
def test_scores_whose_squares_overflow_have_draws(z):
    x = draw(0, 1, np.array([z, -z]))
    assert ((x >= 0.0) & (x < 1e-79)).all()
