"""Hypothesis tables with mixed columns and missing cells, and the same table in each data-frame library.

A table here is a dict of column name -> (kind of cells, list of cells with None where missing); the libraries are only
imported by the function that names them.
"""

from datetime import datetime

from hypothesis import strategies as st

__all__ = ["LIBRARIES", "as_arrow", "as_pandas", "as_pandas_objects", "as_polars", "n_rows", "tables", "take"]

_CELLS = {
    "numeric": st.floats(-1e6, 1e6, allow_subnormal=False),
    "integer": st.integers(-(2**40), 2**40),
    "boolean": st.booleans(),
    "text": st.sampled_from(["red", "green", "", "Ünï", "a_b"]) | st.text(st.characters(codec="ascii"), max_size=3),
    "when": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
}


@st.composite
def tables(draw, min_rows=2, max_rows=12):
    """Tables of one to five columns, each with at least one present cell."""
    n_rows = draw(st.integers(min_rows, max_rows))
    kinds = draw(st.lists(st.sampled_from(sorted(_CELLS)), min_size=1, max_size=5))
    table = {}
    for j, kind in enumerate(kinds):
        cells = draw(st.lists(st.none() | _CELLS[kind], min_size=n_rows, max_size=n_rows))
        cells[draw(st.integers(0, n_rows - 1))] = draw(_CELLS[kind])
        table[f"{kind}{j}"] = (kind, cells)
    return table


def n_rows(table):
    return len(next(iter(table.values()))[1])


def take(table, rows):
    """The given rows of a table."""
    return {name: (kind, [cells[i] for i in rows]) for name, (kind, cells) in table.items()}


def as_pandas(table):
    """pandas, with its nullable types."""
    import pandas as pd

    types = {"numeric": "float64", "integer": "Int64", "boolean": "boolean", "text": "str", "when": "datetime64[us]"}
    return pd.DataFrame({name: pd.Series(cells, dtype=types[kind]) for name, (kind, cells) in table.items()})


def as_pandas_objects(table):
    """pandas, with columns of Python objects."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, (_, cells) in table.items()})


def as_polars(table):
    import polars as pl

    types = {
        "numeric": pl.Float64,
        "integer": pl.Int64,
        "boolean": pl.Boolean,
        "text": pl.String,
        "when": pl.Datetime("us"),
    }
    return pl.DataFrame([pl.Series(name, cells, dtype=types[kind]) for name, (kind, cells) in table.items()])


def as_arrow(table):
    import pyarrow as pa

    types = {
        "numeric": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "text": pa.string(),
        "when": pa.timestamp("us"),
    }
    return pa.table({name: pa.array(cells, type=types[kind]) for name, (kind, cells) in table.items()})


LIBRARIES = {"pandas": as_pandas, "pandas objects": as_pandas_objects, "polars": as_polars, "pyarrow": as_arrow}
