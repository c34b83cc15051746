"""Intervals from the distribution of residuals: its quantiles on a fixed grid of levels are what a model keeps."""

import numpy as np

from mlwright._runtime.errors import ModelFormatError

N_LEVELS = 401
_LEVELS = np.linspace(0.0, 1.0, N_LEVELS)
_ROUNDING = 1e-9  # of a place among the residuals


def residual_levels(residuals, w=None, total=None, n_parameters=0):
    """Quantiles of residuals at N_LEVELS levels from 0 to 1; a weight of 2 is the residual twice.

    A new residual falls between the k-th and the next of N others with probability ``1 / (N + 1)``, so the quantile of
    level q is the residual at place ``q (N + 1)``, outwards from the median, and at the ends the outermost there is: N
    residuals of rows left out cover ``(N - 1) / (N + 1)`` at most.

    In-sample residuals are shorter than those of new rows: `n_parameters` fitted to a weight of `total` stretch them by
    ``N / (N - q)``, as leaving out a row of leverage ``q / N`` does, N being the number of rows that the weights stand
    for: of weights below one, the rows that there are.

    Reference: Barber, Candes, Ramdas and Tibshirani (2021), Predictive inference with the jackknife+. Annals of
    Statistics 49.
    """
    order = np.argsort(residuals, kind="stable")
    share = np.cumsum(np.ones(len(order)) if w is None else w[order])
    rows = max(float(share[-1] if total is None else total), len(order))
    place = _LEVELS * (rows + 1.0)
    place = np.where(_LEVELS < 0.5, np.floor(place + _ROUNDING), np.ceil(place - _ROUNDING))
    at = np.searchsorted(share * (rows / share[-1]), np.clip(place, 1.0, rows) - _ROUNDING, side="left")
    stretch = rows / max(rows - n_parameters, 1.0) if rows > n_parameters else 1.0
    return residuals[order][np.minimum(at, len(order) - 1)] * stretch


def between_levels(levels, coverage):
    """Lower and upper end of the central interval of that coverage."""
    return np.interp([0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage], _LEVELS, levels)


def require_rising(model, levels):
    """ModelFormatError unless the quantiles rise: for models read from files; None is none kept."""
    if levels is not None and (np.diff(levels) < 0.0).any():
        raise ModelFormatError(
            f"{type(model).__name__}: the quantiles of its residuals do not rise; the file is damaged."
        )
