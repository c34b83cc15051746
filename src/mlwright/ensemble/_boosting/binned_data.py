"""From rows to what boosting grows trees on: every value a code; once for a fit, or once for many."""

import copy

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from mlwright._kernels import binned as kernels
from mlwright._kernels import tree
from mlwright.ensemble._boosting.bins import thresholds_and_bins, thresholds_beside_codes
from mlwright.ensemble._boosting.category_tables import coded_for_fit

NATIVE_LEVELS = 255  # what a byte of codes holds beside the one of missing values


def draw_seed(random_state):
    """The seed of a fit, and of bins that are to equal the fit's."""
    return int(check_random_state(random_state).randint(np.iinfo(np.uint32).max, dtype="u8"))


class BinnedData:
    """Rows whose every value is a bin's number: made once, then fitted on as often as you like.

    Pass it for ``X`` to `fit`, `predict` and their kin of the boosting estimators. Fitting it gives to the bit the
    trees that fitting ``X`` gives with these bins; without early stopping and with the same ``max_bins``,
    ``sample_weight`` and integer ``random_state`` those are the bins of ``fit(X)`` itself. It takes two bytes a value,
    or some seven a value that is not zero, whatever ``X`` takes; and eight more a value of a categorical feature of
    more than 255 levels, which each fit codes by its own targets.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Numbers and categories; NaN is a missing value. Not kept.
    max_bins : int, default=255
        Most bins a feature, at least 2; missing values have one more. The parameter of that name of an estimator
        fitted on this object is not looked at.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in the quantiles that bins end at; `fit` takes its own.
    random_state : int, RandomState instance or None, default=None
        Of the rows that bins are found from where there are more than 200,000.
    categorical_features : array-like of {bool, int, str} or None or 'from_dtype', default='from_dtype'
        As of :class:`HistGradientBoostingRegressor`, whose parameter then stays at its default. All levels of X are
        known to models that are fitted on any of its rows.

    Attributes
    ----------
    shape : tuple of int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X is a frame whose columns all have names.
    is_categorical_ : ndarray of bool of shape (n_features,) or None
        Which features are categories; None if none is.
    thresholds_ : list of ndarray
        Upper ends of each feature's bins, ascending; the last bin has none. Empty for categorical features.

    Raises
    ------
    ValueError
        For data or parameters that do not fit.

    Notes
    -----
    Any number of fits may use one object at once. Prediction on it is exact for models of its own bins, and refused for
    others.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import BinnedData, HistGradientBoostingRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> binned = BinnedData(X)
    >>> models = [HistGradientBoostingRegressor(max_depth=d).fit(binned, X[:, 0]) for d in (2, 3)]
    >>> bool((models[0].predict(binned) == models[0].predict(X)).all())
    True
    >>> binned.take([3, 1, 1]).shape
    (3, 3)

    Columns of text are categories, here as in `fit`:

    >>> import pandas as pd
    >>> shops = pd.DataFrame({"city": ["Rome", "Oslo"] * 250, "sales": X[:, 0]})
    >>> model = HistGradientBoostingRegressor().fit(BinnedData(shops), (shops["city"] == "Rome") * 2.0)
    >>> model.predict(shops[:2]).round(2)
    array([2., 0.])
    """

    def __init__(self, X, *, max_bins=255, sample_weight=None, random_state=None, categorical_features="from_dtype"):
        learnt = type("BinnedData", (BaseEstimator,), {})()  # what is learnt of the columns
        learnt.categorical_features = categorical_features
        X = coded_for_fit(learnt, X)
        del learnt.categorical_features
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if isinstance(max_bins, bool) or not isinstance(max_bins, (int, np.integer)):
            raise ValueError(f"max_bins: got {max_bins!r}, expected an integer from 2 to 255")
        self.shape = X.shape
        vars(self).update(vars(learnt))
        self._bin(X, sample_weight, int(max_bins), draw_seed(random_state))

    def _bin(self, X, weight, max_bins, seed):
        """Sets the codes of all features but the wide ones, and the places of those among their levels."""
        self._wide, self._wide_places = self._features_of_many_levels(), None
        if self.is_categorical_ is None:
            (self._values, self._offsets), self._bins = thresholds_and_bins(X, weight, max_bins, seed)
            return
        n_codes = self.n_levels
        n_codes[self._wide] = 1  # a column without a cut, in the place of what each fit makes of it
        narrow = X
        if len(self._wide):
            self._wide_places = np.array(X[:, self._wide], dtype=np.float64)
            narrow = np.array(X, order="F")
            narrow[:, self._wide] = 0.0
        self._values, self._offsets = thresholds_beside_codes(narrow, n_codes, weight, max_bins, seed)
        self._bins = tree.bin_matrix(narrow, self._values, self._offsets)

    @property
    def n_levels(self):
        """How many levels each feature has; 0 for numbers."""
        n = np.zeros(self.n_features_in_, dtype=np.int64)
        if self.is_categorical_ is not None:
            n[self.is_categorical_] = [len(levels) for levels in self._levels]
        return n

    def _features_of_many_levels(self):
        return np.flatnonzero(self.n_levels > NATIVE_LEVELS)

    dtype = np.dtype(np.float64)  # of the values that codes stand for
    ndim = 2

    def __len__(self):
        return self.shape[0]

    @property
    def thresholds_(self):
        cuts = np.split(self._values, self._offsets[1:-1])
        return [c[:0] if n else c for c, n in zip(cuts, self.n_levels, strict=True)]

    def take(self, rows):
        """The rows given, by number or mask, in that order, as an object of its own: nothing is binned again.

        Parameters
        ----------
        rows : array-like of int or bool, or slice
            Numbers may repeat.

        Returns
        -------
        BinnedData

        Raises
        ------
        IndexError
            For a row out of range.
        """
        rows = self._numbers_of(rows)
        taken = copy.copy(self)
        taken._bins = kernels.take_rows(self._bins, rows)
        if self._wide_places is not None:
            taken._wide_places = self._wide_places[rows]
        taken.shape = (len(rows), self.shape[1])
        return taken

    def __getitem__(self, rows):
        """``take(rows)``; scikit-learn's splits write ``[rows, ...]``."""
        if isinstance(rows, tuple) and len(rows) == 2 and (rows[1] is Ellipsis or rows[1] == slice(None)):
            rows = rows[0]
        return self.take(rows)

    def _numbers_of(self, rows):
        if not isinstance(rows, slice):
            if isinstance(rows, tuple) or np.ndim(rows) != 1:
                raise IndexError(
                    f"BinnedData: got {rows!r:.60}, expected a list of numbers, a mask or a slice; [i] for row i"
                )
            rows = np.asarray(rows) if len(rows) else np.empty(0, dtype=np.intp)
        return np.arange(len(self))[rows]

    def dense_block(self, features, begin, end):
        """Values that some rows' codes of some features stand for; the places of levels, of categorical features."""
        block = kernels.values(self._bins, features, begin, end)
        if self.is_categorical_ is None:
            return block
        n_levels = self.n_levels
        for column, feature in enumerate(features):
            if feature in self._wide:
                block[:, column] = self.places(feature)[begin:end]
            elif n_levels[feature]:  # bins end half-way between places, the last one nowhere
                block[:, column] = np.minimum(block[:, column] - 0.5, n_levels[feature] - 1)
        return block

    def places(self, feature):
        """The place of each row's level of a feature of more than 255; NaN where missing."""
        return self._wide_places[:, np.searchsorted(self._wide, feature)]

    def with_codes_in_place_of_levels(self, codes, n_codes):
        """The binned matrix with further columns, which a fit made of a feature of more than 255 levels.

        Parameters
        ----------
        codes : dict of int to list of float64 array
            For each such feature its columns, NaN where missing.
        n_codes : dict of int to list of int
        """
        known, cuts = kernels.stored(self._bins), np.split(self._values, self._offsets[1:-1])
        columns, thresholds = [], []
        for feature, own in enumerate(cuts):
            if feature not in codes:
                columns.append(known[:, feature])
                thresholds.append(own)
                continue
            for made, n in zip(codes[feature], n_codes[feature], strict=True):
                offsets = np.array([0, n - 1], dtype=np.int64)
                columns.append(tree.bin_codes(made[:, None], np.arange(n - 1) + 0.5, offsets)[:, 0])
                thresholds.append(np.arange(n - 1) + 0.5)
        offsets = np.cumsum([0] + [len(t) for t in thresholds])
        return kernels.restored(np.stack(columns, axis=1), len(self), np.concatenate(thresholds), offsets)

    def check_bins_of(self, other):
        """ValueError unless the other rows, too, are binned, and by the same thresholds and levels."""
        same = isinstance(other, BinnedData) and all(
            np.array_equal(ours, theirs)
            for ours, theirs in ((self._values, other._values), (self._offsets, other._offsets))
        )
        if not (same and _same_levels(self, other)):
            raise ValueError(
                "X_val: got binned data whose bins are not those of X, expected rows taken from one object"
            )

    def check_levels_of(self, estimator):
        """ValueError unless the estimator knows the same categories."""
        if not _same_levels(self, estimator):
            raise ValueError(
                "X: got binned data whose categories are not those the model was fitted with, expected the same "
                "categorical features of the same levels; pass the rows themselves"
            )

    def check_thresholds_of(self, trees):
        """ValueError unless each cut of the trees lies between two bins."""
        numeric = trees["feature"] >= 0
        if "category_set" in trees:
            numeric = numeric & (trees["category_set"] < 0)
        for feature in np.unique(trees["feature"][numeric]):
            cuts = trees["threshold"][numeric & (trees["feature"] == feature)]
            known = self._values[self._offsets[feature] : self._offsets[feature + 1]]
            if not np.isin(cuts[np.isfinite(cuts)], known).all():
                raise ValueError(
                    f"X: got binned data whose bins are not those the model was fitted by (feature {feature}), "
                    "expected the same bins; predict on the rows themselves"
                )

    def __getstate__(self):
        state = {name: value for name, value in vars(self).items() if name != "_bins"}
        return {**state, "_codes": kernels.stored(self._bins)}

    def __setstate__(self, state):
        codes = state.pop("_codes")
        vars(self).update(state)
        self._bins = kernels.restored(codes, self.shape[0], self._values, self._offsets)

    def __copy__(self):
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __deepcopy__(self, memo):
        return copy.copy(self)  # nothing of it ever changes

    def __repr__(self):
        return f"<BinnedData of {self.shape[0]} rows and {self.shape[1]} features>"


def _same_levels(ours, theirs):
    if ours.is_categorical_ is None or theirs.is_categorical_ is None:
        return ours.is_categorical_ is theirs.is_categorical_
    return np.array_equal(ours.is_categorical_, theirs.is_categorical_) and all(
        np.array_equal(a, b) for a, b in zip(ours._levels, theirs._levels, strict=True)
    )


def check_features(estimator, data, reset):
    """scikit-learn's checks of names and number of features, for binned rows."""
    if reset:
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_features_in_ = data.n_features_in_
        if hasattr(data, "feature_names_in_"):
            estimator.feature_names_in_ = data.feature_names_in_
        return
    if data.n_features_in_ != estimator.n_features_in_:
        raise ValueError(
            f"X has {data.n_features_in_} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    ours, theirs = (getattr(o, "feature_names_in_", None) for o in (estimator, data))
    if ours is not None and theirs is not None and list(ours) != list(theirs):
        raise ValueError("X: got binned data of other feature names than seen at fit time, expected the same names")
