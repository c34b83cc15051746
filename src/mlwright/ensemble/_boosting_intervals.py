"""Intervals around point predictions from residuals of rows that trees were not grown on: split conformal prediction.

The ends are the order statistics ``floor((m + 1) a)`` and ``ceil((m + 1) (1 - a))``, ``a = (1 - coverage) / 2``, of the
residuals of m held-out rows: if those and the new row are exchangeable, the new target lies inside with probability of
at least the coverage, on average over held-out rows and new row.

References
----------
Papadopoulos et al., "Inductive confidence machines for regression", ECML 2002. Lei et al., "Distribution-free
predictive inference for regression", JASA 113 (2018).
"""

import numpy as np

from mlwright._runtime.errors import ModelFormatError

_MOST_RESIDUALS = 10_000  # ends of a 99 % interval then scatter by 0.1 % of coverage


def sample_for_residuals(rows, seed):
    """At most 10,000 of the held-out rows, drawn at random: they stay exchangeable."""
    rows = rows.without_zero_weights()
    n = len(rows.y)
    if n <= _MOST_RESIDUALS:
        return rows
    kept = np.sort(np.random.default_rng(seed).choice(n, _MOST_RESIDUALS, replace=False))
    return rows.take(kept)


def residuals_of(y, predictions, spread, weight):
    """Sorted residuals, divided by the predictions to the power ``spread``, and their weights: shape (2, m).

    Integer weights are repetitions; others are scaled to a mean of 1.
    """
    residuals = (y - predictions) / _scale(predictions, spread)
    weight = np.ones(len(y)) if weight is None else weight
    if (weight != np.floor(weight)).any():
        weight = weight / weight.mean()
    order = np.argsort(residuals, kind="stable")
    return np.stack([residuals[order], weight[order]])


def conformal_interval(predictions, spread, residuals, coverage):
    """Lower and upper ends of shape (n, 2)."""
    if residuals is None:
        raise ValueError(
            "predict_interval: this model held out no rows when it was fitted, expected some; fit with "
            "early_stopping=True and a validation_fraction or X_val, or call calibrate_interval(X, y) with rows that "
            "it was not fitted on"
        )
    up_to = np.cumsum(residuals[1])
    tail = (1 - coverage) / 2
    # The slack keeps 0.05 * 100 from becoming 4.999...
    low = np.floor((up_to[-1] + 1) * tail + 1e-9)
    high = np.ceil((up_to[-1] + 1) * (1 - tail) - 1e-9)
    if low < 1 or high > up_to[-1] + 1e-9:
        raise ValueError(
            f"coverage: got {coverage}, for which at least {int(np.ceil(1 / tail - 1e-9)) - 1} held-out rows are "
            f"needed, and {up_to[-1]:g} were held out; ask for less coverage or hold out more rows"
        )
    ends = residuals[0][np.minimum(np.searchsorted(up_to, [low - 1e-9, high - 1e-9]), residuals.shape[1] - 1)]
    return predictions[:, None] + ends * _scale(predictions, spread)[:, None]


def check_residuals(name, residuals):
    """ModelFormatError unless they are what :func:`residuals_of` makes."""
    if residuals is None:
        return
    if residuals.shape[1] == 0 or (np.diff(residuals[0]) < 0).any() or not (residuals[1] > 0).all():
        raise ModelFormatError(f"{name}: its held-out residuals are not sorted or not weighted; the model is damaged")


def _scale(predictions, spread):
    if spread == 0:
        return np.ones(len(predictions))
    return np.maximum(predictions, np.finfo(np.float64).tiny) ** spread
