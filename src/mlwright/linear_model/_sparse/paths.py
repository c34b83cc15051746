"""Paths of penalties: the grid, and the functions ``lasso_path`` and ``enet_path``."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse.working_set import RowsProblem, wants_rows

_LEAST = np.finfo(np.float64).resolution  # of targets without spread, as in scikit-learn
_SMALLEST = np.finfo(np.float64).tiny


def alpha_grid(largest, eps, n_alphas):
    """`n_alphas` penalties from the largest that is of any use down to `eps` times it."""
    if not largest * eps >= _SMALLEST:
        return np.full(n_alphas, _LEAST)
    return np.geomspace(largest, largest * eps, num=n_alphas)


def require_l1(l1_ratio):
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by providing your "
            "estimator with the appropriate `alphas=` argument."
        )


def checked_alphas(alphas):
    """Given penalties, largest first."""
    for index, alpha in enumerate(alphas):
        if not isinstance(alpha, Real) or isinstance(alpha, bool):
            raise TypeError(f"alphas[{index}] must be an instance of float, not {type(alpha).__name__}.")
        if not 0.0 <= alpha < np.inf:
            raise ValueError(f"alphas[{index}] == {alpha}, must be >= 0.0 and finite.")
    return np.sort(np.asarray(alphas, dtype=np.float64))[::-1]


class _Path(RegressorMixin, BaseEstimator):
    """Stands for the estimator where rows are checked."""


def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    alphas=100,
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    max_iter=1000,
    tol=1e-4,
):
    """Elastic net coefficients along a path of penalties; no intercept: X and y are taken to be centred.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Each target has a path of its own, along one grid.
    l1_ratio : float, default=0.5
        Between 0 and 1; 0 needs `alphas`.
    eps : float, default=1e-3
        The smallest penalty over the largest.
    alphas : int or array-like, default=100
        How many penalties, or which.
    precompute, Xy, copy_X, verbose
        For compatibility: what is formed follows from the shape of X, which is never written to.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), default=None
        Where the path starts.
    return_n_iter : bool, default=False
    positive : bool, default=False
    max_iter : int, default=1000
    tol : float, default=1e-4
        Duality gap relative to the sum of squares of y.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
        Of the objective summed over rows, not averaged: as in scikit-learn.
    n_iters : list of int
        With ``return_n_iter=True``; the largest of the targets.

    Raises
    ------
    ValueError
        For a grid that is asked for with ``l1_ratio=0``, and for data that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import enet_path
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> alphas, coefs, gaps = enet_path(X, X @ [2.0, 0.0], alphas=[0.1, 0.01], tol=1e-10)
    >>> coefs.round(2)
    array([[1.77, 1.98],
           [0.04, 0.  ]])
    """
    if not isinstance(l1_ratio, Real) or not 0.0 <= l1_ratio <= 1.0:
        raise ValueError(f"l1_ratio: got {l1_ratio!r}, expected a number between 0 and 1.")
    checked = _Path()
    rows = rows_for_fit(checked, X, y)
    (t, p), n = (rows.y.shape[1], rows.X.shape[1]), rows.X.shape[0]
    by_rows = wants_rows(rows)
    sums = None if by_rows else FoldStatistics.of_rows(rows.design, rows.y)
    problem = RowsProblem.of(rows, False) if by_rows else sums and Quadratics.of([sums], False)
    if problem is None:
        explain_not_finite(checked, rows)
    if isinstance(alphas, Integral):
        require_l1(l1_ratio)
        alphas = alpha_grid(problem.largest_alpha(l1_ratio, positive), eps, int(alphas))
    else:
        alphas = checked_alphas(alphas)
    steps = np.broadcast_to(alphas, (t, len(alphas)))
    start = None if coef_init is None else np.asarray(coef_init, dtype=np.float64).reshape(t, p)
    options = {"positive": positive, "start": start, "tol": tol, "max_iter": max_iter}
    if by_rows:
        answers = problem.solve(steps, l1_ratio, **options)
    else:
        answers = problem.solve(np.zeros(t, np.int64), np.arange(t), steps, l1_ratio, **options)
    coefs, gaps = np.moveaxis(answers.coef, 1, 2), answers.gap * n
    coefs, gaps = (coefs[0], gaps[0]) if rows.single_target else (coefs, gaps)
    extra = (answers.n_iter.max(axis=0).tolist(),) if return_n_iter else ()
    return alphas, coefs.astype(rows.dtype, copy=False), gaps, *extra


def lasso_path(X, y, **options):
    """Lasso coefficients along a path of penalties: :func:`enet_path` with ``l1_ratio=1``.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    **options
        As in :func:`enet_path`.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
    n_iters : list of int
        With ``return_n_iter=True``.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import lasso_path
    >>> alphas, coefs, _ = lasso_path(np.eye(3), np.array([3.0, 1.0, -2.0]), alphas=[0.5])
    >>> coefs[:, 0].round(2)
    array([ 1.5,  0. , -0.5])
    """
    return enet_path(X, y, l1_ratio=1.0, **options)
