"""Lasso and elastic net with penalties chosen by cross-validation."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._certificate import certificate_fields
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._sparse.elastic_net import ElasticNet, Lasso
from mlwright.linear_model._sparse.paths import enet_path, lasso_path
from mlwright.linear_model._sparse.penalty_search import PenaltySearch
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._streamed_choice import FOLD_FIELDS

_STATE = {
    **LINEAR_FIELDS,
    **FOLD_FIELDS,
    "alpha_": Number(0.0),
    "alphas_": Tensor("f8", "a", "r a"),
    "mse_path_": Tensor("f8", "*", "* *", "* * *", finite=True),
    **certificate_fields("dual_gap_"),
    **LEFT_OUT_LEVELS,
    "n_iter_": Number(0, integer=True),
    "loo_predictions_": Maybe(Tensor("f8", "*")),
    "alo_error_": Maybe(Number(0.0)),
}


class ElasticNetCV(LeftOutIntervals, PenaltySearch):
    """Elastic net with `alpha` and `l1_ratio` chosen by cross-validation, all folds from one pass over the rows.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of the L1 penalty; the best of a list is chosen.
    eps : float, default=1e-3
        The smallest penalty over the largest.
    alphas : int or array-like, default=100
        How many penalties, or which.
    fit_intercept : bool, default=True
    precompute : "auto", bool or array-like of shape (n_features, n_features), default="auto"
        For compatibility: whether Gram matrices are formed follows from the shape of X.
    max_iter : int, default=1000
        Most sweeps over the coefficients for each penalty.
    tol : float, default=1e-4
        Duality gap, relative to the squares of y about its mean, at which each fit ends.
    cv : int, cross-validation generator, iterable or "alo", default=None
        scikit-learn's; None is five folds. "alo" leaves out every row in turn, approximately, from one path on all
        rows; ``mse_path_`` then has one column.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    verbose : bool or int, default=0
        For compatibility.
    n_jobs : int, default=None
        Threads; None is all that the process is given.
    positive : bool, default=False
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        The penalties chosen: least mean over folds of the (weighted) mean squared errors.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratio, n_alphas, n_folds)
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    dual_gap_, objective_ : float
    converged_ : bool
        Of the fit on all rows.
    n_iter_, n_passes_ : int
    loo_predictions_ : ndarray of shape (n_samples,)
        With ``cv="alo"``: approximate predictions of each row by a fit to all others, at the penalty chosen.
    alo_error_ : float
        With ``cv="alo"``: the largest difference of those predictions from exact ones, over ten rows for each of which
        a fit without it is made: those that leaving out moves most, and those whose absence is predicted to matter
        most by changing which coefficients are zero. Other rows may be off by more.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    ElasticNet : what is fitted.

    Notes
    -----
    Up to 512 columns, or up to 2048 and no more than rows, every row is read once whatever the number of folds,
    penalties and ratios: second moments are summed by fold, a training set is the sum of the other folds, and test
    errors follow from the moments of the fold left out.

    ``partial_fit``, ``merge``, ``forget`` and ``fit_stream`` take a number for `cv` (None is 5) and divide rows
    into folds by a hash of their values, whatever their order: the answer is that of ``fit`` with these folds. A model
    fitted by ``fit``, whose folds go by position, does not go on.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import ElasticNetCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = X[:, 0] - X[:, 1] + 0.1 * rng.standard_normal(200)
    >>> model = ElasticNetCV(l1_ratio=[0.5, 0.9, 1.0], cv=3).fit(X, y)
    >>> model.mse_path_.shape, model.l1_ratio_
    ((3, 100, 3), 1.0)
    """

    path = staticmethod(enet_path)
    _model_state = State(**_STATE, l1_ratio_=Number(0.0, 1.0))
    _multi_output = False
    _read_later = ("fit_intercept",)
    _parameter_constraints: ClassVar[dict] = {
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "array-like", "boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "cv": ["cv_object", StrOptions({"alo"})],
        "copy_X": ["boolean"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
    }

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def _model(self):
        options = {"fit_intercept": self.fit_intercept, **self._options()}
        return ElasticNet(self.alpha_, l1_ratio=self.l1_ratio_, **options)

    def _predictive(self, X):
        return sparse_predictive(self, X, self.alpha_ * (1.0 - getattr(self, "l1_ratio_", 1.0)))


class LassoCV(ElasticNetCV):
    """Lasso with `alpha` chosen by cross-validation, all folds from one pass over the rows.

    Parameters
    ----------
    eps : float, default=1e-3
        The smallest penalty over the largest.
    alphas : int or array-like, default=100
        How many penalties, or which.
    fit_intercept : bool, default=True
    precompute : "auto", bool or array-like of shape (n_features, n_features), default="auto"
        For compatibility: whether Gram matrices are formed follows from the shape of X.
    max_iter : int, default=1000
        Most sweeps over the coefficients for each penalty.
    tol : float, default=1e-4
        Duality gap, relative to the squares of y about its mean, at which each fit ends.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    cv : int, cross-validation generator, iterable or "alo", default=None
        scikit-learn's; None is five folds. "alo" leaves out every row in turn, approximately, from one path on all
        rows; ``mse_path_`` then has one column.
    verbose : bool or int, default=False
        For compatibility.
    n_jobs : int, default=None
        Threads; None is all that the process is given.
    positive : bool, default=False
    random_state : int, RandomState instance, default=None
        For compatibility: nothing is random.
    selection : {"cyclic", "random"}, default="cyclic"
        For compatibility: the order of coefficients is fixed.

    Attributes
    ----------
    alpha_ : float
        The penalty chosen: least mean over folds of the (weighted) mean squared errors.
    alphas_ : ndarray of shape (n_alphas,)
    mse_path_ : ndarray of shape (n_alphas, n_folds)
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    dual_gap_, objective_ : float
    converged_ : bool
    n_iter_, n_passes_ : int
    loo_predictions_ : ndarray of shape (n_samples,)
        With ``cv="alo"``: approximate predictions of each row by a fit to all others, at the penalty chosen.
    alo_error_ : float
        With ``cv="alo"``: the largest difference of those predictions from exact ones, over ten rows for each of which
        a fit without it is made: those that leaving out moves most, and those whose absence is predicted to matter
        most by changing which coefficients are zero. Other rows may be off by more.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    ElasticNetCV : with an L2 penalty too, and how folds are fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.linear_model import LassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 5))
    >>> LassoCV(cv=4).fit(X, 3.0 * X[:, 2] + rng.standard_normal(100)).coef_.round(1)
    array([0., 0., 3., 0., 0.])
    """

    path = staticmethod(lasso_path)
    _model_state = State(**_STATE)
    l1_ratio = 1.0
    _parameter_constraints: ClassVar[dict] = {
        name: rule for name, rule in ElasticNetCV._parameter_constraints.items() if name != "l1_ratio"
    }

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def _choose(self, mse, alphas):
        chosen = super()._choose(mse, alphas)
        del self.l1_ratio_
        return chosen

    def _model(self):
        return Lasso(self.alpha_, fit_intercept=self.fit_intercept, **self._options())
