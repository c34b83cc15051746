"""Lasso and elastic net with penalties chosen by cross-validation."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _manual_routing,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from mlwright._runtime.threads import limit
from mlwright.base import ChosenByRowsMixin, fit_context
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import StatisticsModel
from mlwright.linear_model._certificate import certificate_fields, take_certificate
from mlwright.linear_model._folds import Splits
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._sparse.elastic_net import ElasticNet, Lasso
from mlwright.linear_model._sparse.leave_one_out import judged, left_out
from mlwright.linear_model._sparse.paths import alpha_grid, checked_alphas, enet_path, lasso_path, require_l1
from mlwright.linear_model._sparse.search import errors_of_targets, gram_search, rows_search
from mlwright.linear_model._sparse.working_set import wants_rows
from mlwright.linear_model._sparse_interval import sparse_predictive
from mlwright.linear_model._state import LINEAR_FIELDS

_STATE = {
    **LINEAR_FIELDS,
    "alpha_": Number(0.0),
    "alphas_": Tensor("f8", "a", "r a"),
    "mse_path_": Tensor("f8", "*", "* *", "* * *", finite=True),
    **certificate_fields("dual_gap_"),
    **LEFT_OUT_LEVELS,
    "n_iter_": Number(0, integer=True),
    "loo_predictions_": Maybe(Tensor("f8", "*")),
    "alo_error_": Maybe(Number(0.0)),
}


class ElasticNetCV(LeftOutIntervals, ChosenByRowsMixin, StatisticsModel):
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
        With ``cv="alo"``: the largest difference of those predictions from exact ones, over the ten rows that leaving
        out moves most, for each of which a fit without it is made.
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

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalties and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the fits and of the mean squared error of each fold; the mean over folds is not weighted.
        **params : dict
            Metadata for the splitter, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        self : object
        """
        _raise_for_params(params, self, "fit")
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        self._single_target = not self._multi_output
        routed = process_routing(self, "fit", sample_weight=sample_weight, **params) if _routing_enabled() else None
        routed = routed or _manual_routing({"splitter": {}})
        for name in ("loo_predictions_", "alo_error_"):
            vars(self).pop(name, None)
        with limit(self.n_jobs):
            if isinstance(self.cv, str):
                self._leave_out(rows)
            else:
                splits = Splits.of(self.cv, rows.X, rows.y[:, 0], **routed.splitter.split)
                self._choose(*self._search(rows)(self, rows, splits))
            self._refit(X, y, sample_weight)
        return self

    def _search(self, rows):
        return rows_search if wants_rows(rows) else gram_search

    def _leave_out(self, rows):
        """Choose by errors of rows left out, approximately; one fold of them all."""
        guess = left_out(self, rows)
        r, a = self._choose(guess.mse[:, None, :], guess.alphas)
        self.mse_path_ = np.atleast_1d(self.mse_path_)[..., None]  # the axis of folds stays
        self.loo_predictions_, self.alo_error_ = judged(self, rows, guess, r, a)

    def _ratios(self):
        return np.atleast_1d(np.asarray(self.l1_ratio, dtype=np.float64))

    def _grids(self, problem):
        """Penalties of each ratio, largest first."""
        ratios = self._ratios()
        if not isinstance(self.alphas, Integral):
            return np.tile(checked_alphas(self.alphas), (len(ratios), 1))
        for ratio in ratios:
            require_l1(ratio)
        largest = problem.largest_alpha(1.0, self.positive)
        return np.array([alpha_grid(largest / ratio, self.eps, int(self.alphas)) for ratio in ratios])

    def _gram_errors(self, train, test, alphas):
        return errors_of_targets(self, train, test, alphas)

    def _coefficients(self, problem, alphas, ratio):
        """Of a path on rows: shape (s, t, p)."""
        return np.swapaxes(problem.solve(alphas[None], ratio, **self._options()).coef, 0, 1)

    def _options(self):
        return {"positive": self.positive, "tol": self.tol, "max_iter": self.max_iter}

    def _choose(self, mse, alphas):
        """The best of the mean squared errors (n_ratios, n_folds, n_alphas), the first where several are."""
        mean = mse.mean(axis=1)
        ratio, step = np.unravel_index(np.argmin(mean), mean.shape)
        self.alpha_, self.l1_ratio_ = float(alphas[ratio, step]), float(self._ratios()[ratio])
        self.mse_path_ = np.squeeze(np.moveaxis(mse, 2, 1))
        self.alphas_ = alphas if isinstance(self.alphas, Integral) and len(alphas) > 1 else alphas[0]
        return ratio, step

    def _refit(self, X, y, sample_weight):
        model = self._model()
        if self._whole is not None:
            model.n_features_in_, model._dtype, model._single_target = (
                self.n_features_in_,
                self._dtype,
                self._single_target,
            )
            model._fit_statistics(self._whole)
        else:
            model.fit(X, y if self._multi_output else np.ravel(y), sample_weight)
        del self._whole
        take_certificate(self, model)
        for name in ("coef_", "intercept_", "n_iter_", "_statistics"):
            setattr(self, name, getattr(model, name))
        vars(self).pop("_left_out_levels", None)
        if hasattr(model, "_left_out_levels"):
            self._left_out_levels = model._left_out_levels

    def _model(self):
        options = {"fit_intercept": self.fit_intercept, **self._options()}
        return ElasticNet(self.alpha_, l1_ratio=self.l1_ratio_, **options)

    def _predictive(self, X):
        return sparse_predictive(self, X, self.alpha_ * (1.0 - getattr(self, "l1_ratio_", 1.0)))

    def get_metadata_routing(self):
        """How metadata is routed: the splitter of `cv` may ask for groups.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(None if isinstance(self.cv, str) else self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )


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
        With ``cv="alo"``: the largest difference of those predictions from exact ones, over the ten rows that leaving
        out moves most, for each of which a fit without it is made.
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
