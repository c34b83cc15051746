"""Scores of ridge regression for many penalties on folds whose rows are gone: from the statistics alone."""

import warnings

import numpy as np

from mlwright._kernels.fold_statistics import all_but_one
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.linear_model._ridge.path import MOST_COLUMNS, ridge_path, scores_and_doubt
from mlwright.linear_model._sparse.penalised import ridge_from_statistics


def scores_of_folds(model, test, alphas, metric):
    """Scores (m, K) of m penalties on K folds, each of the fit on all other folds; weights count in both.

    Warns where rounding takes digits of them: there are no rows to make sure by.
    """
    scores, all_sure = np.empty((len(alphas), len(test))), True
    for k, train in enumerate(all_but_one(test)):
        coef, intercept, known = _path(train, model.fit_intercept, alphas)
        found, sure = scores_and_doubt(test[k], coef, intercept, metric)
        if found is None:
            raise ValueError(
                f"{type(model).__name__}: R2 is not defined on a fold of {test[k].n_rows} rows with one value of y "
                "among them, expected targets that vary in every fold; begin with more rows, or set "
                "scoring='neg_mean_squared_error'."
            )
        scores[:, k], all_sure = found, all_sure and sure and known
    if not np.isfinite(scores).all():
        raise FloatingPointError(
            f"{type(model).__name__}: a score is not finite; raise the smallest of alphas, or rescale X or y."
        )
    if not all_sure:
        warnings.warn(
            f"{type(model).__name__}: the errors by which the penalty is chosen have lost digits to rounding (columns "
            "of very different spread, or next to no error); raise the smallest of alphas, or call fit on all rows.",
            LossOfPrecisionWarning,
            stacklevel=5,
        )
    return scores


def _path(train, fit_intercept, alphas):
    """Coefficients (m, t, p), intercepts (m, t), and whether both have all their digits."""
    path = ridge_path(train, fit_intercept, alphas) if train.n_features <= MOST_COLUMNS else None
    if path is not None:
        return *path, True
    p = train.n_features
    fits = [ridge_from_statistics(train, fit_intercept, np.full(train.n_targets, alpha)) for alpha in alphas]
    coef, sure = np.array([fit[0] for fit in fits]), all(fit[1] for fit in fits)
    return coef, (train.mean[p:] - coef @ train.mean[:p]) * bool(fit_intercept), sure
