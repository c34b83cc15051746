"""Lasso and elastic net."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _is_fitted

from mlwright._validation import explain_not_finite
from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import AnyOf, ListOf, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import LeastSquaresModel
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._sparse.leave_one_out import residuals_left_out
from mlwright.linear_model._sparse.paths import enet_path
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse.working_set import RowsProblem, wants_rows
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS

_NUMBERS = AnyOf(Number(0.0), Tensor("f4 f8", "t"))


class ElasticNet(LeftOutIntervals, LeastSquaresModel):
    """Least squares with an L1 and an L2 penalty, with a bound of how far from optimal the answer can be.

    Minimises ``||y - X b||^2 / (2 n_samples) + alpha l1_ratio ||b||_1 + alpha (1 - l1_ratio) ||b||^2 / 2``; weights
    count as repetitions.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalties; 0 is least squares.
    l1_ratio : float, default=0.5
        Share of the L1 penalty: 1 is the lasso, 0 is ridge.
    fit_intercept : bool, default=True
    precompute : bool or array-like of shape (n_features, n_features), default=False
        For compatibility: whether a Gram matrix is formed follows from the shape of X.
    max_iter : int, default=1000
        Most sweeps over the coefficients.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    tol : float, default=1e-4
        The duality gap, relative to the (weighted) sum of squares of y about its mean, at which the fit ends.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    sparse_coef_ : sparse matrix of shape (n_features, 1) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : int or list of int
        Sweeps; a Newton step on the support counts as part of one.
    dual_gap_ : float or ndarray of shape (n_targets,)
        No coefficients have an objective lower than ``objective_ - dual_gap_``.
    objective_ : float or ndarray of shape (n_targets,)
    converged_ : bool
        Whether the gap of every target is within `tol`; without any penalty, whether the optimality conditions are.
    n_passes_ : int
        Passes over the rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    ElasticNetCV : chooses the penalties by cross-validation.

    Notes
    -----
    Up to 512 columns, or up to 2048 and no more than rows, the fit is one pass over the rows that sums their second
    moments, and coordinate descent on those with Newton steps on the support; ``partial_fit``, ``merge`` and ``forget``
    are then exact. Wider X is never formed densely or multiplied as a whole: a working set of columns is solved in the
    same way, and passes over X find the columns that are missing, until the duality gap over all of them is small.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear models via coordinate descent.
    Journal of Statistical Software 33.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import ElasticNet
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = ElasticNet(alpha=0.1, l1_ratio=0.9, tol=1e-10).fit(X, 2.0 * X[:, 0])
    >>> model.coef_.round(2)
    array([1.87, 0.  , 0.  , 0.  ])
    >>> bool(model.converged_), bool(model.dual_gap_ < 1e-9)
    (True, True)
    """

    path = staticmethod(enet_path)
    _model_state = State(
        **LINEAR_FIELDS,
        **certificate_fields("dual_gap_", value=_NUMBERS),
        **LEFT_OUT_LEVELS,
        n_iter_=AnyOf(Number(0, integer=True), ListOf(Number(0, integer=True))),
    )
    _flat_if_one_target = True
    _read_later = ("fit_intercept", "alpha", "l1_ratio")
    _parameter_constraints: ClassVar[dict] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "precompute": ["boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "copy_X": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        precompute=False,
        max_iter=1000,
        copy_X=True,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @fit_context
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
        check_input : bool, default=True
            For compatibility: input is always checked.

        Returns
        -------
        self : object
        """
        start = self.coef_ if self.warm_start and _is_fitted(self) else None
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        return self._fit_rows(rows, start) if wants_rows(rows) else self._fit_statistics(self._sums(rows), start)

    def _fit_statistics(self, statistics, start=None):
        problem = Quadratics.of([statistics], self.fit_intercept)
        t, p = statistics.n_targets, statistics.n_features
        answers = problem.solve_one(self.alpha, self.l1_ratio, start=_starting(start, (t, p)), **self._options())
        self._keep_statistics(statistics)
        self._set_linear(answers.coef[:, 0], statistics.mean[:p], statistics.mean[p:])
        self._set_certificate(answers, 1)
        self._keep_left_out()
        return self

    def _fit_rows(self, rows, start):
        problem = RowsProblem.of(rows, self.fit_intercept)
        if problem is None:
            explain_not_finite(self, rows)
        t = rows.y.shape[1]
        answers = problem.solve(
            np.full((t, 1), float(self.alpha)),
            self.l1_ratio,
            start=_starting(start, (t, rows.X.shape[1])),
            **self._options(),
        )
        self._keep_statistics(None)
        self._set_linear(answers.coef[:, 0], problem.x_mean, problem.y_mean)
        self._set_certificate(answers, problem.n_passes)
        left = residuals_left_out(rows, self.fit_intercept, answers.coef[:, 0], float(self.alpha), self.l1_ratio)
        self._keep_left_out(left, rows.w)
        return self

    def _options(self):
        return {"positive": self.positive, "tol": self.tol, "max_iter": self.max_iter or 1000}

    def _set_certificate(self, answers, n_passes):
        flat = self.coef_.ndim == 1
        gap, objective = answers.gap[:, 0], answers.objective[:, 0]
        self.n_iter_ = int(answers.n_iter[0, 0]) if flat else answers.n_iter[:, 0].tolist()
        keep_certificate(
            self,
            objective=np.float64(objective[0]) if flat else objective,
            dual_gap=np.float64(gap[0]) if flat else gap,
            converged=answers.converged.all(),
            n_passes=n_passes,
        )
        if not self.converged_:
            warn_not_converged(self, gap.max())

    @property
    def sparse_coef_(self):
        """Sparse representation of the fitted coefficients."""
        return sparse.csr_matrix(self.coef_)

    def _predictive(self, X):
        return sparse_predictive(self, X, as_fitted(self, "alpha") * (1.0 - as_fitted(self, "l1_ratio")))


class Lasso(ElasticNet):
    """Least squares with an L1 penalty, with a bound of how far from optimal the answer can be.

    Minimises ``||y - X b||^2 / (2 n_samples) + alpha ||b||_1``; weights count as repetitions.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares.
    fit_intercept : bool, default=True
    precompute : bool or array-like of shape (n_features, n_features), default=False
        For compatibility: whether a Gram matrix is formed follows from the shape of X.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int, default=1000
        Most sweeps over the coefficients.
    tol : float, default=1e-4
        The duality gap, relative to the (weighted) sum of squares of y about its mean, at which the fit ends.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    positive : bool, default=False
        Restrict the coefficients to be nonnegative.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    sparse_coef_ : sparse matrix of shape (n_features, 1) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : int or list of int
    dual_gap_ : float or ndarray of shape (n_targets,)
        No coefficients have an objective lower than ``objective_ - dual_gap_``.
    objective_ : float or ndarray of shape (n_targets,)
    converged_ : bool
    n_passes_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    ElasticNet : with an L2 penalty too, and how the fit is made.
    LassoCV : chooses the penalty by cross-validation.

    Examples
    --------
    >>> from mlwright.linear_model import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> model.predict([[1.5, 1.5]]).round(2)
    array([1.42])
    >>> model.partial_fit([[3.0, 3.0]], [3.0]).n_features_in_
    2
    """

    l1_ratio = 1.0
    _read_later = ("fit_intercept", "alpha")
    _parameter_constraints: ClassVar[dict] = {
        name: rule for name, rule in ElasticNet._parameter_constraints.items() if name != "l1_ratio"
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        precompute=False,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection


def _starting(coef, shape):
    """Coefficients of the fit before, where they are of the same shape."""
    if coef is None or np.size(coef) != shape[0] * shape[1]:
        return None
    return np.asarray(coef, dtype=np.float64).reshape(shape)


def warn_not_converged(model, gap, violation=None):
    """Names what is left: the duality gap or, where a problem has none (None), the violation of optimality."""
    if gap is None:
        left = f"a violation of the optimality conditions of {violation:.3g}, more than tol={model.tol:g}"
    else:
        left = f"a duality gap of {gap:.3g}, more than tol={model.tol:g} of the targets' squares"
    warnings.warn(
        f"{type(model).__name__}: max_iter={model.max_iter} sweeps left {left}; raise max_iter or tol.",
        ConvergenceWarning,
        stacklevel=5,
    )
