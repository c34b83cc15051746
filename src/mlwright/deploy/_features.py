"""From what users pass to the float matrix that a forest reads."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from mlwright.ensemble._boosting.category_tables import coded_by_levels
from mlwright.preprocessing._columns import as_table

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
    if columns or (estimator._table_categories and hasattr(X, "columns")):
        X = _coded(estimator, X, columns)
    if estimator.source_.startswith("LightGBM"):
        X = _named_as_written(estimator, X)
    absent = getattr(estimator, "_absent", "refused")
    X = validate_data(
        estimator,
        X,
        dtype=_FLOATS,
        ensure_all_finite=_FINITE[estimator._accepts],
        accept_sparse=False if absent == "refused" else ["csr", "csc"],
        reset=False,
    )
    return _StoredCells(X) if issparse(X) and absent == "missing" else X


def _named_as_written(estimator, X):
    """A table as it is, but for blanks in the names of columns, in whose place LightGBM's files have underscores."""
    table = as_table(X) if hasattr(X, "columns") and hasattr(estimator, "feature_names_in_") else None
    if table is None:
        return X
    names = {name: name.replace(" ", "_") for name in table.columns if isinstance(name, str)}
    if list(names) == list(estimator.feature_names_in_) or list(names.values()) != list(estimator.feature_names_in_):
        return X
    return table.rename(names).to_native()


class _StoredCells:
    """The rows of a sparse matrix, of which cells that are not stored are missing: dense a block at a time.

    As :func:`mlwright._kernels.tree_sparse.dense_blocks` takes them.
    """

    def __init__(self, X):
        self._rows, self.shape = X.tocsr(), X.shape
        if not self._rows.has_canonical_format:
            self._rows = self._rows.copy()
            self._rows.sum_duplicates()

    def dense_block(self, features, begin, end):
        cells = self._rows[begin:end, features].tocoo()
        block = np.full(cells.shape, np.nan, dtype=cells.dtype)
        block[cells.row, cells.col] = cells.data
        return block

    def toarray(self):
        return self.dense_block(np.arange(self.shape[1]), 0, self.shape[0])


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
            f"X: got {len(columns)} columns of categories ({[X.columns[j] for j in columns]!s:.100}); this model "
            f"{known}; pass the table of pandas as in training, or an array of the codes"
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
    """A matrix in which category columns hold positions in the source's lists; NaN for unknown ones."""
    known = {part["column"]: part["values"] for part in estimator._categories}
    mask = np.isin(np.arange(estimator.n_features_in_), list(known))
    return coded_by_levels(estimator, X, mask, [known[j] for j in np.flatnonzero(mask)])
