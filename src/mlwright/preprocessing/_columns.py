"""Tables of any library as one list of typed columns.

The only file that knows data frames. Whatever comes in (pandas, polars, pyarrow, a NumPy array, nested lists), a column
goes out as one of four kinds, with its missing cells marked, so that the same table gives the same columns from every
library:

=============  ===========================================================  =====================================
kind           cells                                                        ``values``
=============  ===========================================================  =====================================
numeric        integers, floats, decimals; durations in seconds             float64 (n,), NaN where missing
boolean        true and false                                               float64 (n,) of 0 and 1, NaN likewise
categorical    strings, categories, enumerations                            list of n str
datetime       dates and times; with a zone as UTC, without one as written  int64 (n,), microseconds since 1970
empty          nothing: every cell is missing                               float64 (n,), all NaN
=============  ===========================================================  =====================================
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from numbers import Number
from typing import Any

import narwhals as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array

KINDS = ("numeric", "boolean", "categorical", "datetime", "empty")


@dataclass(frozen=True)
class Column:
    """One typed column; ``values`` is as in the table above, ``missing`` is a bool array (n,)."""

    name: str
    kind: str
    values: Any
    missing: np.ndarray


def as_table(X):
    """The narwhals view of a data frame, or None when X is no data frame."""
    if isinstance(X, nw.DataFrame):
        return X
    try:
        table = nw.from_native(X, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        names = sorted(re.findall(r"'(.*)' \d+ times", str(error)))
        raise _repeated(names) from None
    if isinstance(table, nw.LazyFrame):
        raise TypeError("X is a lazy table; a table with its rows in memory is needed. Call .collect() first.")
    return table if isinstance(table, nw.DataFrame) else None


def table_names(table):
    """Column names of a table, or None when they are not strings (pandas' default numbering)."""
    names = list(table.columns)
    are_text = {isinstance(name, str) for name in names}
    if are_text == {True, False}:
        raise TypeError(f"X has column names of different types, got {names}; name all columns by strings.")
    if are_text == {False}:
        return None
    seen = set()
    twice = sorted({name for name in names if name in seen or seen.add(name)})
    if twice:
        raise _repeated(twice)
    return names


def _repeated(names):
    return ValueError(f"X has more than one column named {', '.join(map(repr, names))}; names must be unique.")


def check_table_shape(table):
    """Refuse a table without rows or columns, in scikit-learn's words."""
    n_rows, n_columns = table.shape
    if n_columns == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape=({n_rows}, 0)) while a minimum of 1 is required.")
    if n_rows == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape=(0, {n_columns})) while a minimum of 1 is required.")


def table_columns(table, names):
    """The columns of a table, in its order, under the given names."""
    return [_series_column(name, series) for name, series in zip(names, table.iter_columns(), strict=True)]


def as_cells(X):
    """A checked 2-D array of whatever dtype X has; a nested list that mixes text and numbers keeps both."""
    if isinstance(X, (str, bytes, dict)) and not issparse(X):  # dok_array is a dict; check_array refuses it by name
        raise ValueError(
            f"X: got {type(X).__name__}. Reshape your data into rows and columns: a pandas, polars or pyarrow table, "
            "or an array; read files and convert dicts first, e.g. with polars.read_csv or polars.DataFrame."
        )
    array = check_array(X, dtype=None, ensure_all_finite=False)
    if array.dtype.kind in "US" and not hasattr(X, "dtype"):
        array = check_array(X, dtype=object, ensure_all_finite=False)
    return array


def array_columns(array, names):
    """The columns of a 2-D array; an object array is typed column by column."""
    return [_array_column(name, array[:, j]) for j, name in enumerate(names)]


def _series_column(name, series):
    dtype = series.dtype
    if dtype == nw.Object or dtype == nw.Unknown:
        return _cells_column(name, series.to_list())
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if missing.all():
        return _empty(name, missing)
    if dtype == nw.Boolean or dtype.is_numeric():
        kind = "boolean" if dtype == nw.Boolean else "numeric"
        return _float_column(name, kind, _to_float(series))
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return Column(name, "categorical", _texts(series), missing)
    if dtype in (nw.Date, nw.Datetime):
        # A Date has no time unit to count in, hence the cast; the count of a zoned time is in UTC.
        stamps = series.cast(nw.Datetime("us")) if dtype == nw.Date else series
        return Column(name, "datetime", _to_int(stamps.dt.timestamp("us"), missing), missing)
    if dtype == nw.Duration:
        microseconds = _to_int(series.dt.total_microseconds(), missing)
        return _float_column(name, "numeric", np.where(missing, np.nan, microseconds / 1e6))
    raise TypeError(
        f"column {name!r} holds {dtype}; an argument must be a string, a number, a boolean or a date in every cell. "
        "Convert the column or leave it out."
    )


def _texts(series):
    """Cells as text; pandas' categories by their own names: beside missing cells it makes "1.0" of the category 1."""
    if series.implementation.is_pandas_like() and series.dtype in (nw.Categorical, nw.Enum):
        cells = series.to_native().cat
        return np.append(cells.categories.astype(str).to_numpy(dtype=object), None)[np.asarray(cells.codes)].tolist()
    return series.cast(nw.String).to_list()


def _to_float(series):
    cells = series.cast(nw.Float64).to_numpy()
    return np.array(cells, dtype=np.float64)


def _to_int(series, missing):
    """int64 of an integer series with nulls; a null gives 0. Exact: no float64 in between."""
    return np.asarray(series.fill_null(0).to_numpy(), dtype=np.int64) if missing.any() else _plain_int(series)


def _plain_int(series):
    return np.asarray(series.to_numpy(), dtype=np.int64)


def _array_column(name, cells):
    kind = cells.dtype.kind
    if kind == "O":
        return _cells_column(name, cells.tolist())
    if kind in "US":
        return Column(name, "categorical", cells.astype(str).tolist(), np.zeros(len(cells), dtype=bool))
    if kind == "M":
        return _datetime_column(name, cells)
    if kind == "m":
        seconds = np.where(np.isnat(cells), np.nan, _microseconds(name, cells, "timedelta64[us]") / 1e6)
        return _float_column(name, "numeric", seconds)
    if kind in "biuf":
        return _float_column(name, "boolean" if kind == "b" else "numeric", cells.astype(np.float64))
    raise TypeError(f"column {name!r} has dtype {cells.dtype}; an argument must be a string or a number in every cell.")


def _cells_column(name, cells):
    """A column of Python objects, typed by what its present cells are."""
    missing = np.fromiter(map(is_missing, cells), dtype=bool, count=len(cells))
    if missing.all():
        return _empty(name, missing)
    types = {type(cell) for cell, gone in zip(cells, missing, strict=True) if not gone}
    if all(issubclass(t, bool | np.bool_) for t in types):
        return _float_column(name, "boolean", _cells_to_float(cells, missing))
    if all(issubclass(t, Number | Decimal | np.bool_) and not issubclass(t, complex) for t in types):
        return _float_column(name, "numeric", _cells_to_float(cells, missing))
    if all(issubclass(t, str) for t in types):
        return Column(name, "categorical", cells, missing)
    if all(issubclass(t, date | np.datetime64) for t in types):
        stamps = [np.datetime64("NaT") if gone else _utc(cell) for cell, gone in zip(cells, missing, strict=True)]
        return _datetime_column(name, np.array(stamps, dtype="datetime64[us]"))
    if any(issubclass(t, complex) for t in types):
        raise ValueError(f"column {name!r}: Complex data not supported")
    found = ", ".join(sorted(t.__name__ for t in types))
    raise TypeError(
        f"column {name!r} holds {found}; an argument must be a string, a number, a boolean or a date in every cell, "
        "and of one kind in a column. Convert the column or leave it out."
    )


def is_missing(cell):
    if cell is None:
        return True
    if isinstance(cell, float | np.floating | np.datetime64):
        return bool(cell != cell)
    return type(cell).__name__ in ("NAType", "NaTType")  # pandas' own marks, without importing pandas


def _cells_to_float(cells, missing):
    return np.array([np.nan if gone else float(cell) for cell, gone in zip(cells, missing, strict=True)])


def _utc(cell):
    zone = getattr(cell, "tzinfo", None)
    return np.datetime64((cell - cell.utcoffset()).replace(tzinfo=None) if zone else cell, "us")


def _datetime_column(name, stamps):
    missing = np.isnat(stamps)
    if missing.all():
        return _empty(name, missing)
    return Column(name, "datetime", np.where(missing, 0, _microseconds(name, stamps, "datetime64[us]")), missing)


def _microseconds(name, cells, unit):
    """Dates or durations as int64; ValueError for those that microseconds cannot count."""
    count = cells.astype(unit)
    if np.datetime_data(cells.dtype)[0] not in ("us", "ns", "ps", "fs", "as"):
        beyond = ~np.isnat(cells) & (count.astype(cells.dtype) != cells)
        if beyond.any():
            raise ValueError(
                f"column {name!r} holds {cells[beyond][0]}, more microseconds than an int64 counts; leave such cells "
                "missing."
            )
    return count.astype(np.int64)


def _float_column(name, kind, values):
    missing = np.isnan(values)
    return _empty(name, missing) if missing.all() else Column(name, kind, values, missing)


def _empty(name, missing):
    return Column(name, "empty", np.full(len(missing), np.nan), missing)


def take_rows(X, rows):
    """The given rows of a table or array, in its own library."""
    table = as_table(X)
    if table is None:
        return X[rows]
    return table[np.asarray(rows).tolist()].to_native()


def take_cells(column, rows):
    """A typed column of the given rows; one of nothing but missing cells is empty."""
    missing = column.missing[rows]
    if missing.all():
        return _empty(column.name, missing)
    values = column.values[rows] if isinstance(column.values, np.ndarray) else [column.values[i] for i in rows]
    return Column(column.name, column.kind, values, missing)


def permute_column(X, place, name, order):
    """X with the cells of one column in another order: found by name in a named table, by place otherwise."""
    table = as_table(X)
    if table is None:
        shuffled = X.copy()
        shuffled[:, place] = X[order, place]
        return shuffled
    name = name if name in table.columns else table.columns[place]
    return table.with_columns(table[name][np.asarray(order).tolist()].alias(name)).to_native()
