"""Multi-task lasso and elastic net with the penalty chosen by cross-validation."""

from typing import ClassVar

from mlwright.io.composite import State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS
from mlwright.linear_model._sparse.block_working_set import BlockPath
from mlwright.linear_model._sparse.elastic_net_cv import ElasticNetCV
from mlwright.linear_model._sparse.multi_task import (
    BLOCK_CERTIFICATE,
    MultiTaskElasticNet,
    MultiTaskLasso,
    TaskRows,
    block_strengths,
)
from mlwright.linear_model._sparse.search import errors_of_tasks
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._streamed_choice import FOLD_FIELDS

_STATE = {
    **LINEAR_FIELDS,
    **FOLD_FIELDS,
    **BLOCK_CERTIFICATE,
    **LEFT_OUT_LEVELS,
    "alpha_": Number(0.0),
    "alphas_": Tensor("f8", "a", "r a"),
    "mse_path_": Tensor("f8", "*", "* *", "* * *", finite=True),
}
_NOT_HERE = {"precompute", "positive"}


class MultiTaskElasticNetCV(TaskRows, ElasticNetCV):
    """Multi-task elastic net with `alpha` and `l1_ratio` chosen by cross-validation, all folds from one pass.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of the penalty on norms; the best of a list is chosen.
    eps : float, default=1e-3
        The smallest penalty over the largest.
    alphas : int or array-like, default=100
        How many penalties, or which.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most sweeps over the coefficients for each penalty.
    tol : float, default=1e-4
        Duality gap, relative to the squares of Y about its means, at which each fit ends.
    cv : int, cross-validation generator or iterable, default=None
        scikit-learn's; None is five folds.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    verbose : bool or int, default=0
        For compatibility.
    n_jobs : int, default=None
        Threads; None is all that the process is given.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        The penalties chosen: least mean over folds of the mean squared errors, averaged over targets.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratio, n_alphas, n_folds)
    coef_ : ndarray of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
    dual_gap_, objective_ : float
    converged_ : bool
        Of the fit on all rows.
    n_iter_, n_passes_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    MultiTaskElasticNet : what is fitted.
    ElasticNetCV : of one target, and how folds are fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import MultiTaskElasticNetCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> Y = X[:, [0, 1]] - X[:, [1, 2]] + 0.1 * rng.standard_normal((200, 2))
    >>> model = MultiTaskElasticNetCV(l1_ratio=[0.5, 1.0], alphas=20, cv=3).fit(X, Y)
    >>> model.mse_path_.shape, model.l1_ratio_
    ((2, 20, 3), 1.0)
    """

    _model_state = State(**_STATE, l1_ratio_=Number(0.0, 1.0))
    _multi_output = True
    positive = False
    _read_later = ("fit_intercept",)
    _parameter_constraints: ClassVar[dict] = {
        **{name: rule for name, rule in ElasticNetCV._parameter_constraints.items() if name not in _NOT_HERE},
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection

    _strengths = staticmethod(block_strengths)

    def _gram_errors(self, train, test, alphas):
        return errors_of_tasks(self, train, test, alphas)

    def _coefficients(self, problem, alphas, ratio):
        return BlockPath(problem, alphas, ratio, **self._options()).run().coef[0]

    def _options(self):
        return {"tol": self.tol, "max_iter": self.max_iter}

    def _model(self):
        return MultiTaskElasticNet(
            self.alpha_, l1_ratio=self.l1_ratio_, fit_intercept=self.fit_intercept, **self._options()
        )


class MultiTaskLassoCV(MultiTaskElasticNetCV):
    """Multi-task lasso with `alpha` chosen by cross-validation, all folds from one pass over the rows.

    Parameters
    ----------
    eps : float, default=1e-3
        The smallest penalty over the largest.
    alphas : int or array-like, default=100
        How many penalties, or which.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Most sweeps over the coefficients for each penalty.
    tol : float, default=1e-4
        Duality gap, relative to the squares of Y about its means, at which each fit ends.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    cv : int, cross-validation generator or iterable, default=None
        scikit-learn's; None is five folds.
    verbose : bool or int, default=False
        For compatibility.
    n_jobs : int, default=None
        Threads; None is all that the process is given.
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    alpha_ : float
        The penalty chosen: least mean over folds of the mean squared errors, averaged over targets.
    alphas_ : ndarray of shape (n_alphas,)
    mse_path_ : ndarray of shape (n_alphas, n_folds)
    coef_ : ndarray of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
    dual_gap_, objective_ : float
    converged_ : bool
    n_iter_, n_passes_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    MultiTaskElasticNetCV : with an L2 penalty too.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import MultiTaskLassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 5))
    >>> Y = np.column_stack([3.0 * X[:, 2], X[:, 2]]) + rng.standard_normal((100, 2))
    >>> bool(MultiTaskLassoCV(alphas=30, cv=4).fit(X, Y).coef_[0, 2] > 2.5)
    True
    """

    _model_state = State(**_STATE)
    l1_ratio = 1.0
    _parameter_constraints: ClassVar[dict] = {
        name: rule for name, rule in MultiTaskElasticNetCV._parameter_constraints.items() if name != "l1_ratio"
    }

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection

    def _choose(self, mse, alphas):
        super()._choose(mse, alphas)
        del self.l1_ratio_

    def _model(self):
        return MultiTaskLasso(self.alpha_, fit_intercept=self.fit_intercept, **self._options())
