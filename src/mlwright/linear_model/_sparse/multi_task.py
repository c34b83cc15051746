"""Multi-task lasso and elastic net: a feature is used for all targets or for none."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _is_fitted, check_is_fitted

from mlwright._validation import explain_not_finite
from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import State
from mlwright.io.schema import Number
from mlwright.linear_model._base import LeastSquaresModel
from mlwright.linear_model._certificate import certificate_fields, keep_certificate
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._sparse.block_quadratic import BlockQuadratics
from mlwright.linear_model._sparse.block_working_set import BlockPath
from mlwright.linear_model._sparse.elastic_net import warn_not_converged
from mlwright.linear_model._sparse.tasks_left_out import MOST_COEFFICIENTS, tasks_left_out
from mlwright.linear_model._sparse.working_set import RowsProblem, wants_rows
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS

BLOCK_CERTIFICATE = {**certificate_fields("dual_gap_"), "n_iter_": Number(0, integer=True)}


class TaskRows:
    """Mixin: y has a column for each task."""

    def _rows(self, X, y, sample_weight, *, reset):
        rows = super()._rows(X, y, sample_weight, reset=reset)
        if rows.single_target:
            raise ValueError(f"For mono-task outputs, use {type(self).__name__.replace('MultiTask', '')}")
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        return tags


class MultiTaskElasticNet(TaskRows, LeftOutIntervals, LeastSquaresModel):
    """Least squares of several targets with a penalty on the norms of features' coefficients, and an L2 penalty.

    Minimises ``||Y - X W||_F^2 / (2 n_samples) + alpha l1_ratio sum_j ||W_j||_2 + alpha (1 - l1_ratio) ||W||_F^2 / 2``,
    W_j the coefficients of feature j for all targets; weights count as repetitions.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalties; 0 is least squares.
    l1_ratio : float, default=0.5
        Share of the penalty on norms: 1 is the multi-task lasso, 0 is ridge.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int, default=1000
        Most sweeps over the coefficients.
    tol : float, default=1e-4
        The duality gap, relative to the (weighted) sum of squares of Y about its means, at which the fit ends.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
    n_iter_ : int
        Sweeps.
    dual_gap_ : float
        No coefficients have an objective lower than ``objective_ - dual_gap_``.
    objective_ : float
    converged_ : bool
        Whether the gap is within `tol`; without any penalty, whether the optimality conditions are.
    eps_ : float
        `tol` times the squares of Y that it is relative to.
    n_passes_ : int
        Passes over the rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    MultiTaskElasticNetCV : chooses the penalties by cross-validation.
    ElasticNet : every target for itself.

    Notes
    -----
    Up to 512 columns, or up to 2048 and no more than rows, the fit is one pass over the rows and block coordinate
    descent on their second moments; ``partial_fit``, ``merge`` and ``forget`` are then exact. Wider X is solved by
    working sets, as for `ElasticNet`. Sparse X is taken as it is.

    References
    ----------
    Obozinski, Taskar and Jordan (2010), Joint covariate selection and joint subspace selection for multiple
    classification problems. Statistics and Computing 20.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import MultiTaskElasticNet
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> Y = np.column_stack([2.0 * X[:, 0], X[:, 0] - X[:, 2]])
    >>> model = MultiTaskElasticNet(alpha=0.1, l1_ratio=0.9, tol=1e-10).fit(X, Y)
    >>> np.flatnonzero(model.coef_.any(axis=0))
    array([0, 2])
    >>> bool(model.converged_), bool(model.dual_gap_ < 1e-9)
    (True, True)
    """

    _model_state = State(**LINEAR_FIELDS, **BLOCK_CERTIFICATE, **LEFT_OUT_LEVELS, eps_=Number(0.0))
    _read_later = ("fit_intercept", "alpha", "l1_ratio")
    _parameter_constraints: ClassVar[dict] = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        start = self.coef_ if self.warm_start and _is_fitted(self) else None
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        return self._fit_rows(rows, start) if wants_rows(rows) else self._fit_statistics(self._sums(rows), start)

    def _fit_statistics(self, statistics, start=None):
        problem = BlockQuadratics.of([statistics], self.fit_intercept)
        t, p = statistics.n_targets, statistics.n_features
        start = _starting(start, (t, p))
        strengths = block_strengths(np.full((1, 1), float(self.alpha)), self.l1_ratio)
        answers, _ = problem.solve_one(strengths, start=start, tol=self.tol, max_iter=self.max_iter)
        self._keep_statistics(statistics)
        self._set_linear(answers.coef[0, 0], statistics.mean[:p], statistics.mean[p:])
        self._set_certificate(answers, 1, problem.square[0] / problem.y_scale**2)
        self._keep_left_out()
        return self

    def _fit_rows(self, rows, start):
        problem = RowsProblem.of(rows, self.fit_intercept)
        if problem is None:
            explain_not_finite(self, rows)
        path = BlockPath(problem, np.array([float(self.alpha)]), self.l1_ratio, self.tol, self.max_iter)
        if not np.isfinite(path.square):
            explain_not_finite(self, rows)
        start = _starting(start, (rows.y.shape[1], rows.X.shape[1]))
        answers = path.run(None if start is None else start[0])
        self._keep_statistics(None)
        self._set_linear(answers.coef[0, 0], problem.x_mean, problem.y_mean)
        self._set_certificate(answers, problem.n_passes, path.square)
        left = tasks_left_out(problem, answers.coef[0, 0], self.fit_intercept, float(self.alpha), self.l1_ratio)
        self._keep_left_out(left, problem.w)
        return self

    def _set_certificate(self, answers, n_passes, square):
        gap, objective = float(answers.gap[0, 0]), float(answers.objective[0, 0])
        converged = answers.converged[0, 0]
        keep_certificate(self, objective=objective, dual_gap=gap, converged=converged, n_passes=n_passes)
        self.n_iter_, self.eps_ = int(answers.n_iter[0, 0]), float(self.tol * square)
        if not self.converged_:
            warn_not_converged(self, self.dual_gap_)

    @property
    def sparse_coef_(self):
        """Sparse representation of the fitted coefficients."""
        return sparse.csr_matrix(self.coef_)

    def _predictive(self, X):
        check_is_fitted(self)
        if self._statistics is None:
            s, t = np.count_nonzero(self.coef_.any(axis=0)), len(self.coef_)
            raise ValueError(
                f"predict_interval: rows left out need the Hessian of all {s * t} coefficients that are not zero ({s} "
                f"features, {t} targets), more than the {MOST_COEFFICIENTS} for which it is formed; raise alpha, fit "
                "the targets in groups, or each by Lasso."
            )
        return sparse_predictive(self, X, as_fitted(self, "alpha") * (1.0 - as_fitted(self, "l1_ratio")))


class MultiTaskLasso(MultiTaskElasticNet):
    """Least squares of several targets with a penalty on the norms of features' coefficients.

    Minimises ``||Y - X W||_F^2 / (2 n_samples) + alpha sum_j ||W_j||_2``, W_j the coefficients of feature j for all
    targets; weights count as repetitions.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 is least squares.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int, default=1000
        Most sweeps over the coefficients.
    tol : float, default=1e-4
        The duality gap, relative to the (weighted) sum of squares of Y about its means, at which the fit ends.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
    n_iter_ : int
    dual_gap_ : float
        No coefficients have an objective lower than ``objective_ - dual_gap_``.
    objective_ : float
    converged_ : bool
    eps_ : float
    n_passes_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    MultiTaskElasticNet : with an L2 penalty too, and how the fit is made.
    MultiTaskLassoCV : chooses the penalty by cross-validation.

    Examples
    --------
    >>> from mlwright.linear_model import MultiTaskLasso
    >>> model = MultiTaskLasso(alpha=0.1).fit([[0.0, 1.0], [1.0, 2.0], [2.0, 4.0]], [[0, 0], [1, 1], [2, 3]])
    >>> model.predict([[1.5, 3.0]]).round(1)
    array([[1.4, 2. ]])
    """

    l1_ratio = 1.0
    _read_later = ("fit_intercept", "alpha")
    _parameter_constraints: ClassVar[dict] = {
        name: rule for name, rule in MultiTaskElasticNet._parameter_constraints.items() if name != "l1_ratio"
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection


def block_strengths(alpha, l1_ratio):
    """The strengths of entries, norms and squares for penalties of shape (k, s) and a ratio, or one for each k."""
    ratio = np.broadcast_to(np.asarray(l1_ratio, dtype=np.float64), (len(alpha),))[:, None]
    return np.zeros_like(alpha), alpha * ratio, alpha * (1.0 - ratio)


def _starting(coef, shape):
    """Coefficients of the fit before, as of one path, where they are of the same shape."""
    if coef is None or np.shape(coef) != shape:
        return None
    return np.asarray(coef, dtype=np.float64)[None]
