"""TabularRegressor: cross-validate candidates on a table of numbers to predict, keep the best."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d

from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage, fit_context
from mlwright.io.composite import Maybe, Optional, State
from mlwright.io.schema import Tensor
from mlwright.tabular._base import COMMON_STATE, TabularBase, check_weights
from mlwright.tabular._candidates import regression_candidates
from mlwright.tabular._folds import shuffled_folds
from mlwright.tabular._intervals import conformal_interval, residual_bins
from mlwright.tabular._metrics import REGRESSION, regression_metrics


class TabularRegressor(RegressorMixin, TabularBase):
    """Predict a number from a table: the best of linear, Bayesian and boosted candidates.

    Every candidate is a pipeline from :class:`~mlwright.preprocessing.TableEncoder` to a model and is cross-validated
    on the same folds, beside the naive baseline. The one with the largest mean R² is refitted on all rows.

    Parameters
    ----------
    candidates : list of str or None, default=None
        Some of "linear", "bayesian", "boosted", "boosted_deep"; None is all. The baseline always takes part.
    cv : int, splitter or list of (train, test), default=5
        Folds, or scikit-learn's splits; these must test every row once and train on all others.
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
        **COMMON_STATE,
        interval_edges_=Tensor("f8", "e"),
        interval_ends_=Tensor("i8", "e+1"),
        interval_residuals_=Tensor("f8", "r"),
        _interval_weights=Maybe(Optional(Tensor("f8", "r"))),  # files of older versions have none
    )

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Search, refit the best; `mlwright.watch_progress` sees each fold.

        Parameters
        ----------
        X : table or array-like (n, p)
        y : array-like of float (n,)
        sample_weight : array-like (n,), default=None
            Weights of rows in every fit, in scores, intervals and the encoder's statistics. A row of whole weight w is
            w rows where the folds are the same and nothing is set aside to stop early; one of weight 0 is no row.

        Returns
        -------
        self
        """
        X, y = self._read_table(X, y)
        X, y, weight, folds = self._rows_and_folds(X, self._target(y), sample_weight, _shuffled)
        predictions = self._search(X, y, weight, folds)
        bins = residual_bins(predictions, y - predictions, weight)
        self.interval_edges_, self.interval_ends_, self.interval_residuals_, self._interval_weights = bins
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
        return self._predict_fold(self.pipeline_, self._checked(X))

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
        weight = getattr(self, "_interval_weights", None)
        bins = (self.interval_edges_, self.interval_ends_, self.interval_residuals_, weight)
        return np.column_stack(conformal_interval(self.predict(X), coverage, *bins))

    def _target(self, y):
        y = np.asarray(column_or_1d(y, warn=True))
        if y.dtype.kind not in "biuf":
            try:
                if y.dtype.kind in "mM":  # would become counts of some unit
                    raise TypeError
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
        check_weights(self, "_interval_weights")


def _shuffled(y, n_folds, random_state):
    return shuffled_folds(len(y), n_folds, random_state)
