"""From what users pass to the float matrix that a forest reads."""

import numpy as np
from sklearn.utils.validation import _check_feature_names, _check_n_features, check_array, validate_data

_FLOATS = [np.float64, np.float32]
_FINITE = {"any": False, "nan": "allow-nan", "finite": True}


def features(estimator, X):
    """X checked as the source does, categories replaced by their positions."""
    if estimator._categories:
        return _recoded(estimator, X)
    if (
        type(X) is np.ndarray
        and X.dtype.char in "df"
        and X.ndim == 2
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and estimator._accepts == "any"
        and not hasattr(estimator, "feature_names_in_")
    ):
        return X
    columns = _category_columns(X)
    if columns:
        X = _coded(estimator, X, columns)
    return validate_data(estimator, X, dtype=_FLOATS, ensure_all_finite=_FINITE[estimator._accepts], reset=False)


def _category_columns(X):
    """Positions of the columns of a pandas table that hold categories."""
    if not hasattr(X, "iloc") or not hasattr(X, "columns"):
        return []
    return [j for j, dtype in enumerate(X.dtypes) if dtype == "category"]


def _coded(estimator, X, columns):
    """The table with categories replaced by their positions in the source's lists."""
    lists = estimator._table_categories
    if len(lists) != len(columns):
        known = f"has {len(lists)} such columns" if lists else "knows their codes only"
        raise ValueError(
            f"X: got {len(columns)} columns of categories ({list(X.columns[columns])!s:.100}); this model {known}; "
            "pass the codes as numbers, or the table as in training"
        )
    refuses = getattr(estimator, "_foreign_categories", "missing") == "refused"
    X = X.copy(deep=False)
    for j, values in zip(columns, lists, strict=True):
        X.isetitem(j, _places(X.iloc[:, j], values, refuses))
    return X


def _places(column, values, refuses):
    """Positions of a table's cells among the values; NaN for missing ones, and for others unless those are refused."""
    place = {value: float(i) for i, value in enumerate(values.tolist())}
    codes = np.array([place.get(value, np.nan) for value in column.cat.categories] + [np.nan])
    places = codes[column.cat.codes.to_numpy()]
    foreign = np.isnan(places) & column.notna().to_numpy()
    if refuses and foreign.any():
        raise ValueError(
            f"X: column {str(column.name)[:40]!r} holds the category {column.iloc[foreign.argmax()]!s:.40}, which the "
            "model was not trained with; expected one of its own, or a missing cell"
        )
    return places


def _recoded(estimator, X):
    """A float64 matrix in which category columns hold positions in the source's lists; NaN for unknown ones."""
    _check_feature_names(estimator, X, reset=False)
    X = check_array(X, dtype=None, ensure_all_finite=False)
    _check_n_features(estimator, X, reset=False)
    known = {part["column"]: part["values"] for part in estimator._categories}
    columns = [_positions(X[:, j], known[j]) if j in known else _numbers(X[:, j], j) for j in range(X.shape[1])]
    return np.stack(columns, axis=1)


def _numbers(column, j):
    try:
        return column.astype(np.float64)  # None becomes NaN
    except (TypeError, ValueError):
        raise ValueError(f"X: column {j} holds text; expected numbers, as in training") from None


def _positions(column, values):
    if values.dtype.kind == "O":
        place = {value: float(i) for i, value in enumerate(values)}
        return np.array([place.get(value, np.nan) if isinstance(value, str) else np.nan for value in column])
    column = _numbers(column, "of categories")
    place = np.searchsorted(values, column)
    inside = np.minimum(place, max(0, len(values) - 1))
    found = (values[inside] == column) if len(values) else np.zeros(len(column), dtype=bool)
    return np.where(found, place.astype(np.float64), np.nan)
