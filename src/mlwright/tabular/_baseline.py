"""The naive baseline: what can be said without looking at the features. Every candidate must beat it."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import rows_that_weigh
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Labels, Number, Size, Strings, Tensor


class _Baseline(BaseEstimator):
    _parameter_constraints: ClassVar = {}

    def _rows(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        return X.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class BaselineRegressor(RegressorMixin, _Baseline):
    """Predict the mean of the training target.

    Attributes
    ----------
    mean_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    Examples
    --------
    >>> from mlwright.tabular import BaselineRegressor
    >>> BaselineRegressor().fit([[1.0], [2.0]], [3.0, 5.0]).predict([[7.0]])
    array([4.])
    """

    _model_state = State(n_features_in_=Size("p"), feature_names_in_=Maybe(Strings("p")), mean_=Number())

    def fit(self, X, y, sample_weight=None):
        """Learn the mean of y.

        Parameters
        ----------
        X : array-like (n, p)
        y : array-like (n,)
        sample_weight : array-like (n,), default=None

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan", y_numeric=True)
        if y.dtype.kind not in "biuf":
            raise ValueError(f"y: got values of type {y.dtype}, expected numbers; for classes use BaselineClassifier")
        _, y, weight = rows_that_weigh(X, y, sample_weight)
        self.mean_ = float(np.average(y, weights=weight))
        return self

    def predict(self, X):
        """The mean, once a row.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        float64 ndarray (n,)
        """
        n_rows = self._rows(X)
        return np.full(n_rows, self.mean_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def _validate_state(self):
        """Nothing that the declared state does not say."""


class BaselineClassifier(ClassifierMixin, _Baseline):
    """Predict the share of each class in the training target.

    Attributes
    ----------
    classes_ : ndarray (n_classes,)
    priors_ : ndarray (n_classes,)
        The share of each class.
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when X has names.

    Examples
    --------
    >>> from mlwright.tabular import BaselineClassifier
    >>> model = BaselineClassifier().fit([[1.0], [2.0], [3.0], [4.0]], ["no", "no", "no", "yes"])
    >>> model.predict_proba([[9.0]])
    array([[0.75, 0.25]])
    """

    _model_state = State(
        n_features_in_=Size("p"), feature_names_in_=Maybe(Strings("p")), classes_=Labels("k"), priors_=Tensor("f8", "k")
    )

    def fit(self, X, y, sample_weight=None):
        """Learn the share of each class.

        Parameters
        ----------
        X : array-like (n, p)
        y : array-like (n,)
        sample_weight : array-like (n,), default=None
            A class whose rows weigh nothing is none.

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        _, y, weight = rows_that_weigh(X, y, sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes, weights=weight)
        self.priors_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        """The shares, once a row.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        float64 ndarray (n, n_classes)
        """
        n_rows = self._rows(X)
        return np.tile(self.priors_, (n_rows, 1))

    def predict(self, X):
        """The most frequent class, once a row.

        Parameters
        ----------
        X : array-like (n, p)

        Returns
        -------
        ndarray (n,)
        """
        n_rows = self._rows(X)
        return np.full(n_rows, self.classes_[np.argmax(self.priors_)], dtype=self.classes_.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def _validate_state(self):
        if not len(self.classes_) or (self.priors_ < 0).any() or abs(self.priors_.sum() - 1) > 1e-9:
            raise ModelFormatError("BaselineClassifier: priors_ must be shares that add up to 1, one for each class")
