"""From what users pass to what kernels read.

NumPy arrays of floats take a short path that makes scikit-learn's checks at the cost of a few attribute reads; anything
else goes through ``sklearn.utils.validation``. Finiteness is not checked by a pass of its own: a sum over data with a
NaN or an infinity is not finite, so kernels notice, and :func:`explain_not_finite` then raises scikit-learn's message.
"""

from dataclasses import dataclass
from operator import getitem

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from mlwright._kernels.linalg import as_design
from mlwright._runtime.errors import NumericalError

__all__ = [
    "Rows",
    "checked_weights",
    "class_codes",
    "explain_not_finite",
    "require_finite",
    "rows_for_fit",
    "rows_for_predict",
    "rows_that_weigh",
]

_FORMATS = ["csr", "csc", "coo"]
_COUNTED_LABELS = 1 << 16  # so far apart may integer labels lie to be counted
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-100, 1e100  # of the heaviest row


@dataclass(frozen=True, slots=True)
class Rows:
    """Validated training rows.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    design : what the kernels read, see ``as_design``
    y : float64 array of shape (n, t)
    w : float64 array of shape (n,), or None
    dtype : dtype of the fitted attributes, float32 for float32 X, else float64
    single_target : bool
        Whether y came with one dimension.
    """

    X: object
    design: object
    y: np.ndarray
    w: np.ndarray | None
    dtype: np.dtype
    single_target: bool

    @property
    def is_sparse(self):
        return isinstance(self.design, tuple)


def _is_plain(X, kinds="df"):
    return type(X) is np.ndarray and X.dtype.char in kinds


def _reset_features(estimator, n_features):
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = n_features


def checked_weights(sample_weight, X):
    """float64 weights of shape (n,), none negative; None stays None.

    Raises
    ------
    ValueError
        scikit-learn's; or where the heaviest row weighs next to nothing or more than sums bear. Weights far below it,
        and zeros, are numbers like any other.
    """
    if sample_weight is None:
        return None
    w = _weights_of_any_size(sample_weight, X)
    heaviest = w.max(initial=0.0)
    if heaviest > 0.0 and not _LEAST_WEIGHT <= heaviest <= _MOST_WEIGHT:
        raise ValueError(
            f"sample_weight: the largest is {heaviest:g}, expected one between {_LEAST_WEIGHT:g} and {_MOST_WEIGHT:g}, "
            "as sums of weighted squares are lost beyond; divide all weights by their mean, and what penalises by as "
            "much where it is weighed against the sum over the rows."
        )
    return w


def class_codes(y):
    """The distinct labels, ascending, and each label's place among them, an intp.

    Integers that lie close together are counted instead of sorted: of a million labels, milliseconds and not a tenth of
    a second.

    Parameters
    ----------
    y : array of shape (n,)

    Raises
    ------
    ValueError
        scikit-learn's, where y does not hold classes.
    TypeError
        For labels that cannot be sorted.
    """
    if y.dtype.kind in "biu" and len(y):
        low, high = int(y.min()), int(y.max())
        if high - low < _COUNTED_LABELS and high <= np.iinfo(np.intp).max:
            places = y.astype(np.intp, copy=False)
            if low != 0:
                places = places - low
            present = np.bincount(places, minlength=1) > 0
            classes = (np.flatnonzero(present) + low).astype(y.dtype)
            if 2 * len(classes) <= len(y):  # so few are classes without a doubt
                return classes, places if present.all() else (np.cumsum(present) - 1)[places]
    check_classification_targets(y)
    return np.unique(y, return_inverse=True)


def _weights_of_any_size(sample_weight, X):
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)


def rows_for_fit(estimator, X, y, sample_weight=None, *, reset=True, accept_sparse=True, multi_output=True):
    """Check training rows; not their finiteness where the short path applies (see the module's first lines).

    Parameters
    ----------
    estimator : object
    X, y, sample_weight : as users pass them
    reset : bool
        True at a first fit; False where the features must be those seen before.
    accept_sparse, multi_output : bool

    Returns
    -------
    Rows

    Raises
    ------
    ValueError, TypeError
        scikit-learn's, word for word.
    """
    short = (
        _is_plain(X)
        and X.ndim == 2
        and X.size > 0
        and type(y) is np.ndarray
        and y.dtype.char in "dflqi"
        and (y.ndim == 1 or (y.ndim == 2 and multi_output and y.shape[1] > 0))
        and len(y) == len(X)
    )
    if short and not reset:
        short = X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")
    if short:
        if reset:
            _reset_features(estimator, X.shape[1])
    else:
        X, y = validate_data(
            estimator,
            X,
            y,
            reset=reset,
            accept_sparse=_FORMATS if accept_sparse else False,
            dtype=[np.float64, np.float32],
            y_numeric=True,
            multi_output=multi_output,
        )
    w = checked_weights(sample_weight, X)
    single_target = y.ndim == 1
    y = np.asarray(y, dtype=np.float64)
    return Rows(X, as_design(X), y[:, None] if single_target else y, w, X.dtype, single_target)


def explain_not_finite(estimator, rows):
    """Raise scikit-learn's error for NaN or infinite data, or say that finite data overflow."""
    validate_data(
        estimator,
        rows.X,
        rows.y,
        reset=False,
        accept_sparse=_FORMATS,
        multi_output=True,
        skip_check_array=False,
    )
    raise NumericalError(
        f"{type(estimator).__name__}: finite data whose sums of squares overflow float64; expected magnitudes below "
        "1e300; divide X, y or sample_weight by a constant."
    )


def rows_for_predict(estimator, X, *, accept_sparse=True):
    """Check rows to predict: an array or a sparse matrix; on the short path the caller checks finiteness of the result.

    Returns
    -------
    X : ndarray or sparse matrix of shape (n, p)
    checked : bool
        Whether X is known to be finite.
    """
    if (
        _is_plain(X)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
    ):
        return X, False
    check_is_fitted(estimator)
    X = validate_data(
        estimator,
        X,
        reset=False,
        accept_sparse=_FORMATS if accept_sparse else False,
        dtype=[np.float64, np.float32],
    )
    return X, True


def rows_that_weigh(X, y, sample_weight, take=getitem, *, any_size=False):
    """Without rows of weight zero, which are no rows; weights that are all 1 as None.

    ``take(X, numbers)`` gives rows of X. ``any_size``: the caller sums no squares times weights, so these may be as
    small and as large as they like.
    """
    if sample_weight is None:
        return X, y, None
    weight = (_weights_of_any_size if any_size else checked_weights)(sample_weight, X)
    kept = np.flatnonzero(weight)
    if not len(kept):  # releases of scikit-learn before 1.9 let it pass
        raise ValueError("sample_weight: got nothing but zeros, expected at least one row that weighs something.")
    if len(kept) < len(weight):
        X, y, weight = take(X, kept), y[kept], weight[kept]
    return X, y, None if (weight == 1).all() else weight


def require_finite(estimator, X):
    """scikit-learn's error where X holds a NaN or an infinity; returns where it does not."""
    validate_data(estimator, X, reset=False, accept_sparse=sparse.issparse(X) and _FORMATS, dtype=None)
