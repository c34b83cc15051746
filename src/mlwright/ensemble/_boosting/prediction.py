"""What fitted boosting estimators do with their trees: scores, stages, importances, the check of a loaded model."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright._kernels.forest import Forest, kept_forest
from mlwright._runtime.errors import ModelFormatError
from mlwright.ensemble._boosting.binned_data import BinnedData
from mlwright.ensemble._boosting.category_tables import check_levels
from mlwright.ensemble._boosting.features import features_for_predict
from mlwright.ensemble._importances import forest_importances


class PredictionMixin:
    """Of an estimator with ``_trees``, ``_start`` and ``n_trees_per_iteration_``."""

    @property
    def n_iter_(self):
        """Number of boosting iterations."""
        check_is_fitted(self, "_trees")
        return (len(self._trees["offsets"]) - 1) // self.n_trees_per_iteration_

    @property
    def feature_importances_(self):
        """Total gain of each feature's splits, as shares of all; other kinds: :mod:`mlwright.explain`."""
        check_is_fitted(self)
        return forest_importances(self._trees, self.n_features_in_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_trees")

    def _raw_predict(self, X):
        """Scores of shape (n_outputs, n)."""
        if not hasattr(self, "_trees"):
            check_is_fitted(self)  # raises; asking it first would cost more than a row's prediction
        forest = self._forest()
        if type(X) is np.ndarray and self.is_categorical_ is None and not hasattr(self, "feature_names_in_"):
            raw = forest.briefly(X)
            if raw is not None:
                return raw
        return forest.predict_raw(self._rows_to_predict(X))

    def _rows_to_predict(self, X):
        X = features_for_predict(self, X)
        if isinstance(X, BinnedData):
            X.check_levels_of(self)
            X.check_thresholds_of(self._trees)
        return X

    def _forest(self):
        """The trees as the core predicts by them; made once a process."""
        return kept_forest(self, self._trees, lambda: Forest(self._trees, self._start, self.n_features_in_))

    def _staged_raw_predict(self, X):
        check_is_fitted(self)
        X = self._rows_to_predict(X)
        raw = np.repeat(self._start[:, None], X.shape[0], axis=1)
        k, forest = self.n_trees_per_iteration_, self._forest()
        for iteration in range(self.n_iter_):
            forest.add_to(raw, X, iteration * k, (iteration + 1) * k)
            yield raw

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays, maybe from a stranger's file, fit together."""
        k = self.n_trees_per_iteration_
        forest = Forest(self._trees, self._start, self.n_features_in_)
        forest.check()
        check_levels(self)
        n_trees = forest.n_trees
        shared = self._trees["value"].ndim == 2  # leaves hold a value for each output
        if (self._start.shape != (k,) and not shared) or n_trees % k != 0:
            raise ModelFormatError(
                f"{type(self).__name__}: got {n_trees} trees and {self._start.shape[0]} start values for "
                f"{k} trees an iteration; the model is damaged"
            )
