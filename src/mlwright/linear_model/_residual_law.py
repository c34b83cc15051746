"""Intervals from the distribution of residuals: its quantiles on a fixed grid of levels are what a model keeps."""

import numpy as np

N_LEVELS = 401
_LEVELS = np.linspace(0.0, 1.0, N_LEVELS)


def residual_levels(residuals, w=None, total=None, n_parameters=0):
    """Quantiles of residuals at N_LEVELS levels from 0 to 1; a weight of 2 is the residual twice.

    In-sample residuals are shorter than those of new rows: `n_parameters` fitted to a weight of `total` stretch them by
    ``sqrt(N / (N - q))``, as in the variance of least squares, N being the number of rows that the weights stand for.
    """
    order = np.argsort(residuals, kind="stable")
    size = np.ones(len(order)) if w is None else w[order]
    share = np.cumsum(size)
    at = np.searchsorted(share, _LEVELS * share[-1] * (1.0 - 1e-12), side="left")
    rows = share[-1] if total is None else total
    stretch = np.sqrt(rows / max(rows - n_parameters, 1.0)) if rows > n_parameters else 1.0
    return residuals[order][np.minimum(at, len(order) - 1)] * stretch


def between_levels(levels, coverage):
    """Lower and upper end of the central interval of that coverage."""
    return np.interp([0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage], _LEVELS, levels)
