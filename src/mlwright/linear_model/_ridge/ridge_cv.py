"""Ridge regression that chooses its penalty by cross-validation."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.linear_model._ridge import _IdentityRegressor
from sklearn.metrics import get_scorer_names
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._kernels.fold_statistics import merged
from mlwright.base import fit_context
from mlwright.io.composite import AnyOf, Maybe, State
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._base import StatisticsModel
from mlwright.linear_model._interval import predictive
from mlwright.linear_model._left_out_intervals import LEFT_OUT_LEVELS, LeftOutIntervals
from mlwright.linear_model._ridge.choice import PenaltyChoice, checked_alphas
from mlwright.linear_model._ridge.path import metric_of
from mlwright.linear_model._ridge.ridge import Ridge
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._stationary import STATIONARY
from mlwright.linear_model._streamed_choice import FOLD_FIELDS, StreamedChoice


class RidgeCV(StreamedChoice, PenaltyChoice, LeftOutIntervals, StatisticsModel):
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
    objective_ : float or ndarray of shape (n_targets,)
        What `Ridge` minimises with the penalty chosen.
    kkt_violation_, converged_, n_passes_
        Of the fit with the penalty chosen, see :class:`Ridge`.
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

    ``partial_fit``, ``merge``, ``forget`` and ``fit_stream`` take a number for `cv` (not None) and divide rows
    into folds by a hash of their values, whatever their order: the answer is that of ``fit`` with these folds. A model
    fitted by ``fit``, whose folds go by position, does not go on. Scores of streamed
    folds are weighted as the fits are.

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
    _also_of_the_best = tuple(LEFT_OUT_LEVELS)
    _model_state = State(
        **LINEAR_FIELDS,
        **FOLD_FIELDS,
        **STATIONARY,
        **LEFT_OUT_LEVELS,
        alpha_=AnyOf(Number(0.0), Tensor("f8", "t")),
        best_score_=AnyOf(Number(), Tensor("f8", "t")),
        cv_results_=Maybe(Tensor("f4 f8", "n m", "n t m")),
    )
    _read_later = ("fit_intercept",)
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
        self._drop_folds()
        if self.cv is not None:
            return self._fit_folds(Ridge(fit_intercept=self.fit_intercept), X, y, sample_weight, alphas, params)
        rows = self._rows(X, y, sample_weight, reset=True)
        self._remember_kind(rows)
        self._choose_by_leave_one_out(rows, alphas, self._score_of_rows(rows, sample_weight, params))
        return self

    def _score_of_rows(self, rows, sample_weight, params):
        """A function from leave-one-out predictions to a score, or None for squared errors."""
        scorer, score_params = self._scorer_of_rows(rows, sample_weight, params)
        if scorer is None:
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

    def _keep_intervals(self, fit, rows):
        if self._statistics is not None:
            return self._keep_left_out()
        each = np.broadcast_to(self.alpha_, rows.y.shape[1])
        left = [fit.residuals_left_out(alpha)[:, k] for k, alpha in enumerate(each)]
        return self._keep_left_out(np.column_stack(left), rows.w)

    def _fit_statistics(self, folds):
        """Choose the penalty by folds of the rows' own content, and fit on all rows."""
        test = folds.enough(self)
        self._choose_by_sums(Ridge, test, merged(test), metric_of(self._get_scorer(), self))
        self._keep_folds(folds)
        return self

    def _why_not_streamed(self):
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                return f"got {name}=True, which needs leave-one-out of rows; expected {name}=False and cv=5."
        if metric_of(self._get_scorer(), self) is None:
            return (
                f"got scoring={self.scoring!r:.80}, which sums over rows do not tell; expected None, 'r2', "
                "'neg_mean_squared_error' or 'neg_root_mean_squared_error'."
            )
        return super()._why_not_streamed()

    def _predictive(self, X):
        return predictive(self, X, np.atleast_1d(self.alpha_), None)
