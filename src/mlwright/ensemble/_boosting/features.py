"""What X is to boosting, in whichever form it comes: a frame or array, a compressed matrix, or rows binned before."""

import numpy as np
from sklearn.utils.validation import validate_data

from mlwright.ensemble._boosting.binned_data import BinnedData, check_features
from mlwright.ensemble._boosting.category_tables import (
    COMPRESSED,
    FLOATS,
    coded_as_fitted,
    coded_for_fit,
    is_by_dtype,
)


def features_for_fit(estimator, X):
    """X as float32 or float64, of any strides; sets what the estimator knows of features and categories.

    A warm start reads it as the first fit did: its trees speak of those features and levels.
    """
    if isinstance(X, BinnedData):
        return _binned_for_fit(estimator, X)
    if _goes_on(estimator):
        return features_for_predict(estimator, X)
    return coded_for_fit(estimator, X)


def features_for_predict(estimator, X):
    """The same for prediction; a conforming array takes no checks but these."""
    if isinstance(X, BinnedData):
        check_features(estimator, X, reset=False)
        return X
    if getattr(estimator, "is_categorical_", None) is not None:  # imported models have none
        return coded_as_fitted(estimator, X)
    if (
        type(X) is np.ndarray
        and X.dtype.char in "df"
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    ):
        return X
    return validate_data(estimator, X, dtype=FLOATS, ensure_all_finite=False, accept_sparse=COMPRESSED, reset=False)


def _goes_on(estimator):
    return estimator.warm_start and hasattr(estimator, "_trees")


def _binned_for_fit(estimator, X):
    if len(X) == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    asked = estimator.categorical_features
    if not (is_by_dtype(asked) or (asked is None and X.is_categorical_ is None)):
        raise ValueError(
            f"X: got BinnedData with categorical_features={asked!r}, expected 'from_dtype': which features are "
            "categories was settled when they were binned; say it there, BinnedData(X, categorical_features=...)"
        )
    check_features(estimator, X, reset=not _goes_on(estimator))
    if _goes_on(estimator):
        X.check_levels_of(estimator)
    estimator.is_categorical_, estimator._levels = X.is_categorical_, X._levels
    return X
