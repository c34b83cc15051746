"""Tables with categorical features as one matrix: numbers as they are, categories as places among known levels.

A categorical cell becomes the place of its level among those of the fit, NaN where it is missing or a level that the
fit did not see. The levels are fitted state, so a saved model codes again what it is given, whatever order or library
the categories come in.
"""

from itertools import pairwise

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_categorical_features, check_array, validate_data

from mlwright._runtime.errors import ModelFormatError
from mlwright.preprocessing._category_levels import merged, read_array, read_series
from mlwright.preprocessing._columns import as_table, check_table_shape, table_names

FLOATS = [np.float64, np.float32]
COMPRESSED = ["csr", "csc"]
_EXACT_IN_FLOAT32 = 1 << 24


def coded_for_fit(estimator, X):
    """X as float32 or float64, of any strides; sets ``is_categorical_``, ``_levels`` and what is known of features."""
    mask = _categorical_mask(X, estimator.categorical_features)
    if mask is None or not mask.any():
        estimator.is_categorical_, estimator._levels = None, []
        return validate_data(estimator, X, dtype=FLOATS, ensure_all_finite=False, accept_sparse=COMPRESSED)
    columns = _Columns(X)
    coded = {j: columns.coded(j).used() for j in np.flatnonzero(mask)}
    levels = [c.values for c in coded.values()]
    matrix = columns.matrix(mask, {j: np.where(c.codes < 0, np.nan, c.codes) for j, c in coded.items()}, levels)
    validate_data(estimator, X, skip_check_array=True)
    estimator.is_categorical_, estimator._levels = mask, levels
    return matrix


def coded_as_fitted(estimator, X):
    """The same by the levels of the fit."""
    return coded_by_levels(estimator, X, estimator.is_categorical_, estimator._levels)


def coded_by_levels(estimator, X, mask, levels):
    """The same of an estimator whose features of ``mask`` are categorical and have these levels."""
    return _coded_by(estimator, X, mask, levels, lambda known, column: known)[0]


def coded_with_new_levels(estimator, X):
    """The same by the levels of the fit and those that X brings; also all of these levels."""
    mask, known = estimator.is_categorical_, estimator._levels
    return _coded_by(estimator, X, mask, known, lambda known, column: merged(known, column.used().values))


def _coded_by(estimator, X, mask, of_fit, levels_for):
    columns = _Columns(X)
    validate_data(estimator, X, skip_check_array=True, reset=False)
    codes, levels = {}, []
    for j, known in zip(np.flatnonzero(mask), of_fit, strict=True):
        column = columns.coded(j)
        column.check_kind(known, columns.names[j])
        levels.append(levels_for(known, column))
        codes[j] = column.among(levels[-1])
    return columns.matrix(mask, codes, levels), levels


def is_by_dtype(categorical_features):
    """Whether the dtypes of a frame's columns say which are categories."""
    return isinstance(categorical_features, str) and categorical_features == "from_dtype"


def _categorical_mask(X, categorical_features):
    """Whether each feature is categorical, or None; text columns of a frame are, like categories, by their dtype."""
    table = as_table(X) if is_by_dtype(categorical_features) and not issparse(X) else None
    if table is not None:
        import narwhals as nw

        text = (nw.Categorical, nw.Enum, nw.String)
        neither = (nw.Date, nw.Datetime, nw.Duration, nw.Time, nw.List, nw.Array, nw.Struct)
        for name, dtype in table.schema.items():
            if dtype in neither:
                raise TypeError(
                    f"X: column {name!r} holds {dtype}, expected numbers, text or categories; convert it (of dates, "
                    "mlwright.preprocessing.TableEncoder makes numbers) or leave it out"
                )
        return np.array([dtype in text for dtype in table.schema.dtypes()], dtype=bool)
    return _check_categorical_features(X, categorical_features)


class _Columns:
    """The columns of a frame, an array or nested lists."""

    def __init__(self, X):
        if issparse(X):
            raise TypeError(
                "X: got a sparse matrix with categorical_features, expected a data frame or an array; sparse columns "
                "hold numbers, so pass categorical_features=None or X.toarray()"
            )
        self._table = as_table(X)
        if self._table is None:
            self._array = check_array(X, dtype=None, ensure_all_finite=False)
            if self._array.dtype.kind in "US" and not hasattr(X, "dtype"):
                self._array = check_array(X, dtype=object, ensure_all_finite=False)  # lists of text and numbers
            self.n, self.names = len(self._array), [str(j) for j in range(self._array.shape[1])]
        else:
            check_table_shape(self._table)
            self.n = len(self._table)
            self.names = table_names(self._table) or [str(name) for name in self._table.columns]

    def coded(self, j):
        if self._table is None:
            return read_array(self._array[:, j], self.names[j])
        return read_series(self._table[:, int(j)], self.names[j])

    def matrix(self, mask, codes, levels):
        """Numbers of the numeric columns and the given codes of the others, one column after another."""
        numbers = self._numbers(np.flatnonzero(~mask))
        narrow = (numbers is None or numbers.dtype == np.float32) and max(map(len, levels)) < _EXACT_IN_FLOAT32
        matrix = np.empty((self.n, len(mask)), dtype=np.float32 if narrow else np.float64, order="F")
        if numbers is not None:
            matrix[:, ~mask] = numbers
        for j, of_column in codes.items():
            matrix[:, j] = of_column
        return matrix

    def _numbers(self, places):
        if not len(places):
            return None
        part = self._array[:, places] if self._table is None else self._table[:, places.tolist()].to_native()
        return check_array(part, dtype=FLOATS, ensure_all_finite=False)


def check_levels(estimator):
    """Raise ModelFormatError unless the levels, maybe from a stranger's file, are ascending, one array a feature."""
    n = 0 if estimator.is_categorical_ is None else int(np.count_nonzero(estimator.is_categorical_))
    good = len(estimator._levels) == n
    for levels in estimator._levels:
        good = good and levels.ndim == 1 and all(a < b for a, b in pairwise(levels))
    if not good:
        raise ModelFormatError(
            f"{type(estimator).__name__}: got levels that do not fit its {n} categorical features, expected one "
            "ascending array each; the model is damaged"
        )
