"""Quantiles of even mixtures of Poisson and negative binomial laws; ``sampler/count_mixture.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


@kernel(
    native="count_mixture.quantiles",
    twin="count_mixture:quantiles",
    strategy="count_mixture:mixtures",
    tolerance=Tolerance(),
)
def quantiles(means, dispersions, levels):
    """Quantiles of the laws of rows: the least count whose distribution function is at least the level.

    Parameters
    ----------
    means : array of shape (n, n_components)
        Not negative; more than 1e15 counts as that.
    dispersions : array of shape (n_components,), or None
        Above 0: variances are ``mean + dispersion * mean**2``. None for Poisson laws.
    levels : array of shape (n_levels,)
        Between 0 and 1, exclusive.

    Returns
    -------
    array of shape (n, n_levels)
    """
    means, levels = layout.contiguous(means, np.float64), layout.vector(levels)
    dispersions = np.empty(0) if dispersions is None else layout.vector(dispersions)
    out = np.empty((len(means), len(levels)))
    core.count_mixture.quantiles(means, dispersions, levels, out)
    return out
