"""Are these the rows that the model was fitted on?"""

import numpy as np

from mlwright._kernels.linalg import residual_gradient
from mlwright._validation import explain_not_finite
from mlwright.linear_model._inference.columns import Columns

_OF_ITS_SPREAD = 0.05  # size of the sum of scores, relative to what scores without a common mean add up to
_OF_EVERYTHING = 1e-6  # ... relative to targets and columns: coefficients in float32, and fits without residuals


def require_fitted_on(model, rows, total, statistics, intercept, target):
    """Raise unless the scores of the rows add up to zero, as they do at the minimum.

    Parameters
    ----------
    total : array of shape (n,)
        Weighted scores of the rows, per unit of their columns.
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
    y, w = rows.y[:, target], 1.0 if rows.w is None else rows.w
    weight = len(y) if rows.w is None else rows.w.sum()
    allowed = _OF_ITS_SPREAD * np.sqrt((total * total).sum()) + _OF_EVERYTHING * np.sqrt(weight * (w * y * y).sum())
    if not (np.abs(sums) <= allowed * spread).all():
        raise ValueError(
            f"{type(model).__name__}: the gradient at the model's coefficients is not zero for these rows; expected "
            "X, y and sample_weight that the model was fitted on, and a fit that has converged."
        )
