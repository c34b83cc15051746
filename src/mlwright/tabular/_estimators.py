"""TabularRegressor and TabularClassifier: cross-validate candidates on a table, keep the best."""

from numbers import Integral, Real
from time import monotonic
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage
from mlwright.io.composite import ListOf, MapOf, Maybe, Nested, Optional, Record, State
from mlwright.io.schema import Choice, Labels, Number, Size, Strings, Tensor, Text
from mlwright.preprocessing._columns import as_cells, as_table
from mlwright.tabular._candidates import BASELINE, classification_candidates, regression_candidates
from mlwright.tabular._folds import shuffled_folds, stratified_folds
from mlwright.tabular._intervals import conformal_interval, residual_bins
from mlwright.tabular._metrics import CLASSIFICATION, REGRESSION, classification_metrics, regression_metrics
from mlwright.tabular._search import cross_validate, fold_interval

_ROW = Record(
    name=Text(),
    label=Text(),
    complete=Choice(False, True),
    metrics=MapOf(Tensor("f8", "3")),
    fold_scores=Tensor("f8", "*"),
)
_COMMON_STATE = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "target_name_": Optional(Text()),
    "n_rows_": Number(low=1, integer=True),
    "leaderboard_": ListOf(_ROW),
    "best_": Text(),
    "pipeline_": Nested("sklearn.pipeline.Pipeline"),
    "held_out_": Maybe(MapOf(Number())),
}


class _Tabular(BaseEstimator):
    """What both have in common: the search, the leaderboard and the refit."""

    _parameter_constraints: ClassVar = {
        "candidates": ["array-like", None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    def __init__(self, *, candidates=None, cv=5, time_limit=None, random_state=0):
        self.candidates = candidates
        self.cv = cv
        self.time_limit = time_limit
        self.random_state = random_state

    def _search(self, X, y, folds):
        """Cross-validate, rank, refit the best; returns its out-of-fold predictions."""
        self.held_out_ = {}
        deadline = np.inf if self.time_limit is None else monotonic() + self.time_limit
        tried = self._chosen_candidates()
        trials = cross_validate(
            list(tried.values()),
            X,
            y,
            folds,
            predict=self._predict_fold,
            evaluate=self._evaluate_predictions,
            deadline=deadline,
        )
        metric = self._metrics[0]
        sign = -1 if metric.higher_is_better else 1

        def rank(trial):  # what did not end comes last; equal scores keep the cheaper one
            return not trial.complete, sign * _mean_score(trial, metric.name)

        trials.sort(key=rank)
        share_tested = 1 / (len(folds) - 1)
        self.leaderboard_ = [self._leaderboard_row(tried[trial.name], trial, share_tested) for trial in trials]
        self.best_ = trials[0].name
        self.n_rows_ = len(y)
        self.pipeline_ = clone(tried[self.best_].pipeline).fit(X, y)
        return trials[0].predictions

    def _chosen_candidates(self):
        known = self._known_candidates(int(self.random_state))
        chosen = list(known) if self.candidates is None else list(self.candidates)
        unknown = [name for name in chosen if name not in known]
        if unknown or not chosen:
            raise ValueError(
                f"candidates of {type(self).__name__}: got {', '.join(map(repr, unknown)) or 'none'}; "
                f"expected some of {', '.join(known)}."
            )
        # The baseline is always there to be compared with.
        return {name: candidate for name, candidate in known.items() if name in chosen or name == BASELINE}

    def _leaderboard_row(self, candidate, trial, share_tested):
        names = [metric.name for metric in self._metrics] if trial.scores else []
        return {
            "name": candidate.name,
            "label": candidate.label,
            "complete": trial.complete,
            "metrics": {
                name: np.array(fold_interval([scores[name] for scores in trial.scores], share_tested)) for name in names
            },
            "fold_scores": np.array([scores[self._metrics[0].name] for scores in trial.scores]),
        }

    def _read_table(self, X, y):
        """Remember names and sizes; X as it came if it is a table, else as a 2-D array."""
        X = X if as_table(X) is not None else as_cells(X)
        validate_data(self, X, reset=True, skip_check_array=True)
        table = as_table(X)
        if table is not None and all(isinstance(name, str) for name in table.columns):
            self.feature_names_in_ = np.array(table.columns, dtype=object)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        name = getattr(y, "name", None)
        self.target_name_ = name if isinstance(name, str) else None
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        if len(y) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 rows to cross-validate, got n_samples=1.")
        return X, y

    def evaluate(self, X, y):
        """Metrics of the model on rows that it was not fitted on.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        y : array-like (n,)

        Returns
        -------
        dict of str to float
        """
        check_is_fitted(self)
        return self._evaluate_predictions(self._target(y), self._predict_fold(self.pipeline_, _checked(self, X)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags

    def _validate_common_state(self):
        best = self.pipeline_
        if getattr(best, "n_features_in_", None) != self.n_features_in_:
            raise ModelFormatError(f"{type(self).__name__}: the pipeline has another number of features than the model")
        if [row["name"] for row in self.leaderboard_][:1] != [self.best_]:
            raise ModelFormatError(f"{type(self).__name__}: best_ is not the first of leaderboard_")


class TabularRegressor(RegressorMixin, _Tabular):
    """Predict a number from a table: the best of linear, Bayesian and boosted candidates.

    Every candidate is a pipeline from :class:`~mlwright.preprocessing.TableEncoder` to a model and is cross-validated
    on the same folds, beside the naive baseline. The one with the largest mean R² is refitted on all rows.

    Parameters
    ----------
    candidates : list of str or None, default=None
        Some of "linear", "bayesian", "boosted", "boosted_deep"; None is all. The baseline always takes part.
    cv : int, default=5
        Folds.
    time_limit : float or None, default=None
        Seconds. Candidates that cannot end in time are given up; the baseline and the cheapest candidate always end.
        With a limit, which candidates end depends on the machine.
    random_state : int, default=0
        Seed of the folds and of the rows that boosting sets aside to stop early.

    Attributes
    ----------
    pipeline_ : sklearn.pipeline.Pipeline
        The best candidate, fitted on all rows.
    best_ : str
        Its name.
    leaderboard_ : list of dict
        Best first: "name"; "label"; "complete" (False if time ran out); "metrics", each as (mean over folds, low,
        high) with a corrected 95 % t interval; "fold_scores" of the first metric.
    target_name_ : str or None
        The name of y if it has one.
    n_rows_ : int
    held_out_ : dict of str to float
        Empty; a place for metrics on held-out rows, which the model file keeps.
    interval_edges_, interval_ends_, interval_residuals_ : ndarray
        Out-of-fold residuals in bins of the prediction; what ``predict_interval`` reads.
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    Examples
    --------
    >>> import polars as pl
    >>> from mlwright.tabular import TabularRegressor
    >>> table = pl.DataFrame({"x": range(40), "kind": ["a", "b"] * 20})
    >>> y = [2.0 * x + (x % 2) for x in range(40)]
    >>> model = TabularRegressor(candidates=["linear"]).fit(table, y)
    >>> model.best_
    'linear'
    >>> lower, upper = model.predict_interval(table, coverage=0.8).T
    >>> bool((lower <= upper).all())
    True
    """

    _metrics = REGRESSION
    _known_candidates = staticmethod(regression_candidates)
    _model_state = State(
        **_COMMON_STATE,
        interval_edges_=Tensor("f8", "e"),
        interval_ends_=Tensor("i8", "e+1"),
        interval_residuals_=Tensor("f8", "r"),
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Search, refit the best; `mlwright.watch_progress` sees each fold.

        Parameters
        ----------
        X : table or array-like (n, p)
        y : array-like of float (n,)

        Returns
        -------
        self
        """
        X, y = self._read_table(X, y)
        y = self._target(y)
        folds = shuffled_folds(len(y), min(self.cv, len(y)), self.random_state)
        predictions = self._search(X, y, folds)
        bins = residual_bins(predictions, y - predictions)
        self.interval_edges_, self.interval_ends_, self.interval_residuals_ = bins
        return self

    def predict(self, X):
        """Predict.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        float64 ndarray (n,)
        """
        check_is_fitted(self)
        return self._predict_fold(self.pipeline_, _checked(self, X))

    def predict_interval(self, X, coverage=0.9):
        """Intervals that hold the target with about the given probability.

        The ends are quantiles of the out-of-fold residuals at predictions of similar size (split by bins), added to the
        prediction. On average over rows like the training rows, and up to the gain of refitting on all of them, the
        share of targets inside is `coverage`; for a particular row nothing is promised.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        float64 ndarray (n, 2)
            Lower and upper ends.

        Raises
        ------
        ValueError
            If the training table had too few rows for the coverage.
        """
        check_is_fitted(self)
        coverage = check_coverage(coverage)
        bins = (self.interval_edges_, self.interval_ends_, self.interval_residuals_)
        return np.column_stack(conformal_interval(self.predict(X), coverage, *bins))

    def _target(self, y):
        y = np.asarray(column_or_1d(y, warn=True))
        if y.dtype.kind not in "biuf":
            try:
                y = y.astype(np.float64)
            except (TypeError, ValueError):
                raise ValueError("Unknown label type: the target of TabularRegressor must be numbers.") from None
        if not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity; leave these rows out.")
        return y.astype(np.float64)

    @staticmethod
    def _predict_fold(model, X):
        return np.asarray(model.predict(X), dtype=np.float64)

    _evaluate_predictions = staticmethod(regression_metrics)

    def _validate_state(self):
        self._validate_common_state()
        ends, edges = self.interval_ends_, self.interval_edges_
        if len(ends) == 0 or ends[0] < 1 or (np.diff(ends) < 1).any() or ends[-1] != len(self.interval_residuals_):
            raise ModelFormatError("TabularRegressor: interval_ends_ do not divide interval_residuals_")
        if (np.diff(edges) <= 0).any():
            raise ModelFormatError("TabularRegressor: interval_edges_ must rise")


class TabularClassifier(ClassifierMixin, _Tabular):
    """Predict a class from a table: the best of linear, Bayesian and boosted candidates.

    Every candidate is a pipeline from :class:`~mlwright.preprocessing.TableEncoder` to a model and is cross-validated
    on the same stratified folds, beside the naive baseline. The one with the smallest mean log loss is refitted on all
    rows; all are fitted to the likelihood, so their probabilities are meant as such.

    Parameters
    ----------
    candidates : list of str or None, default=None
        Some of "linear", "bayesian", "boosted", "boosted_slow"; None is all. The baseline always takes part.
    cv : int, default=5
        Folds.
    time_limit : float or None, default=None
        Seconds. Candidates that cannot end in time are given up; the baseline and the cheapest candidate always end.
        With a limit, which candidates end depends on the machine.
    random_state : int, default=0
        Seed of the folds and of the rows that boosting sets aside to stop early.

    Attributes
    ----------
    classes_ : ndarray (n_classes,)
    pipeline_ : sklearn.pipeline.Pipeline
        The best candidate, fitted on all rows; its classes are places in ``classes_``.
    best_ : str
        Its name.
    leaderboard_ : list of dict
        As of :class:`TabularRegressor`.
    target_name_ : str or None
        The name of y if it has one.
    n_rows_ : int
    held_out_ : dict of str to float
        Empty; a place for metrics on held-out rows, which the model file keeps.
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    Examples
    --------
    >>> import polars as pl
    >>> from mlwright.tabular import TabularClassifier
    >>> table = pl.DataFrame({"x": range(40)})
    >>> y = ["low" if x < 20 else "high" for x in range(40)]
    >>> model = TabularClassifier(candidates=["linear"]).fit(table, y)
    >>> model.predict(table).tolist() == y
    True
    """

    _metrics = CLASSIFICATION
    _known_candidates = staticmethod(classification_candidates)
    _model_state = State(**_COMMON_STATE, classes_=Labels("k"))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Search, refit the best; `mlwright.watch_progress` sees each fold.

        Parameters
        ----------
        X : table or array-like (n, p)
        y : array-like (n,)
            At least two classes; if two, at least two rows of either.

        Returns
        -------
        self
        """
        X, y = self._read_table(X, y)
        y = _labels(y)
        check_classification_targets(y)
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"TabularClassifier needs at least two classes, got 1 class: {self.classes_.item(0)!r}; "
                "add rows of another."
            )
        if len(self.classes_) == 2 and counts.min() < 2:
            raise ValueError(
                f"TabularClassifier needs at least two rows of either class to cross-validate, got one of "
                f"{self.classes_.item(counts.argmin())!r}; add rows."
            )
        folds = stratified_folds(codes, min(self.cv, len(y)), self.random_state)
        self._search(X, codes, folds)
        return self

    def predict_proba(self, X):
        """Probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        float64 ndarray (n, n_classes)
        """
        check_is_fitted(self)
        return self._predict_fold(self.pipeline_, _checked(self, X))

    def predict(self, X):
        """The most probable class.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        ndarray (n,)
        """
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]

    def _target(self, y):
        y = _labels(column_or_1d(y, warn=True))
        unknown = sorted(set(y.tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"y holds classes that TabularClassifier was not fitted on: {', '.join(map(repr, unknown[:5]))}; "
                "leave their rows out."
            )
        return np.searchsorted(self.classes_, y)

    def _predict_fold(self, model, X):
        """Probabilities of all classes; a class that a fold's training part lacks has probability 0."""
        probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
        whole = np.zeros((len(probabilities), len(self.classes_)))
        whole[:, model.classes_] = probabilities
        return whole

    _evaluate_predictions = staticmethod(classification_metrics)

    def _validate_state(self):
        self._validate_common_state()
        classes = getattr(self.pipeline_[-1], "classes_", None)
        if len(self.classes_) < 2 or not np.array_equal(classes, np.arange(len(self.classes_))):
            raise ModelFormatError("TabularClassifier: the classes of the pipeline are not places in classes_")


def _labels(y):
    """Class labels as an array that can be sorted: text that came as objects stays Python strings."""
    y = np.asarray(y)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity; leave these rows out.")
    if y.dtype == object and any(label is None or label != label for label in y):
        raise ValueError("Input y contains NaN or None; leave these rows out.")
    return y


def _mean_score(trial, name):
    return float(np.mean([scores[name] for scores in trial.scores])) if trial.scores else 0.0


def _checked(model, X):
    """X as the pipeline takes it; an array's number of features is checked here, a table's names by the encoder."""
    check_is_fitted(model)
    if as_table(X) is not None:
        return X
    X = as_cells(X)
    validate_data(model, X, reset=False, skip_check_array=True)
    return X
