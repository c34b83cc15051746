"""The levels of one categorical column, and its cells as codes: text or numbers, from arrays and every frame library.

A column is read as ``Coded``: which of its own distinct values each cell has. Fitting sorts those that occur into the
levels a model keeps (an object array of text, or float64 or int64 numbers, ascending); predicting looks the values of
a new column up in them. Work per cell is one table look-up; text is compared once a distinct value.
"""

from bisect import bisect_left
from dataclasses import dataclass
from numbers import Number

import narwhals as nw
import numpy as np

from mlwright.preprocessing._columns import is_missing

_EXACT = 2**53  # float64 holds every integer up to here


@dataclass(frozen=True)
class Coded:
    """Cells as places in ``values`` (all different: an object array of str, float64 or int64); -1 where missing."""

    codes: np.ndarray
    values: np.ndarray

    def used(self):
        """The same with the values that occur only, ascending."""
        present = np.flatnonzero(np.bincount(self.codes + 1, minlength=len(self.values) + 1)[1:])
        order = present[np.argsort(self.values[present], kind="stable")]
        if len(order) == len(self.values) and _is_range(order):
            return self
        places = np.full(len(self.values) + 1, -1)
        places[order] = np.arange(len(order))
        return Coded(places[self.codes], self.values[order])

    def check_kind(self, levels, name):
        """TypeError where these are text and the levels of the fit numbers, or the other way round."""
        if len(self.values) and len(levels) and _is_text(self.values) != _is_text(levels):
            kinds = [("text" if _is_text(v) else "numbers") for v in (self.values, levels)]
            raise TypeError(
                f"column {name!r}: got {kinds[0]}, expected {kinds[1]} as in fit; convert the column to what was fitted"
            )

    def among(self, levels):
        """Codes by the levels of a fit, float64; NaN where missing or not among them."""
        column = self.used() if len(self.codes) < len(self.values) else self
        places = np.append(_find(column.values, levels), np.nan)
        return places[column.codes]


def merged(known, new):
    """Levels of both, ascending."""
    if not len(known) or not len(new):
        return known if len(known) else new
    if _is_text(known):
        return np.array(sorted({*known.tolist(), *new.tolist()}), dtype=object)
    same = new.astype(known.dtype)  # integers beyond 2**53 beside fractions: what is not the same stays unknown
    return np.union1d(known, same[same == new])


def places_among(old, levels):
    """Where each of the old levels is among all of them."""
    return _find(old, levels).astype(np.int64)


def _is_range(places):
    """Whether places are 0, 1, 2, ...: nothing has to be looked up in them."""
    return bool((places == np.arange(len(places))).all())


def _is_text(values):
    return values.dtype.kind == "O"


def _find(values, levels):
    """The place of each value in the ascending levels, float64, NaN where it is not there."""
    if not len(levels):
        return np.full(len(values), np.nan)
    if _is_text(levels):
        known = levels.tolist()
        if len(values) * 16 < len(known):
            places = np.array([bisect_left(known, value) for value in values], dtype=np.int64)
        else:
            place_of = _places(known)
            places = np.array([place_of.get(value, 0) for value in values], dtype=np.int64)
    else:
        places = np.searchsorted(levels, values)
    places = np.minimum(places, len(levels) - 1).astype(np.int64)
    return np.where(levels[places] == values, places.astype(np.float64), np.nan)


def read_array(cells, name):
    """A column of a NumPy array of any dtype."""
    kind = cells.dtype.kind
    if kind in "biuf":
        return _numbers(cells)
    if kind in "US":
        values, codes = np.unique(cells.astype(str), return_inverse=True)
        return Coded(codes, values.astype(object))
    if kind == "O":
        return _objects(cells.tolist(), name)
    raise TypeError(f"column {name!r}: got dtype {cells.dtype}, expected text or numbers for a categorical column")


def read_series(series, name):
    """A column of a data frame, as narwhals shows it."""
    dtype = series.dtype
    if dtype == nw.Boolean or dtype.is_numeric():
        return _number_series(series)
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        codes, values = _dictionary(series)
        values = read_array(values, name)  # categories may be numbers, or equal to each other only as text
        if not _is_range(values.codes):
            codes = np.append(values.codes, -1)[codes]
        return Coded(codes, values.values)
    return _objects(series.to_list(), name)


def _dictionary(series):
    """Codes (-1: missing) and distinct values of a column of text or categories, without a look at each cell."""
    native = (series if series.dtype in (nw.Categorical, nw.Enum) else series.cast(nw.Categorical)).to_native()
    if series.implementation.is_pandas_like():
        return np.asarray(native.cat.codes, dtype=np.int64), native.cat.categories.to_numpy()
    if series.implementation.is_polars():
        values = native.drop_nulls().unique()
        places = np.full(int(values.to_physical().max() or 0) + 2, -1)  # the last place: of nulls
        places[values.to_physical().to_numpy()] = np.arange(len(values))
        codes = places[native.to_physical().cast(int).fill_null(len(places) - 1).to_numpy()]
        return codes, np.asarray(values.to_list(), dtype=object)
    chunk = native.combine_chunks()  # of pyarrow: a dictionary array, or several of equal dictionaries
    chunk = chunk if hasattr(chunk, "dictionary") else chunk.unify_dictionaries().chunk(0)
    codes = chunk.indices.cast("int64").fill_null(-1).to_numpy()
    return codes, np.asarray(chunk.dictionary.to_pylist(), dtype=object)


def _number_series(series):
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if series.dtype.is_integer():
        cells = _numbers(np.asarray(series.fill_null(0).to_numpy()))
        return Coded(np.where(missing, -1, cells.codes), cells.values)
    return _numbers(np.array(series.cast(nw.Float64).to_numpy(), dtype=np.float64))


def _numbers(cells):
    if cells.dtype.kind in "iu":
        _check_range(cells)
        cells = cells.astype(np.int64)
        low, high = (int(cells.min()), int(cells.max())) if len(cells) else (0, -1)
        if high - low <= 4 * len(cells):  # codes already, or nearly
            return Coded(cells - low, _plain(np.arange(low, high + 1)))
        values, codes = np.unique(cells, return_inverse=True)
        return Coded(codes, _plain(values))
    cells = cells.astype(np.float64) + 0.0  # one zero
    values, codes = np.unique(cells, return_inverse=True)  # NaN is one value, the last
    n = len(values) - int(len(values) > 0 and np.isnan(values[-1]))
    return Coded(np.where(codes == n, -1, codes), values[:n])


def _check_range(cells):
    if cells.dtype.kind == "u" and len(cells) and cells.max() > np.iinfo(np.int64).max:
        raise ValueError(f"X: got the category {cells.max()}, expected numbers below 2**63; make them text")


def _plain(integers):
    """float64 where that is exact: integers and floats of equal value are then one category."""
    exact = not len(integers) or max(abs(int(integers[0])), abs(int(integers[-1]))) <= _EXACT
    return integers.astype(np.float64 if exact else np.int64)


def _objects(cells, name):
    missing = np.fromiter(map(is_missing, cells), dtype=bool, count=len(cells))
    present = [cell for cell, gone in zip(cells, missing, strict=True) if not gone]
    codes = np.full(len(cells), -1)
    if all(isinstance(cell, str) for cell in present):
        values = sorted(set(present))
        places = _places(values)
        codes[~missing] = [places[cell] for cell in present]
        return Coded(codes, np.array(values, dtype=object))
    if all(isinstance(cell, Number | np.bool_) and not isinstance(cell, complex) for cell in present):
        numbers = _numbers(np.array(present))
        codes[~missing] = numbers.codes
        return Coded(codes, numbers.values)
    found = ", ".join(sorted({type(cell).__name__ for cell in present}))
    raise TypeError(
        f"column {name!r} holds {found}; an argument must be a string or a number in every cell of a categorical "
        "column, and of one kind. Convert the column or leave it out."
    )


def _places(values):
    return {value: place for place, value in enumerate(values)}
