"""``loo_predictions_``: what each row would have been predicted to be by a fit to all the others, exactly.

A prediction that is linear in the targets misses row i by ``e_i / (1 - w_i h_i)`` where it is left out, e the residuals
of the fit to all rows and h_i what a unit of y_i, of weight one, moves its own prediction by.

Reference: Allen (1974), The relationship between variable selection and data augmentation. Technometrics 16.
"""

import numpy as np

from mlwright._kernels.linalg import affine_map
from mlwright.io.composite import Maybe
from mlwright.io.schema import Tensor
from mlwright.linear_model._base import column_means, plan
from mlwright.linear_model._interval import inverse_root, quadratic
from mlwright.linear_model._leave_one_out import decompose_dual
from mlwright.linear_model._system import Problem

_FULL = 1e-9  # of what a row leaves to the others: below it the others do not determine its prediction
_MOST_ROWS = 4096  # of a kernel matrix, where there is no Gram matrix

#: To stand in the ``_model_state`` of an estimator that calls :func:`keep_loo_predictions`.
LOO_PREDICTIONS = {"loo_predictions_": Maybe(Tensor("f8", "*", "* t"))}


def keep_loo_predictions(model, rows, alpha):
    """Set ``loo_predictions_`` of a fit that has just ended; `alpha` has one penalty a target.

    Raises
    ------
    ValueError
        Where a row alone determines a coefficient, for constrained fits, and for tables too wide and too tall.
    """
    if getattr(model, "positive", False):
        raise ValueError(
            f"{type(model).__name__}: compute_loo=True has no closed form with positive=True; expected positive=False; "
            "or use cross_val_predict."
        )
    statistics = model._get_statistics()
    if statistics is None and plan(rows) == "gram":  # too large to be kept
        statistics = model._sums(rows)
    if statistics is None or statistics.n_features > rows.X.shape[0]:
        out = _by_kernel(model, rows, alpha)
    else:
        out = _by_leverages(model, rows, alpha, statistics)
    model.loo_predictions_ = out[:, 0] if np.ndim(model.coef_) == 1 else out


def _by_leverages(model, rows, alpha, statistics):
    problem, p = Problem.of(statistics, model.fit_intercept), statistics.n_features
    centre = statistics.mean[:p] if model.fit_intercept else np.zeros(p)
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    intercept = np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), len(coef))
    residual = rows.y - affine_map(rows.design, coef, intercept)
    X = rows.X.tocsr() if rows.is_sparse else rows.X
    for a in np.unique(alpha):
        of_a = alpha == a
        moved = quadratic(X, centre, inverse_root(problem, float(a)))
        moved += 1.0 / statistics.weight if model.fit_intercept else 0.0
        left = 1.0 - (moved if rows.w is None else rows.w * moved)
        _require_determined(model, left)
        residual[:, of_a] /= left[:, None]
    return rows.y - residual


def _by_kernel(model, rows, alpha):
    n = rows.X.shape[0]
    if n > _MOST_ROWS or not alpha.min() > 0.0:
        raise ValueError(
            f"{type(model).__name__}: compute_loo=True got {n} rows, {rows.X.shape[1]} columns and a least penalty of "
            f"{alpha.min():g}; expected columns for which a Gram matrix is formed, or up to {_MOST_ROWS} rows and a "
            "penalty above zero; raise alpha, or use cross_val_predict."
        )
    x_mean, y_mean = column_means(rows, model.fit_intercept)
    basis = decompose_dual(rows, x_mean, y_mean, model.fit_intercept)
    penalties = np.unique(alpha)
    (_, _, each), *_ = basis.predictions(penalties)
    return each[:, np.searchsorted(penalties, alpha), np.arange(each.shape[2])]


def _require_determined(model, left):
    if left.min() < _FULL:
        row = int(np.argmin(left))
        raise ValueError(
            f"{type(model).__name__}: compute_loo=True, but without row {row} the others do not determine its "
            "prediction (its leverage is 1); expected more rows than parameters, and no column of a single row; "
            "penalise, or leave the row or the column out."
        )
