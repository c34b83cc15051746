"""Huber regression."""

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

from mlwright._kernels.linalg import affine_map
from mlwright._runtime.errors import NumericalError
from mlwright._validation import rows_for_fit
from mlwright.base import check_coverage, fit_context
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._base import linear_predict
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._residual_law import N_LEVELS, between_levels, require_rising, residual_levels
from mlwright.linear_model._robust.huber_fit import HuberProblem, fit_huber
from mlwright.linear_model._robust.huber_wide import WideProblem, is_wide
from mlwright.linear_model._scaled_rows import ScaledRows

_CRUSHING = 1e30  # a penalty of a scaled coefficient, to the sum of weights


class HuberRegressor(RegressorMixin, BaseEstimator):
    """Linear regression that outliers do not pull away, with the scale of the errors estimated along.

    Minimises scikit-learn's objective ``sum_i w_i (sigma + h((y_i - x_i coef - intercept) / sigma) sigma) + alpha
    |coef|^2``, where h is the square up to `epsilon` and linear beyond, jointly over the coefficients and sigma.

    Parameters
    ----------
    epsilon : float, default=1.35
        Residuals of more than ``epsilon * scale_`` count as outliers; at least 1.
    max_iter : int, default=100
        Newton steps.
    alpha : float, default=0.0001
        Strength of the squared L2 penalty.
    warm_start : bool, default=False
        Start from the coefficients and scale of the last fit.
    fit_intercept : bool, default=True
    tol : float, default=1e-05
        The gradient may be that large at the end, relative to the sum of weights, in columns of unit spread. The last
        step usually leaves far less.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    scale_ : float
        Sigma.
    n_iter_ : int
    outliers_ : bool ndarray of shape (n_samples,)
    objective_ : float
        As scikit-learn defines it: a sum over rows.
    kkt_violation_ : float
        Certificate: the largest entry of half the gradient, as described at `tol`. The objective is convex.
    converged_ : bool
    n_passes_ : int
        How often the rows were read.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Columns may have any scale: the iteration runs in columns of unit spread. Where all rows that are no outliers fit
    exactly, sigma goes to zero, and the answer is given as it stands at 1e-9 of the target's spread. With
    ``epsilon=1`` that is always so: the least absolute errors, which ``QuantileRegressor`` finds faster and exactly.
    Weights count as repetitions.

    References
    ----------
    Huber and Ronchetti (2009), Robust Statistics, second edition, section 7.7.
    Owen (2007), A robust hybrid of lasso and ridge regression.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import HuberRegressor, LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X @ [1.0, -1.0] + 0.1 * rng.normal(size=200)
    >>> y[:20] += 50.0 * X[:20, 0]
    >>> HuberRegressor().fit(X, y).coef_.round(1)
    array([ 1., -1.])
    >>> LinearRegression().fit(X, y).coef_.round(1)[0] > 4.0
    np.True_
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f4 f8", "p"),
        intercept_=Number(),
        scale_=Number(0.0),
        n_iter_=Number(0, integer=True),
        outliers_=Tensor("?", "n"),
        **certificate_fields("kkt_violation_"),
        _residual_levels=Optional(Tensor("f8", str(N_LEVELS))),
    )
    _parameter_constraints: ClassVar[dict] = {
        "epsilon": [Interval(Real, 1.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "fit_intercept": ["boolean"],
        "tol": [Interval(Real, 0.0, None, closed="left")],
    }

    def __init__(self, *, epsilon=1.35, max_iter=100, alpha=0.0001, warm_start=False, fit_intercept=True, tol=1e-05):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Warns
        -----
        ConvergenceWarning
            If the certificate is above `tol` after `max_iter` steps.
        """
        given = rows_for_fit(self, X, y, sample_weight, multi_output=False)
        rows = ScaledRows.of(self, given, self.fit_intercept)
        unit = rows.y_scale * rows.weight_unit
        with np.errstate(over="ignore"):
            penalty = self.alpha * rows.weight_unit / rows.y_scale * rows.scale**2
        # Columns so short that the penalty leaves nothing of their coefficients: zero, as those without spread.
        rows = replace(rows, scale=np.where(penalty > _CRUSHING * rows.total, 0.0, rows.scale))
        penalty = np.where(rows.scale > 0.0, penalty, 1.0)
        penalty = np.append(penalty, 0.0) if self.fit_intercept else penalty
        problem = HuberProblem(rows, float(self.epsilon), penalty)
        fit = self._fit_problem(problem)
        coef, intercept = rows.to_coef(fit.b[None, :])
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise NumericalError(
                "HuberRegressor: coefficients overflow float64; expected y / X within 1e300; rescale X or y."
            )
        self.coef_ = coef[0].astype(np.float32 if given.dtype == np.float32 else np.float64)
        self.intercept_, self.scale_ = float(intercept[0]), fit.sigma / rows.y_scale
        keep_certificate(
            self,
            objective=fit.objective / unit,
            kkt_violation=fit.violation,
            converged=fit.violation <= max(self.tol, 1e-12),
            n_passes=fit.n_passes,
        )
        self.n_iter_ = fit.n_iter
        fitted = affine_map(given.design, coef, intercept)[:, 0]
        self.outliers_ = np.abs(given.y[:, 0] - fitted) > self.epsilon * self.scale_
        self._residual_levels = None
        if fit.left_out is not None:
            self._residual_levels = residual_levels(fit.left_out / rows.y_scale, rows.w, rows.total / rows.weight_unit)
        if not self.converged_:
            warnings.warn(
                f"HuberRegressor: after {fit.n_iter} steps the gradient is {fit.violation:.2g} of the sum of weights, "
                f"above tol={self.tol:g}; raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _fit_problem(self, problem):
        start = self._last(problem) if self.warm_start and hasattr(self, "coef_") else None
        if not is_wide(problem):
            return fit_huber(problem, problem.start() if start is None else start, self.tol, self.max_iter)
        wide = WideProblem(problem)
        return wide.fit(wide.start() if start is None else wide.inwards(start), self.tol, self.max_iter)

    def _last(self, problem):
        """Where the last fit ended."""
        rows = problem.rows
        if self.coef_.shape != rows.scale.shape:
            raise ValueError(
                f"HuberRegressor: warm_start=True with {len(rows.scale)} features, but the last fit had "
                f"{len(self.coef_)}; expected the same columns; set warm_start=False."
            )
        b = rows.from_coef(self.coef_.astype(np.float64), self.intercept_)
        return problem.at(b, rows.residuals(b[None, :])[0], self.scale_ * rows.y_scale)

    def predict(self, X):
        """Predict with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return linear_predict(self, X)

    def predict_interval(self, X, coverage=0.9):
        """Central interval for new observations, from the residuals of rows left out of the fit: the jackknife.

        Their own quantiles, each row being left out by a Newton step: no law of the errors is assumed, but that it is
        the same at every x. Outliers among the rows widen intervals whose coverage includes them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)

        Raises
        ------
        ValueError
            If no more rows than coefficients are fitted exactly: such residuals say nothing.

        References
        ----------
        Barber, Candes, Ramdas and Tibshirani (2021), Predictive inference with the jackknife+. Annals of Statistics 49.
        """
        coverage = check_coverage(coverage)
        mean = self.predict(X)
        if self._residual_levels is None:
            raise ValueError(
                "predict_interval: the rows are fitted exactly by as many coefficients, and say nothing of how far new "
                "ones lie; expected more rows than coefficients; raise alpha, or leave columns out."
            )
        return mean[:, None] + between_levels(self._residual_levels, coverage)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        require_rising(self, self._residual_levels)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
