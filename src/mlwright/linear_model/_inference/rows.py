"""Are these the rows that the model was fitted on?"""

import numpy as np

from mlwright._kernels.linalg import residual_gradient
from mlwright._validation import explain_not_finite
from mlwright.linear_model._inference.columns import Columns

_OF_ITS_SPREAD = 0.05  # size of the sum of scores, relative to what scores without a common mean add up to
_OF_EVERYTHING = 1e-6  # ... relative to targets and columns: coefficients in float32, and fits without residuals


def require_fitted_on(model, rows, total, statistics, intercept, size, loose=0.0):
    """Raise unless the scores of the rows add up to zero, as they do at the minimum.

    Parameters
    ----------
    total : array of shape (n,)
        Weighted scores of the rows, per unit of their columns.
    size : array of shape (n,)
        What scores are of the order of, for what is rounding: targets.
    loose : array of shape (k,)
        How far from zero each sum may be besides, in the columns of :class:`Columns`: of rows at a kink of the loss.
    """
    columns = Columns.of(statistics, intercept)
    p = statistics.n_features
    mean = np.append(columns.centre, 0.0)
    scale = np.append(columns.scale, 1.0)
    sums = residual_gradient(rows.design, total[:, None], None, mean, scale, np.zeros((p, 1)))[:, 0]
    spread = np.sqrt(columns.moment(statistics).diagonal() / statistics.weight)
    if columns.intercept:
        sums = np.append(total.sum(), sums)
    if not np.isfinite(sums).all():
        explain_not_finite(model, rows)
    w = 1.0 if rows.w is None else rows.w
    weight = len(size) if rows.w is None else rows.w.sum()
    allowed = _OF_ITS_SPREAD * np.sqrt((total * total).sum())
    allowed += _OF_EVERYTHING * np.sqrt(weight * (w * size * size).sum())
    if not (np.abs(sums) <= allowed * spread + loose).all():
        raise ValueError(
            f"{type(model).__name__}: the gradient at the model's coefficients is not zero for these rows; expected "
            "X, y, sample_weight (and offset) that the model was fitted on, and a fit that has converged."
        )
