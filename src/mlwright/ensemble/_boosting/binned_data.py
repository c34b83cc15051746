"""From rows to what boosting grows trees on: every value a code; once for a fit, or once for many."""

import copy

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from mlwright._kernels import binned as kernels
from mlwright._kernels import tree, tree_sparse

_COMPRESSED = ["csr", "csc"]


def draw_seed(random_state):
    """The seed of a fit, and of bins that are to equal the fit's."""
    return int(check_random_state(random_state).randint(np.iinfo(np.uint32).max, dtype="u8"))


def _thresholds_and_bins(X, weight, max_bins, seed):
    if not tree_sparse.is_sparse(X):
        thresholds = tree.find_thresholds(X, weight, max_bins, seed)
        return thresholds, tree.bin_matrix(X, *thresholds)
    columns = tree_sparse.as_columns(X)
    thresholds = tree_sparse.find_sparse_thresholds(columns, weight, max_bins, seed)
    return thresholds, tree_sparse.bin_columns(columns, *thresholds)


def binned(X, weight, max_bins, seed):
    """The binned matrix of dense, compressed or binned rows."""
    return X._bins if isinstance(X, BinnedData) else _thresholds_and_bins(X, weight, max_bins, seed)[1]


class BinnedData:
    """Rows whose every value is a bin's number: made once, then fitted on as often as you like.

    Pass it for ``X`` to `fit`, `predict` and their kin of the boosting estimators. Fitting it gives to the bit the
    trees that fitting ``X`` gives with these bins; without early stopping and with the same ``max_bins``,
    ``sample_weight`` and integer ``random_state`` those are the bins of ``fit(X)`` itself. It takes two bytes a value,
    or some seven a value that is not zero, whatever ``X`` takes. Numbers only; categorical columns go to `fit`.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Numbers; NaN is a missing value. Not kept.
    max_bins : int, default=255
        Most bins a feature, at least 2; missing values have one more. The parameter of that name of an estimator
        fitted on this object is not looked at.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in the quantiles that bins end at; `fit` takes its own.
    random_state : int, RandomState instance or None, default=None
        Of the rows that bins are found from where there are more than 200,000.

    Attributes
    ----------
    shape : tuple of int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X is a frame whose columns all have names.
    thresholds_ : list of ndarray
        Upper ends of each feature's bins, ascending; the last bin has none.

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
    """

    def __init__(self, X, *, max_bins=255, sample_weight=None, random_state=None):
        learnt = type("BinnedData", (BaseEstimator,), {})()  # what validate_data learns of the columns
        X = validate_data(learnt, X, dtype=[np.float64, np.float32], ensure_all_finite=False, accept_sparse=_COMPRESSED)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if isinstance(max_bins, bool) or not isinstance(max_bins, (int, np.integer)):
            raise ValueError(f"max_bins: got {max_bins!r}, expected an integer from 2 to 255")
        thresholds, self._bins = _thresholds_and_bins(X, sample_weight, int(max_bins), draw_seed(random_state))
        self._values, self._offsets = thresholds
        self.shape = X.shape
        vars(self).update(vars(learnt))

    dtype = np.dtype(np.float64)  # of the values that codes stand for
    ndim = 2

    def __len__(self):
        return self.shape[0]

    @property
    def thresholds_(self):
        return np.split(self._values, self._offsets[1:-1])

    def take(self, rows):
        """The rows given, by number or mask, in that order, as an object of its own: nothing is binned again.

        Parameters
        ----------
        rows : array-like of int or bool
            Numbers may repeat.

        Returns
        -------
        BinnedData

        Raises
        ------
        IndexError
            For a row out of range.
        """
        rows = np.arange(len(self))[np.asarray(rows, dtype=np.intp) if np.size(rows) == 0 else np.asarray(rows)]
        taken = copy.copy(self)
        taken._bins = kernels.take_rows(self._bins, rows)
        taken.shape = (len(rows), self.shape[1])
        return taken

    __getitem__ = take

    def dense_block(self, features, begin, end):
        """Values that some rows' codes of some features stand for."""
        return kernels.values(self._bins, features, begin, end)

    def check_bins_of(self, other):
        """ValueError unless the other rows, too, are binned, and by the same thresholds."""
        same = isinstance(other, BinnedData) and all(
            np.array_equal(ours, theirs)
            for ours, theirs in ((self._values, other._values), (self._offsets, other._offsets))
        )
        if not same:
            raise ValueError(
                "X_val: got binned data whose bins are not those of X, expected rows taken from one object"
            )

    def check_thresholds_of(self, trees):
        """ValueError unless each cut of the trees lies between two bins."""
        inner = trees["feature"] >= 0
        if (trees.get("category_set", np.int32(-1)) >= 0).any():
            raise ValueError("X: got binned data for a model with categorical features, expected the rows themselves")
        for feature in np.unique(trees["feature"][inner]):
            cuts = trees["threshold"][trees["feature"] == feature]
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
