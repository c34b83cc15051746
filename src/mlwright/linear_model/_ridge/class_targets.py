"""Classes as targets of least squares: a column of 1 and -1 for each class, one column for two classes.

The column of a class that a set of rows has not is -1 throughout, so statistics of rows with other classes add up
exactly: what is missing is a constant column.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._validation import rows_for_fit
from mlwright.linear_model._base import LinearStatistics, linear_predict


@dataclass(frozen=True, slots=True)
class Labels:
    """Class labels of rows.

    Attributes
    ----------
    classes : array of shape (k,)
        Sorted; the numbers of the columns where a row may have several labels.
    given : array of shape (n,) or (n, k)
        As users name them.
    codes : int array of shape (n,), or None where a row may have several labels
    targets : float64 array of shape (n, t)
        1 and -1; t = 1 for up to two classes.
    """

    classes: np.ndarray
    given: np.ndarray
    codes: np.ndarray | None
    targets: np.ndarray

    @classmethod
    def of(cls, y, classes=None):
        """From what users pass; `classes` are those that there are in any case."""
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        if y.ndim == 1:
            _require_no_nan(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            given = np.asarray(y)
            return cls(np.arange(given.shape[1]), given, None, np.where(given > 0, 1.0, -1.0))
        if kind == "multiclass-multioutput":
            raise ValueError("Multioutput target data is not supported with label binarization")
        given = column_or_1d(y, warn=True)
        _require_no_nan(given)
        check_classification_targets(given)
        seen = np.unique(given) if classes is None else union_of(np.unique(given), classes)
        codes = np.searchsorted(seen, given)
        columns = np.arange(len(seen)) if len(seen) > 2 else np.array([1])
        return cls(seen, given, codes, np.where(codes[:, None] == columns, 1.0, -1.0))

    @property
    def counts(self):
        """Rows of each class."""
        return self.counts_of(slice(None))

    def counts_of(self, rows):
        """Of each class among some of the rows."""
        if self.codes is None:
            return (self.targets[rows] > 0.0).sum(axis=0)
        return np.bincount(self.codes[rows], minlength=len(self.classes))


def union_of(*parts):
    """The classes of all parts, ascending; ValueError where some are words and others numbers."""
    parts = [part for part in map(np.asarray, parts) if len(part)]
    if len({part.dtype.kind in "USO" for part in parts}) > 1:
        raise ValueError(
            "y: got words for the labels of some rows and numbers for those of others, expected one or the other as in "
            "the rows seen before; label all rows alike."
        )
    return np.unique(np.concatenate(parts))


def _require_no_nan(y):
    if y.dtype.kind in "fO":
        assert_all_finite(y, input_name="y")


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """Fold statistics of rows whose targets are classes.

    Attributes
    ----------
    classes : array of shape (k,)
    counts : int array of shape (k,)
        Rows of each class.
    multilabel : bool
        Whether a row may have several labels: then columns have nothing to do with each other.
    sums : FoldStatistics
        Of the targets of :class:`Labels`.
    """

    classes: np.ndarray
    counts: np.ndarray
    multilabel: bool
    sums: FoldStatistics

    @property
    def n_rows(self):
        return self.sums.n_rows

    @property
    def weight(self):
        return self.sums.weight

    def among(self, classes):
        """The same with the classes `classes`, its own among them."""
        mine = self._among(classes)
        return _of_columns(classes, mine.counts, mine.sums)

    def deprived_of(self, gone):
        """The same without some classes, which none of the rows has."""
        mine, kept = self._among(self.classes), np.flatnonzero(~np.isin(self.classes, gone))
        return _of_columns(self.classes[kept], mine.counts[kept], _columns(mine.sums, kept))

    def merged(self, other):
        """Of both sets of rows together, and the classes of both."""
        if self.multilabel or other.multilabel:
            self._require_alike(other)
            return ClassStatistics(self.classes, self.counts + other.counts, True, self.sums.merged(other.sums))
        classes = union_of(self.classes, other.classes)
        mine, its = self._among(classes), other._among(classes)
        return _of_columns(classes, mine.counts + its.counts, mine.sums.merged(its.sums))

    def without(self, other):
        """Of what is left when the rows of `other` are taken out; a class without rows goes with the last of them."""
        if self.multilabel or other.multilabel:
            self._require_alike(other)
            return ClassStatistics(self.classes, self.counts - other.counts, True, self.sums.without(other.sums))
        strange = ~np.isin(other.classes, self.classes)
        if strange.any():
            raise ValueError(
                f"forget: y has the label {other.classes[strange][0]!r}, which is none of the classes that the model "
                "was fitted on."
            )
        mine, its = self._among(self.classes), other._among(self.classes)
        left = mine.counts - its.counts
        kept = (left > 0) | (mine.counts == 0)
        if kept.sum() == 1:  # nothing of its column is left to be subtracted
            sums = _columns(mine.sums, []).without(_columns(its.sums, []))
            return ClassStatistics(self.classes[kept], left[kept], False, _spread(sums, np.empty(0, np.int64), 1))
        at = np.flatnonzero(kept)
        return _of_columns(self.classes[kept], left[kept], _columns(mine.sums, at).without(_columns(its.sums, at)))

    def _among(self, classes):
        """With a column for every class of `classes`, two classes included."""
        sums = self.sums
        if len(self.classes) <= 2:  # one column, 1 for the second class
            sums = _columns(sums, [0, 0][: len(self.classes)], [-1.0, 1.0][: len(self.classes)])
        place = np.searchsorted(classes, self.classes)
        counts = np.zeros(len(classes), dtype=np.int64)
        counts[place] = self.counts
        return ClassStatistics(classes, counts, False, _spread(sums, place, len(classes)))

    def _require_alike(self, other):
        if self.multilabel != other.multilabel or len(self.classes) != len(other.classes):
            raise ValueError(
                f"y: got {len(other.classes)} {'labels a row' if other.multilabel else 'classes'}, expected "
                f"{len(self.classes)} {'labels a row' if self.multilabel else 'classes'} as in the rows seen before."
            )


def _of_columns(classes, counts, sums):
    """From sums with a column for every class."""
    if len(classes) <= 2:
        sums = _columns(sums, [len(classes) - 1], [1.0 if len(classes) == 2 else -1.0])
    return ClassStatistics(classes, counts, False, sums)


def _columns(sums, targets, signs=None):
    """The statistics of some of the targets, each times 1 or -1."""
    p = sums.n_features
    at = np.concatenate([np.arange(p), p + np.asarray(targets, dtype=np.int64)])
    sign = np.ones(len(at))
    if signs is not None:
        sign[p:] = signs
    scatter = sums.scatter[np.ix_(at, at)] * np.multiply.outer(sign, sign)
    return FoldStatistics(p, sums.n_rows, sums.weight, sums.mean[at] * sign, scatter, sums.scale[at])


def _spread(sums, place, n):
    """With n targets, those of `sums` at `place` and -1 in all others."""
    p = sums.n_features
    at = np.concatenate([np.arange(p), p + place])
    mean, scale, scatter = np.full(p + n, -1.0), np.ones(p + n), np.zeros((p + n, p + n))
    mean[at], scale[at], scatter[np.ix_(at, at)] = sums.mean, sums.scale, sums.scatter
    return FoldStatistics(p, sums.n_rows, sums.weight, mean, scatter, scale)


class LinearClasses(ClassifierMixin, LinearStatistics):
    """Base of classifiers by least squares on 1 and -1: the class of the highest score."""

    _multi_output = False

    def decision_function(self, X):
        """Scores of the classes: what least squares predicts for their columns of 1 and -1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One number a row, positive for the second class, where there are two.
        """
        return linear_predict(self, X, accept_sparse=self._accept_sparse)

    def predict(self, X):
        """The class of the highest score; where rows may have several labels, those with positive scores.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return classes_of(self.decision_function(X), self.classes_, self._multilabel)

    def _labelled_rows(self, X, y, sample_weight, *, reset=True, classes=None, batch=False):
        """Validated rows, their targets 1 and -1, weights times those of the classes; and the labels.

        Of a batch, classes that have a weight may be in others.
        """
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        labels = Labels.of(y, classes)
        w = sample_weight
        if self.class_weight:
            w = self._weights(X, labels, sample_weight, batch)
        rows = rows_for_fit(
            self, X, labels.targets, w, reset=reset, accept_sparse=self._accept_sparse, multi_output=True
        )
        return rows, labels

    def _weights(self, X, labels, sample_weight, batch):
        w = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if labels.codes is not None:
            if batch:
                of_class = np.array([self.class_weight.get(c, 1.0) for c in labels.classes.tolist()])
            else:
                of_class = self._class_weights(labels.classes, labels.given, w)
            of_row = of_class[labels.codes]
        elif self.class_weight == "balanced":  # having a label, or not: of each label, times those of the others
            of_row = np.prod([self._balanced(column, w) for column in labels.given.T], axis=0)
        else:
            raise ValueError(
                f"class_weight: got {self.class_weight!r} for rows of several labels each, expected 'balanced' or "
                "None; weigh the rows by sample_weight."
            )
        return of_row if w is None else w * of_row

    def _balanced(self, column, w):
        values, codes = np.unique(column, return_inverse=True)
        return self._class_weights(values, column, w)[codes]

    def _class_weights(self, classes, y, w):
        if w is None or self.class_weight != "balanced":
            return np.asarray(compute_class_weight(self.class_weight, classes=classes, y=y), dtype=np.float64)
        # Balanced weights count rows by their weights: a class whose rows weigh nothing is none.
        there = w > 0.0
        seen = np.isin(classes, y[there])
        of_class = np.zeros(len(classes))
        of_class[seen] = compute_class_weight(
            self.class_weight, classes=classes[seen], y=y[there], sample_weight=w[there]
        )
        return of_class

    def _remember_classes(self, classes, counts, multilabel):
        self.classes_, self._class_counts, self._multilabel = classes, counts, multilabel

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        super()._validate_state()
        k, rows = len(self.classes_), 1 if np.ndim(self.coef_) == 1 else len(self.coef_)
        if k < 1 or rows != (k if self._multilabel or k > 2 else 1):
            self._refuse_state(f"{rows} rows of coefficients for {k} classes")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class ScoresAsClassifier(ClassifierMixin, BaseEstimator):
    """A fitted classifier of which X are the scores already: for scorers, which ask a model."""

    def __init__(self, classes, multilabel):
        self.classes, self.multilabel = classes, multilabel

    @property
    def classes_(self):
        return self.classes

    def decision_function(self, X):
        return X

    def predict(self, X):
        return classes_of(X, self.classes, self.multilabel)


def classes_of(scores, classes, multilabel):
    """The classes, or the 0 and 1 of every label, that scores stand for."""
    if multilabel:
        return (scores.reshape(len(scores), -1) > 0.0).astype(np.int64)
    return classes[(scores > 0.0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)]
