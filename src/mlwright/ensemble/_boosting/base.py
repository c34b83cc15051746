"""What all histogram-based gradient boosting estimators share: scikit-learn's rules around the native loop."""

import copy
from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_y, check_consistent_length

from mlwright._kernels import tree as kernels
from mlwright.base import fit_context
from mlwright.ensemble._boosting.binned_data import BinnedData, draw_seed
from mlwright.ensemble._boosting.columns import Columns
from mlwright.ensemble._boosting.continuation import ContinuationMixin
from mlwright.ensemble._boosting.control import Control
from mlwright.ensemble._boosting.driver import Boosting, Stopping, scored_sample
from mlwright.ensemble._boosting.features import features_for_fit, features_for_predict
from mlwright.ensemble._boosting.prediction import PredictionMixin
from mlwright.ensemble._boosting.rows import (
    Prepared,
    Rows,
    warn_of_swamped_targets,
    weights_for_fit,
)
from mlwright.ensemble._boosting.rules import tree_rules
from mlwright.ensemble._boosting.shared_fits import batches, fit_batch
from mlwright.ensemble._forest_state import TREES
from mlwright.io.composite import AnyOf, ListOf, MapOf, Maybe, Optional
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor

BASE_STATE = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "is_categorical_": Optional(Tensor("?", "p")),
    "_levels": ListOf(AnyOf(Tensor("f8 i8", "*", finite=False), Strings("*"))),
    "n_trees_per_iteration_": Number(1, integer=True),
    "do_early_stopping_": Choice(False, True),
    "train_score_": Tensor("f8", "a", finite=False),
    "validation_score_": Tensor("f8", "b", finite=False),
    "scores_": Maybe(MapOf(Tensor("f8", "s", finite=False))),
    "_seed": Number(0, integer=True),
    "_start": Tensor("f8", "k"),
    "_trees": TREES,
}


class BaseHistGradientBoosting(ContinuationMixin, PredictionMixin, BaseEstimator, metaclass=ABCMeta):
    """A fit from data to trees; subclasses say what targets and losses are."""

    @fit_context
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        eval_metric=None,
        callback=None,
        max_time=None,
    ):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN is a missing value, infinities are allowed. float32 is not widened in memory.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. Integers are repetitions: the model is to the bit (of 'huber', 'expectile' and
            distributions up to rounding) that of each row repeated as often, and ``min_samples_leaf`` counts
            repetitions. Other weights scale a row's gradient, and rows are counted as rows.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to stop early on, in place of a part of the training rows, and to compute `eval_metric` on.
        eval_metric : str, callable, or list or dict of them, default=None
            Metrics to record for every iteration, as names of scorers or ``scorer(estimator, X, y)``; on the validation
            rows, else on at most 10,000 of the training rows. See ``scores_``. They do not change the fit.
        callback : callable, default=None
            ``callback(iteration)`` after every iteration, told a `BoostingIteration`. The fit stops where it returns
            True. What it raises ends the fit and leaves the estimator as it was.
        max_time : float, default=None
            Seconds after which no further iteration is begun; one is always made. The only setting with which two fits
            may differ.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For data or parameters that do not fit.
        NumericalError
            If the loss has gradients that are not finite.
        """
        continuing = self.warm_start and hasattr(self, "_trees")
        if continuing and self.max_iter < self.n_iter_:
            raise ValueError(
                f"max_iter={self.max_iter} must be larger than or equal to n_iter_={self.n_iter_} when warm_start==True"
            )
        control = Control.of(self, eval_metric, callback, max_time)
        prepared = self._prepare(
            X,
            y,
            sample_weight,
            X_val=X_val,
            y_val=y_val,
            sample_weight_val=sample_weight_val,
            classes=getattr(self, "classes_", None) if continuing else None,
            continuing=continuing,
            only_watched=bool(control and control.scorers),
        )
        fit = self._boosting(prepared, continuing, control)
        fit.begin()
        fit.run(self.max_iter)
        self._keep(fit)
        return self

    def _prepare(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        classes=None,
        continuing=False,
        only_watched=False,
        holding_out=True,
    ):
        """Everything before growth: data checked, encoded, split and binned.

        Fits that differ in parameters of growth only (`shared_fits.GROWTH_ONLY`) share it: it must not look at
        them.
        """
        beforehand = () if classes is None else (classes,)
        rows = self._training_rows(X, y, sample_weight, *beforehand)
        validation = self._given_validation_rows(X_val, y_val, sample_weight_val, only_watched)
        if isinstance(X, BinnedData) and continuing:
            X.check_thresholds_of(self._trees)
        if isinstance(X_val, BinnedData):
            X_val.check_bins_of(X)
        if not continuing:
            self._seed = draw_seed(self.random_state)
        self.do_early_stopping_ = len(rows.y) > 10_000 if self.early_stopping == "auto" else bool(self.early_stopping)
        holding_out = holding_out and self.do_early_stopping_ and self.validation_fraction is not None
        if holding_out and validation is None:
            rows, validation = rows.split(self.validation_fraction, self._is_classifier, self._seed)
        return self._prepared(rows, validation, continuing)

    def _prepared(self, rows, validation, continuing):
        columns = Columns.plan(rows, self._loss_spec(rows, continuing), self.is_categorical_, self._levels, self._seed)
        return Prepared(rows, validation, columns, columns.binned(rows.X, rows.weight, self.max_bins, self._seed))

    @staticmethod
    def _shared_columns(X):
        return {"binning": "given" if isinstance(X, BinnedData) else "training fold"}

    def _batches(self, candidates):
        return batches(candidates)

    def _fit_batch(self, candidates, rows):
        return fit_batch(candidates, rows)

    def _keep(self, fit):
        """Take over what a fit has grown."""
        self._trees = fit.trees
        self._start = fit.start
        self.train_score_ = np.asarray(fit.train_score, dtype=np.float64)
        self.validation_score_ = np.asarray(fit.validation_score, dtype=np.float64)
        vars(self).pop("scores_", None)
        if fit.control is not None and fit.control.scores:
            self.scores_ = {name: np.asarray(values, dtype=np.float64) for name, values in fit.control.scores.items()}

    def _fitted_copy(self, fit):
        estimator = copy.copy(self)
        estimator._keep(fit)
        return estimator

    def _training_rows(self, X, y, sample_weight, classes=None):
        X = features_for_fit(self, X)
        y = _check_y(y, estimator=self)
        check_consistent_length(X, y)
        sample_weight = weights_for_fit(sample_weight, X)
        y = self._encode_targets(y) if classes is None else self._encode_as(y, classes)
        rows = Rows(X, y, self._final_weight(sample_weight, y)).without_zero_weights()
        if self.loss in ("squared_error", "expectile"):
            warn_of_swamped_targets(rows)
        return rows

    def _given_validation_rows(self, X_val, y_val, sample_weight_val, only_watched):
        if X_val is None and y_val is None:
            return None
        if y_val is None:
            raise ValueError("X_val is provided, but y_val was not provided.")
        if X_val is None:
            raise ValueError("y_val is provided, but X_val was not provided.")
        if self.early_stopping is False and not only_watched:
            raise ValueError(
                "X_val and y_val are passed to fit while at the same time early_stopping is False. When passing X_val "
                "and y_val to fit, early_stopping should be set to either 'auto' or True."
            )
        X_val = features_for_predict(self, X_val)
        y_val = self._encode_again(_check_y(y_val, estimator=self), "y_val")
        check_consistent_length(X_val, y_val)
        return Rows(X_val, y_val, weights_for_fit(sample_weight_val, X_val))

    def _boosting(self, prepared, continuing, control=None):
        rows, columns = prepared.train, prepared.columns
        loss = self._loss_spec(rows, continuing)
        first_tree = len(self._trees["offsets"]) - 1 if continuing else 0
        rules = tree_rules(self, columns)
        booster = kernels.make_booster(prepared.bins, rows.y, rows.weight, loss, rules, first_tree)
        columns.explain_to(booster)
        stopping = self._stopping() if self.do_early_stopping_ else None
        asks_scorers = (stopping is not None and stopping.scoring != "loss") or (
            control is not None and control.scorers
        )
        sample = scored_sample(rows, self._is_classifier, self._seed) if asks_scorers else None
        if control is not None:
            control.rows = prepared.validation or sample
        return Boosting(
            train=rows,
            validation=prepared.validation if stopping is not None else None,
            loss=loss,
            booster=booster,
            start=self._start if continuing else booster.start(),
            parts=[self._trees] if continuing else [],
            stopping=stopping,
            estimator_with=self._with_trees,
            target_of=self._decode_targets,
            verbose=int(self.verbose),
            train_score=self.train_score_.tolist() if continuing else [],
            validation_score=self.validation_score_.tolist() if continuing else [],
            scored_rows=sample,
            control=control,
            copy_of=self._fitted_copy,
        )

    def _stopping(self):
        scoring = self.scoring
        if scoring != "loss":
            from sklearn.metrics import check_scoring

            scoring = check_scoring(self, scoring)
        return Stopping(scoring, self.n_iter_no_change, self.tol)

    def _with_trees(self, trees, start):
        """A fitted estimator with these trees, for scorers; its arrays are as they are, so names are not checked."""
        estimator = copy.copy(self)
        estimator._trees, estimator._start = trees, start
        estimator.is_categorical_, estimator._levels = None, []  # coded already
        vars(estimator).pop("feature_names_in_", None)
        return estimator

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags

    @property
    @abstractmethod
    def _is_classifier(self): ...

    @abstractmethod
    def _encode_targets(self, y): ...

    @abstractmethod
    def _encode_again(self, y, subject): ...

    @abstractmethod
    def _decode_targets(self, y): ...

    @abstractmethod
    def _final_weight(self, sample_weight, y): ...

    @abstractmethod
    def _loss_spec(self, rows, continuing): ...
