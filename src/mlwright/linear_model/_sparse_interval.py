"""Predictive intervals of models with few coefficients: least squares on the support, as if it had been given.

The residual variance has as many degrees of freedom as rows are left by the support (its size is an unbiased estimate
of the lasso's degrees of freedom), and leverages are those of the support's Gram matrix with the L2 penalty.

Reference: Zou, Hastie and Tibshirani (2007), On the degrees of freedom of the lasso. Annals of Statistics 35.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright._validation import require_finite, rows_for_predict
from mlwright.base import as_fitted
from mlwright.linear_model._interval import inverse_root, quadratic, residual_squares
from mlwright.linear_model._system import Problem


def sparse_predictive(model, X, ridge):
    """Mean, standard deviation and degrees of freedom at the rows of X; `ridge` is the L2 penalty a unit of weight."""
    check_is_fitted(model)
    statistics = model._get_statistics()
    if statistics is None:
        raise ValueError(
            f"predict_interval: this {type(model).__name__} was fitted by a route that keeps no statistics of its rows "
            "(more columns than a Gram matrix is worth); fit it on the columns of its support."
        )
    X, finite = rows_for_predict(model, X, accept_sparse=model._accept_sparse)
    if not finite:
        require_finite(model, X)
    mean = model.predict(X)
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    parts = [_of_target(model, statistics, X, ridge, k, target) for k, target in enumerate(coef)]
    deviation = np.column_stack([part for part, _ in parts])
    freedom = np.array([left for _, left in parts])
    return mean, deviation.reshape(mean.shape), freedom[0] if mean.ndim == 1 else freedom


def _of_target(model, statistics, X, ridge, k, coef):
    a = bool(as_fitted(model, "fit_intercept"))
    problem, weight, p = Problem.of(statistics, a), statistics.weight, statistics.n_features
    support = np.flatnonzero(coef)
    freedom = weight - len(support) - a
    if freedom <= 0:
        raise ValueError(
            f"predict_interval: {weight:g} rows (or weight) and {len(support)} coefficients that are not zero leave no "
            "degrees of freedom; expected more rows; raise alpha."
        )
    rss = residual_squares(problem, coef, k)
    reach = np.full(X.shape[0], 1.0 / weight if a else 0.0)
    if len(support):
        centre = statistics.mean[:p][support] if a else np.zeros(len(support))
        part = Problem(
            problem.gram[np.ix_(support, support)],
            problem.cross[support],
            problem.square,
            problem.x_scale[support],
            problem.y_scale,
            problem.active[support],
        )
        reach += quadratic(X[:, support], centre, inverse_root(part, ridge * weight))
    return np.sqrt(rss / freedom * (1.0 + reach)), freedom
