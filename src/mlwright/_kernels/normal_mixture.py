"""Quantiles of even mixtures of normal laws; ``sampler/normal_mixture.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


@kernel(
    native="normal_mixture.quantiles",
    twin="normal_mixture:quantiles",
    strategy="normal_mixture:mixtures",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def quantiles(means, sds, levels):
    """Quantiles of the laws of rows.

    Parameters
    ----------
    means : array of shape (n, n_components)
    sds : array of shape (n_components,) or (n, n_components)
        Above 0; the same for all rows, or of each.
    levels : array of shape (n_levels,)
        Between 0 and 1, exclusive.

    Returns
    -------
    array of shape (n, n_levels)
    """
    means = np.ascontiguousarray(means, dtype=np.float64)
    sds, levels = np.ascontiguousarray(sds, dtype=np.float64), layout.vector(levels)
    out = np.empty((len(means), len(levels)))
    core.normal_mixture.quantiles(means, sds, levels, out)
    return out
