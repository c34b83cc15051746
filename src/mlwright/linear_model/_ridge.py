"""Ridge regression."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright._validation import explain_not_finite
from mlwright.base import fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Choice, Number, Tensor
from mlwright.linear_model import _iterative
from mlwright.linear_model._base import LeastSquaresModel, column_means, finite, plan
from mlwright.linear_model._interval import predictive
from mlwright.linear_model._nonnegative import nonnegative_least_squares
from mlwright.linear_model._penalised import ridge_dual, ridge_from_statistics, ridge_svd
from mlwright.linear_model._ridge_path import scores_on_splits
from mlwright.linear_model._state import LINEAR_FIELDS

_SOLVERS = {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}


class Ridge(LeastSquaresModel):
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

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : ndarray of shape (n_targets,)
        Iterations of LSQR; 1 for the other routes, which do not iterate.
    solver_ : {"cholesky", "svd", "lsqr", "nnls"}
        What was used.
    kkt_violation_ : float
        With ``positive=True``: largest violation of the optimality conditions, relative to the norms of columns and y.
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

    _model_state = State(
        **LINEAR_FIELDS,
        n_iter_=Tensor("i4", "*"),
        solver_=Choice("cholesky", "svd", "lsqr", "nnls"),
        kkt_violation_=Maybe(Number(0.0)),
    )
    _flat_if_one_target = True  # as in scikit-learn
    _parameter_constraints: ClassVar[dict] = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(_SOLVERS)],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }

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
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    @property
    def _accept_sparse(self):
        return self.solver != "svd"

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
        route = plan(rows)
        sums = self._sums(rows) if self.positive or route == "gram" else None
        if self.solver == "svd":
            return self._fit_rows(rows, "svd", sums)  # the sums are for partial_fit, merge and forget
        return self._fit_rows(rows, route) if sums is None else self._fit_statistics(sums, rows)

    def _fit_statistics(self, statistics, rows=None):
        alpha = self._penalties(statistics.n_targets)
        p = statistics.n_features
        if self.positive:
            coef, self.kkt_violation_ = nonnegative_least_squares(statistics, self.fit_intercept, alpha, rows)
            self.solver_ = "nnls"
        else:
            coef, sure = ridge_from_statistics(statistics, self.fit_intercept, alpha, rows)
            if coef is None:
                return self._fit_rows(rows, "svd", statistics)
            if not sure:
                _warn_of_stream(self, statistics)
            self.solver_ = "cholesky"
        self.n_iter_ = np.ones(len(coef), dtype=np.int32)
        self._keep_statistics(statistics)
        self._set_linear(coef, statistics.mean[:p], statistics.mean[p:])
        return self

    def _fit_rows(self, rows, route, statistics=None):
        """The routes that need the rows themselves: svd, dual, iterative."""
        alpha = self._penalties(rows.y.shape[1])
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        if not finite(rows):
            explain_not_finite(self, rows)
        self.n_iter_, self.solver_ = np.ones(rows.y.shape[1], dtype=np.int32), "cholesky"
        coef = ridge_dual(rows, x_mean, y_mean, alpha) if route == "dual" else None
        if coef is None and rows.is_sparse:
            self.solver_ = "lsqr"
            coef, self.n_iter_ = _iterative.ridge(rows, x_mean, y_mean, alpha, self.max_iter)
        elif coef is None:
            self.solver_ = "svd"
            coef = ridge_svd(rows, x_mean, y_mean, alpha)
        self._keep_statistics(statistics)
        self._set_linear(coef, x_mean, y_mean)
        return self

    def _penalties(self, n_targets):
        """One penalty a target."""
        alpha = np.asarray(self.alpha, dtype=np.float64).ravel()
        if len(alpha) not in (1, n_targets):
            raise ValueError(
                f"Number of targets and number of penalties do not correspond: {len(alpha)} != {n_targets}"
            )
        if not (alpha >= 0.0).all():
            raise ValueError(f"alpha: got {self.alpha!r}, expected numbers that are not negative.")
        return alpha if len(alpha) == n_targets else np.full(n_targets, alpha[0])

    def _require_solver(self):
        """scikit-learn's rules of which solver goes with what."""
        if self.positive and self.solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver='{self.solver}' does not support positive fitting. Please set the solver to 'auto' or "
                "'lbfgs', or set `positive=False`"
            )
        if self.solver == "lbfgs" and not self.positive:
            raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")

    _shared_columns: ClassVar[dict] = {}

    @staticmethod
    def _score_all(candidates, task, splits):
        return scores_on_splits(candidates, task, splits)

    def _predictive(self, X):
        return predictive(self, X, self._penalties(1 if np.ndim(self.coef_) == 1 else len(self.coef_)), None)


def _warn_of_stream(model, statistics):
    warnings.warn(
        f"{type(model).__name__}: the penalised Gram matrix of the {statistics.n_rows} rows seen is ill-conditioned: "
        "the coefficients have fewer right digits than usual. Raise alpha, or call fit on all rows.",
        LossOfPrecisionWarning,
        stacklevel=4,
    )
