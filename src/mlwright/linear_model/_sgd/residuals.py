"""What a regressor of a stream knows of its errors: residuals of rows that it had not learnt from yet.

Reference: Blum, Kalai and Langford (1999), Beating the hold-out: bounds for k-fold and progressive cross-validation.
COLT.
"""

import numpy as np

from mlwright.linear_model._residual_law import N_LEVELS

MOST = 1024  # residuals that are kept: those of the latest rows


def latest(kept, levels, residuals, w):
    """The residuals of the latest rows with their weights, as a fitted attribute.

    Parameters
    ----------
    kept : dict of arrays ``residual`` and ``weight``, or None
    levels : array of shape (N_LEVELS,), or None
        Quantiles that stand for earlier rows where nothing is kept.
    residuals, w : arrays of shape (n,); w may be None
    """
    if kept is None:
        scattered = np.arange(N_LEVELS) * 150 % N_LEVELS  # in no order, since the first are dropped first
        before = np.empty(0) if levels is None else levels[scattered]
        kept = {"residual": before, "weight": np.ones(len(before))}
    new = {"residual": residuals, "weight": np.ones(len(residuals)) if w is None else w}
    n = len(residuals)
    spread = np.linspace(0, n - 1, MOST).astype(np.intp) if n > MOST else slice(None)  # rows may come sorted
    return {name: np.concatenate([kept[name], new[name][spread]])[-MOST:] for name in new}


def most_coverage(kept):
    """How often a new residual falls among those kept."""
    n = max(len(kept["weight"]), float(kept["weight"].sum()))
    return (n - 1.0) / (n + 1.0)
