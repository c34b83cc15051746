"""What TabularRegressor and TabularClassifier share: the search, the leaderboard and the refit."""

from numbers import Integral, Real
from time import monotonic
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import rows_that_weigh
from mlwright.io.composite import ListOf, MapOf, Maybe, Nested, Optional, Record
from mlwright.io.schema import Choice, Number, Size, Strings, Tensor, Text
from mlwright.preprocessing._columns import as_cells, as_table, take_rows
from mlwright.tabular._candidates import BASELINE
from mlwright.tabular._folds import given_folds
from mlwright.tabular._search import cross_validate, fold_interval

_ROW = Record(
    name=Text(),
    label=Text(),
    complete=Choice(False, True),
    metrics=MapOf(Tensor("f8", "3", finite=False)),  # of one fold there is no interval
    fold_scores=Tensor("f8", "*"),
)
COMMON_STATE = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "target_name_": Optional(Text()),
    "n_rows_": Number(low=1, integer=True),
    "leaderboard_": ListOf(_ROW),
    "best_": Text(),
    "pipeline_": Nested("sklearn.pipeline.Pipeline"),
    "held_out_": Maybe(MapOf(Number())),
}


class TabularBase(BaseEstimator):
    """Base of the tabular estimators."""

    _parameter_constraints: ClassVar = {
        "candidates": ["array-like", None],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"]), "array-like"],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    def __init__(self, *, candidates=None, cv=5, time_limit=None, random_state=0):
        self.candidates = candidates
        self.cv = cv
        self.time_limit = time_limit
        self.random_state = random_state

    def _search(self, X, y, weight, folds):
        """Cross-validate, rank, refit the best; returns its out-of-fold predictions."""
        self.held_out_ = {}
        deadline = np.inf if self.time_limit is None else monotonic() + self.time_limit
        tried = self._chosen_candidates()
        trials = cross_validate(
            list(tried.values()),
            X,
            y,
            weight,
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
        share_tested = np.mean([len(test) / len(train) for train, test in folds])
        self.leaderboard_ = [self._leaderboard_row(tried[trial.name], trial, share_tested) for trial in trials]
        self.best_ = trials[0].name
        self.n_rows_ = len(y)
        self.pipeline_ = tried[self.best_].fitted(X, y, weight)
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
        return X, y

    def _rows_and_folds(self, X, y, sample_weight, own_folds):
        """What weighs something, and its folds: X, y, weight and the pairs of training and test rows."""
        X, kept, weight = rows_that_weigh(X, np.arange(len(y)), sample_weight, take_rows)
        if len(kept) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 rows to cross-validate, got n_samples={len(kept)}."
            )
        if isinstance(self.cv, Integral):
            folds = own_folds(y[kept], min(self.cv, len(kept)), self.random_state)
        else:
            folds = given_folds(self.cv, y, kept)
        return X, y[kept], weight, folds

    def _checked(self, X):
        """X as the pipeline takes it; an array's number of features is checked here, a table's names by the encoder."""
        check_is_fitted(self)
        if as_table(X) is not None:
            return X
        X = as_cells(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        return X

    def evaluate(self, X, y, sample_weight=None):
        """Metrics of the model on rows that it was not fitted on.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        y : array-like (n,)
        sample_weight : array-like (n,), default=None

        Returns
        -------
        dict of str to float
        """
        check_is_fitted(self)
        X, y, weight = rows_that_weigh(self._checked(X), self._target(y), sample_weight, take_rows)
        return self._evaluate_predictions(y, self._predict_fold(self.pipeline_, X), weight)

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
        of_folds = [of_folds for row in self.leaderboard_ for of_folds in row["metrics"].values()]
        if not all(np.isfinite(mean) and low <= mean <= high for mean, low, high in of_folds):
            raise ModelFormatError(f"{type(self).__name__}: a mean of metrics is not a number within its interval")
        if [row["name"] for row in self.leaderboard_][:1] != [self.best_]:
            raise ModelFormatError(f"{type(self).__name__}: best_ is not the first of leaderboard_")


def check_weights(model, name):
    """ModelFormatError unless the weights of errors out of fold, if there are any, are those of rows."""
    weight = getattr(model, name, None)
    if weight is not None and not (weight > 0).all():
        raise ModelFormatError(f"{type(model).__name__}: the weights of errors out of fold must be above 0")


def _mean_score(trial, name):
    return float(np.mean([scores[name] for scores in trial.scores])) if trial.scores else 0.0
