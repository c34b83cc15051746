"""Ordinary least squares."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from mlwright._runtime import threads
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright._validation import explain_not_finite
from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model import _iterative
from mlwright.linear_model._base import LeastSquaresModel, column_means, finite, plan
from mlwright.linear_model._inference.door import InferenceMixin
from mlwright.linear_model._inference.least_squares import infer
from mlwright.linear_model._interval import predictive
from mlwright.linear_model._least_squares import least_squares, least_squares_by_svd, spectrum
from mlwright.linear_model._loo_predictions import LOO_PREDICTIONS, keep_loo_predictions
from mlwright.linear_model._nonnegative import nonnegative_least_squares
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._stationary import STATIONARY, certify
from mlwright.linear_model._system import Problem


class LinearRegression(InferenceMixin, LeastSquaresModel):
    """Ordinary least squares in one pass over the rows.

    The answer is scikit-learn's, the minimum-norm one where X has not full column rank. The rows enter through a Gram
    matrix of centred, rescaled columns; where its condition number would cost more than four digits, residuals from the
    rows refine the answer, and where even that would not do, a singular value decomposition of X gives it.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to fit an intercept. If False, X and y are taken to be centred.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    tol : float, default=1e-6
        Singular values of the centred X below ``tol`` times the largest count as zero. For sparse X that takes the
        iterative route (very many columns) it is not used: that route goes to full precision.
    n_jobs : int, default=None
        Number of threads; None leaves it to the process. The result does not depend on it.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative. Dense X only.
    compute_loo : bool, default=False
        Keep in ``loo_predictions_`` what each row is predicted to be by a fit to all the others: exact, at the cost of
        one more pass over the rows.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    rank_ : int
        Rank of the centred X. Dense X only.
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the centred, weighted X. Dense X only. After ``partial_fit`` there is one a feature. Computed
        from the Gram matrix when first asked for: the smallest has a relative error of about 1e-16 times the squared
        ratio of the largest to it.
    objective_ : float or ndarray of shape (n_targets,)
        Sum of squares of the residuals, of each target.
    kkt_violation_ : float
        Largest violation of the optimality conditions, relative to the norms of columns and y.
    converged_ : bool
        Whether that is below 1e-6. False too where singular values below `tol` were left out that count.
    n_passes_ : int
        Reads of the rows.
    loo_predictions_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With ``compute_loo=True``. ``partial_fit``, ``merge`` and ``forget`` take it away, which do not see all rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    Ridge : with an L2 penalty.

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact: the model keeps the sums that it needs (for up to 2048
    columns). A stream has no rows to go back to: where its Gram matrix is too ill-conditioned to be solved without
    them, the minimum-norm answer of the well-conditioned part is given, with a LossOfPrecisionWarning.

    ``inference`` and its short forms ``std_errors_``, ``p_values_``, ``conf_int`` and ``summary`` give standard errors
    and tests of the coefficients.

    Weights count as repetitions, also in ``predict_interval``, which follows the normal theory of least squares.

    References
    ----------
    Björck (1996), Numerical Methods for Least Squares Problems.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> y = X @ [1.0, 2.0] + 3.0
    >>> model = LinearRegression().fit(X[:2], y[:2]).partial_fit(X[2:], y[2:])
    >>> model.predict([[3.0, 5.0]]).round(6)
    array([16.])
    >>> model.coef_.round(6)
    array([1., 2.])
    """

    _model_state = State(
        **LINEAR_FIELDS,
        **LOO_PREDICTIONS,
        **STATIONARY,
        rank_=Maybe(Number(0, integer=True)),
        _n_singular=Optional(Number(0, integer=True)),
        _singular=Optional(Tensor("f8", "s")),
    )
    _read_later = ("fit_intercept", "positive")
    _parameter_constraints: ClassVar[dict] = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
        "compute_loo": ["boolean"],
    }

    def __init__(self, *, fit_intercept=True, copy_X=True, tol=1e-6, n_jobs=None, positive=False, compute_loo=False):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive
        self.compute_loo = compute_loo

    @property
    def _accept_sparse(self):
        return not self.positive

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        with threads.limit(self.n_jobs):
            route = "gram" if self.positive else plan(rows)
            if route == "gram":
                self._fit_statistics(self._sums(rows), rows)
            else:
                self._fit_without_statistics(rows, route)
            if self.compute_loo:
                keep_loo_predictions(self, rows, np.zeros(rows.y.shape[1]))
        return self

    def _fit_statistics(self, statistics, rows=None):
        p = statistics.n_features
        x_mean, y_mean = statistics.mean[:p], statistics.mean[p:]
        if self.positive:
            problem = None
            coef, reads = nonnegative_least_squares(statistics, self.fit_intercept, 0.0, rows)
            self._forget_spectrum()
        else:
            solution = least_squares(statistics, self.fit_intercept, self.tol, rows)
            if solution is None:
                return self._fit_without_statistics(rows, "dual", statistics)
            if rows is None and not solution.condition < 1e13:
                _warn_of_stream(self, statistics)
            self._keep_spectrum(solution, rows, p)
            coef, reads, problem = solution.coef, solution.n_passes, solution.problem
        self._keep_statistics(statistics)
        self._set_linear(coef, x_mean, y_mean)
        certify(self, coef, None, 1 + reads, statistics=statistics, rows=rows, problem=problem)
        return self

    def _fit_without_statistics(self, rows, route, statistics=None):
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        if not finite(rows):
            explain_not_finite(self, rows)
        if rows.is_sparse:
            coef, n_iter = _iterative.ridge(rows, x_mean, y_mean, np.zeros(rows.y.shape[1]))
            reads = 2 + 2 * int(n_iter.max())
            self._forget_spectrum()
        else:
            solution = least_squares_by_svd(rows, x_mean, y_mean, self.tol)
            self._keep_spectrum(solution, rows, rows.X.shape[1])
            coef, reads = solution.coef, 2 + solution.n_passes
        self._keep_statistics(statistics)
        self._set_linear(coef, x_mean, y_mean)
        certify(self, coef, None, reads, statistics=statistics, rows=rows, iterated=rows.is_sparse)
        return self

    def _keep_spectrum(self, solution, rows, p):
        """`rank_`, and what `singular_` is made of."""
        if rows is not None and rows.is_sparse:
            self._forget_spectrum()
            return
        self.rank_ = solution.rank
        n_singular = p if rows is None else min(rows.X.shape)
        self._n_singular = n_singular
        self._singular = None if solution.singular is None else solution.singular[:n_singular]

    def _forget_spectrum(self):
        vars(self).pop("rank_", None)
        self._n_singular, self._singular = None, None

    @property
    def singular_(self):
        if getattr(self, "_n_singular", None) is None:
            raise AttributeError("singular_: exists after a fit on dense X, unless positive=True")
        if self._singular is not None:
            return self._singular
        intercept = as_fitted(self, "fit_intercept")
        values, _, _, common = spectrum(Problem.of(self._required_statistics("singular_"), intercept))
        return np.sqrt(np.maximum(values[::-1], 0.0))[: self._n_singular] / common

    def _refuse_inference(self):
        if as_fitted(self, "positive"):
            raise ValueError(
                "LinearRegression: positive=True has no standard errors: coefficients at their bound are not normal; "
                "expected positive=False; fit again, or resample the rows."
            )

    def _rows_for_inference(self, X, y, sample_weight):
        return self._rows(X, y, sample_weight, reset=False)

    def _infer(self, rows, kind, use_t, weights):
        return infer(self, rows, kind, use_t, weights)

    def _predictive(self, X):
        return predictive(self, X, np.zeros(1), self.rank_ if hasattr(self, "rank_") else None)


def _warn_of_stream(model, statistics):
    warnings.warn(
        f"{type(model).__name__}: the Gram matrix of the {statistics.n_rows} rows seen is too ill-conditioned to tell "
        "which columns depend on the others; the coefficients are of minimum norm over the part that is certain. For "
        "full precision call fit on all rows.",
        LossOfPrecisionWarning,
        stacklevel=4,
    )
