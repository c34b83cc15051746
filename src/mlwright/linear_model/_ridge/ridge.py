"""Ridge regression."""

from typing import ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright.base import fit_context
from mlwright.io.composite import State
from mlwright.linear_model._base import MOST_KEPT, LeastSquaresModel
from mlwright.linear_model._interval import predictive
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._loo_predictions import LOO_PREDICTIONS, keep_loo_predictions
from mlwright.linear_model._ridge.solver import RIDGE_FIELDS, RidgeSolver


class Ridge(RidgeSolver, LeftOutIntervals, LeastSquaresModel):
    """Least squares with an L2 penalty: minimises ``||y - X b||^2 + alpha ||b||^2``.

    Parameters
    ----------
    alpha : {float, ndarray of shape (n_targets,)}, default=1.0
        Strength of the penalty, of all targets or of each.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If False, X and y are taken to be centred.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int, default=None
        Most iterations of the iterative route for very many sparse columns.
    tol : float, default=1e-4
        For compatibility: every route goes to full precision.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, default="auto"
        scikit-learn's names. ``"svd"`` decomposes X, which must be dense. With any other name the route follows from
        the data, since all have the same answer: Gram matrix (with refinement where it is ill-conditioned), its dual
        where there are more columns than rows, LSQR for very many sparse columns, singular values where nothing else is
        accurate enough. As in scikit-learn ``"lbfgs"`` is for ``positive=True`` alone.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    compute_loo : bool, default=False
        Keep in ``loo_predictions_`` what each row is predicted to be by a fit to all the others: exact, at the cost of
        one more pass over the rows. Of more than 2048 columns intervals come from these.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : ndarray of shape (n_targets,)
        Iterations of LSQR; 1 for the other routes, which do not iterate.
    solver_ : {"cholesky", "svd", "lsqr", "nnls"}
        What was used.
    objective_ : float or ndarray of shape (n_targets,)
        What is minimised, of each target.
    kkt_violation_ : float
        Largest violation of the optimality conditions, relative to the norms of columns and y.
    converged_ : bool
        Whether that is below 1e-6.
    n_passes_ : int
        Reads of the rows.
    loo_predictions_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With ``compute_loo=True``. ``partial_fit``, ``merge`` and ``forget`` take it away, which do not see all rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    BayesianRidge : chooses the penalty by the evidence.

    Notes
    -----
    ``partial_fit``, ``merge`` and ``forget`` are exact: the model keeps the sums that it needs, where it formed them
    (up to 512 columns, or no more columns than rows, and up to 2048). A stream has no rows to go back to; a Gram matrix
    too ill-conditioned to be solved without them is met with a LossOfPrecisionWarning.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import Ridge
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((10, 5)), rng.standard_normal(10)
    >>> both = Ridge(alpha=2.0).fit(X, y)
    >>> merged = Ridge(alpha=2.0).fit(X[:6], y[:6]).merge(Ridge(alpha=2.0).fit(X[6:], y[6:]))
    >>> bool(np.allclose(both.coef_, merged.coef_))
    True
    >>> both.predict_interval(X[:3], coverage=0.8).shape
    (3, 2)
    """

    _model_state = State(**RIDGE_FIELDS, **LOO_PREDICTIONS, **LEFT_OUT_LEVELS)
    _has_intervals = True
    _read_later = ("fit_intercept", "alpha")
    _parameter_constraints: ClassVar[dict] = {**RidgeSolver._parameter_constraints, "compute_loo": ["boolean"]}

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        solver="auto",
        positive=False,
        random_state=None,
        compute_loo=False,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.compute_loo = compute_loo

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        self._require_solver()
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        self._fit_by_plan(rows)
        if self.compute_loo:
            keep_loo_predictions(self, rows, self._penalties(rows.y.shape[1]))
            if self._statistics is None and not hasattr(self, "_left_out_levels"):
                self._keep_left_out(rows.y - self.loo_predictions_.reshape(rows.y.shape), rows.w)
        return self

    @staticmethod
    def _shared_columns(X):
        return {}

    @staticmethod
    def _score_all(candidates, task, splits):
        from mlwright.linear_model._ridge.path import scores_on_splits

        return scores_on_splits(candidates, task, splits)

    def _predictive(self, X):
        check_is_fitted(self)
        if self._statistics is None:
            raise ValueError(
                f"predict_interval: this fit kept neither sums (of up to {MOST_KEPT} columns) nor residuals of rows "
                f"left out (route {self.solver_!r}, {self.n_features_in_} columns); fit with compute_loo=True, whose "
                "residuals give intervals (any Gram matrix, and up to 4096 rows of any columns); for sparse tables "
                "beyond, take quantiles of the residuals of cross_val_predict."
            )
        return predictive(self, X, self._penalties(1 if np.ndim(self.coef_) == 1 else len(self.coef_)), None)
