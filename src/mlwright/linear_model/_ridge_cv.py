"""Ridge regression that chooses its penalty by cross-validation."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.linear_model._ridge import _IdentityRegressor
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _raise_for_params, _routing_enabled, process_routing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._validation import explain_not_finite
from mlwright.base import StateAlgebraMixin, fit_context
from mlwright.io.composite import AnyOf, Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import StatisticsModel, column_means, finite
from mlwright.linear_model._interval import predictive
from mlwright.linear_model._leave_one_out import decompose, decompose_dual
from mlwright.linear_model._ridge import Ridge
from mlwright.linear_model._state import LINEAR_FIELDS

_GRAM_ROWS = 512  # up to as many columns the Gram matrix is used, however few the rows


class LeaveOneOut:
    """Scores of all penalties by exact leave-one-out, and the best of them: what the classes of this page share."""

    def _choose_by_leave_one_out(self, rows, alphas, score):
        """Fit; `score` takes leave-one-out predictions (n, t) and is None for the mean of weighted squared errors."""
        statistics, fit = self._decomposed(rows, alphas.min())
        kept = None
        if score is not None or self.store_cv_results:
            kept = np.empty((len(rows.y), len(alphas), rows.y.shape[1]))
        errors = np.zeros((len(alphas), rows.y.shape[1]))
        for begin, end, predictions in fit.predictions(alphas):
            squares = (predictions - rows.y[begin:end, None]) ** 2
            if rows.w is not None:
                squares *= rows.w[begin:end, None, None]
            errors += squares.sum(axis=0)
            if kept is not None:
                kept[begin:end] = squares if score is None else predictions
        if score is None:
            scores = -errors / len(rows.y)
            if not self._one_penalty_a_target(rows):
                scores = scores.mean(axis=1)
        else:
            scores = np.array([score(kept[:, k]) for k in range(len(alphas))])
        if not np.isfinite(scores).all():
            raise FloatingPointError(
                f"{type(self).__name__}: a leave-one-out score is not finite: got {scores.tolist()}; raise the "
                "smallest of alphas, or rescale X or y."
            )
        best = scores.argmax(axis=0)
        self._take_best(fit, alphas, scores, best, rows)
        if self.store_cv_results:
            shape = (len(rows.y), len(alphas)) if rows.single_target else (len(rows.y), rows.y.shape[1], len(alphas))
            self.cv_results_ = kept.transpose(0, 2, 1).reshape(shape).astype(self._dtype, copy=False)
        self._keep_statistics(statistics)

    def _decomposed(self, rows, smallest):
        n, p = rows.X.shape
        if n < 2 and self.fit_intercept:
            raise ValueError(f"{type(self).__name__}: got 1 sample, expected at least 2: leave-one-out leaves none.")
        if p <= max(n, _GRAM_ROWS):
            statistics = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
            if statistics is None:
                explain_not_finite(self, rows)
            if n > p:
                return statistics, decompose(
                    rows, statistics, self.fit_intercept, smallest, getattr(self, "gcv_mode", None)
                )
        else:
            statistics = None
            if not finite(rows):
                explain_not_finite(self, rows)
        means = column_means(rows, self.fit_intercept)
        return statistics, decompose_dual(rows, *means, self.fit_intercept)

    def _one_penalty_a_target(self, rows):
        return getattr(self, "alpha_per_target", False) and rows.y.shape[1] > 1

    def _take_best(self, fit, alphas, scores, best, rows):
        if self._one_penalty_a_target(rows):
            self.alpha_, self.best_score_ = alphas[best], scores[best, np.arange(len(best))]
            coef = np.array([fit.coefficients(alphas[a])[k] for k, a in enumerate(best)])
        else:
            if scores.ndim == 2:  # alpha_per_target of one target
                scores, best = scores[:, 0], best[0]
            self.alpha_, self.best_score_ = float(alphas[best]), float(scores[best])
            coef = fit.coefficients(alphas[best])
        self._set_linear(coef, fit.x_mean, fit.y_mean)


def checked_alphas(alphas, leave_one_out):
    """Penalties as an array, by scikit-learn's rules: positive for leave-one-out, not negative for folds."""
    values = np.atleast_1d(np.asarray(alphas))
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"alphas: got an array of shape {values.shape}, expected one number or a vector of them.")
    bounds = "neither" if leave_one_out else "left"
    for i, alpha in enumerate(values.tolist()):
        name = "alphas" if len(values) == 1 else f"alphas[{i}]"
        check_scalar(alpha, name, target_type=Real, min_val=0.0, include_boundaries=bounds)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"alphas: got {alphas!r}, expected finite numbers.")
    return values


class RidgeCV(LeaveOneOut, StatisticsModel):
    """Ridge regression that chooses its penalty by exact leave-one-out or by folds, in one pass for all penalties.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Penalties to try; positive, or not negative with `cv`.
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        None is the negative mean squared error for leave-one-out, R2 for folds.
    cv : int, cross-validation generator, iterable or None, default=None
        None is leave-one-out.
    gcv_mode : {"auto", "svd", "eigen"} or None, default=None
        ``"svd"`` decomposes dense X itself. Otherwise the Gram matrix or its dual is decomposed, and X itself only
        where eigenvalues of the Gram matrix would not be accurate enough for the smallest penalty.
    store_cv_results : bool, default=False
        Keep the leave-one-out errors, or predictions where `scoring` is given, in ``cv_results_``.
    alpha_per_target : bool, default=False
        Choose a penalty for each target. Leave-one-out only.

    Attributes
    ----------
    cv_results_ : ndarray of shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        With ``store_cv_results=True``: squared errors times weights, or predictions where `scoring` is given.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    alpha_ : float or ndarray of shape (n_targets,)
    best_score_ : float or ndarray of shape (n_targets,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    Ridge : with a given penalty.

    Notes
    -----
    Leave-one-out costs one Gram matrix, one eigendecomposition and two matrix products for all penalties together;
    folds cost one pass over X and one eigendecomposition each. As in scikit-learn weights count in scores of
    leave-one-out, and in those of folds only where metadata routing says so.

    References
    ----------
    Rifkin and Lippert (2007), Notes on Regularized Least Squares. MIT-CSAIL-TR-2007-025.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from mlwright.linear_model import RidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1]).fit(X, y)
    >>> model.alpha_
    0.01
    >>> round(model.score(X, y), 3)
    0.517
    >>> RidgeCV(alphas=[1e-3, 1e-2, 1e-1, 1], cv=5).fit(X, y).predict_interval(X[:3]).shape
    (3, 2)
    """

    _flat_if_one_target = True
    _model_state = State(
        **LINEAR_FIELDS,
        alpha_=AnyOf(Number(0.0), Tensor("f8", "t")),
        best_score_=AnyOf(Number(), Tensor("f8", "t")),
        cv_results_=Maybe(Tensor("f4 f8", "n m", "n t m")),
    )
    _parameter_constraints: ClassVar[dict] = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "store_cv_results": ["boolean"],
        "alpha_per_target": ["boolean"],
    }

    def __init__(
        self,
        alphas=(0.1, 1.0, 10.0),
        *,
        fit_intercept=True,
        scoring=None,
        cv=None,
        gcv_mode=None,
        store_cv_results=False,
        alpha_per_target=False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty and fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
        **params : dict
            For the scorer and the splitter, with metadata routing.

        Returns
        -------
        self : object
        """
        _raise_for_params(params, self, "fit")
        alphas = checked_alphas(self.alphas, self.cv is None)
        vars(self).pop("cv_results_", None)
        if self.cv is not None:
            return self._fit_folds(X, y, sample_weight, alphas, params)
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        self._choose_by_leave_one_out(rows, alphas, self._score_of_rows(rows, sample_weight, params))
        return self

    def _fit_folds(self, X, y, sample_weight, alphas, params):
        from mlwright.model_selection import SharedSearchCV

        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise ValueError(f"cv!=None and {name}=True are incompatible")
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        ridge = Ridge(fit_intercept=self.fit_intercept)
        if _routing_enabled():
            ridge.set_fit_request(sample_weight=True)
        search = SharedSearchCV(ridge, {"alpha": alphas}, cv=self.cv, scoring=self._get_scorer()).fit(X, y, **params)
        best = search.best_estimator_
        self.alpha_, self.best_score_ = float(best.alpha), float(search.best_score_)
        vars(self).pop("feature_names_in_", None)
        for name in (
            "coef_",
            "intercept_",
            "n_features_in_",
            "feature_names_in_",
            "_dtype",
            "_single_target",
            "_statistics",
        ):
            if hasattr(best, name):
                setattr(self, name, getattr(best, name))
        return self

    def _score_of_rows(self, rows, sample_weight, params):
        """A function from leave-one-out predictions to a score, or None for squared errors."""
        scorer = self._get_scorer()
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if _routing_enabled():
            score_params = process_routing(self, "fit", **params).scorer.score
        else:
            score_params = {} if sample_weight is None else {"sample_weight": rows.w}
        if self.scoring is None:
            return None
        y = rows.y[:, 0] if rows.single_target else rows.y
        by_target = self._one_penalty_a_target(rows)

        def score(predictions):
            if by_target:
                return [
                    scorer(_IdentityRegressor(), p, t, **score_params) for p, t in zip(predictions.T, y.T, strict=True)
                ]
            return scorer(
                _IdentityRegressor(), predictions[:, 0] if rows.single_target else predictions, y, **score_params
            )

        return score

    def _get_scorer(self):
        if _routing_enabled() and self.scoring is None:
            return get_scorer("r2").set_score_request(sample_weight=True)
        return check_scoring(estimator=self, scoring=self.scoring, allow_none=True)

    def get_metadata_routing(self):
        """What goes where with metadata routing: to the scorer and to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(scorer=self._get_scorer(), method_mapping=MethodMapping().add(caller="fit", callee="score"))
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))

    _required_statistics = StateAlgebraMixin._required_statistics

    def _predictive(self, X):
        return predictive(self, X, np.atleast_1d(self.alpha_), None)
