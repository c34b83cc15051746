"""Tables in files: reading, and saying what was found."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mlwright.cli._errors import CommandError
from mlwright.preprocessing._columns import table_columns

MISSING_WORDS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".pq")


@dataclass(frozen=True)
class Finding:
    """What a column was found to be."""

    name: str
    kind: str
    n_missing: int
    n_different: int
    example: str


def is_table_name(path):
    """Whether a file is a table by its name."""
    return path.name.lower().endswith(_SUFFIXES)


def read_table(path, text_columns=()):
    """Read CSV (also gzipped; comma, semicolon or tab) or Parquet.

    Parameters
    ----------
    path : Path
    text_columns : sequence of str
        Columns of a CSV file to take as text, whatever they look like.

    Returns
    -------
    polars.DataFrame
    """
    if not path.exists():
        raise CommandError(f"{path}: no such file; give the path of a CSV, CSV.gz or Parquet table")
    if not path.is_file():
        raise CommandError(f"{path}: is no file; give the path of a CSV, CSV.gz or Parquet table")
    if not path.name.lower().endswith(_SUFFIXES):
        raise CommandError(f"{path}: unknown kind of table; expected a name that ends in {', '.join(_SUFFIXES)}")
    try:
        table = _read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _read_csv(path, text_columns)
    except (pl.exceptions.PolarsError, gzip.BadGzipFile, EOFError, UnicodeDecodeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CommandError(f"{path}: cannot be read as a table: {reason}") from None
    if table.height == 0 or table.width == 0:
        raise CommandError(f"{path}: the table is empty ({table.height} rows, {table.width} columns)")
    return table


def _read_parquet(path):
    return pl.read_parquet(path)


def _read_csv(path, text_columns):
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if not content.strip():
        raise CommandError(f"{path}: the file is empty; a table needs a line of column names and rows")
    if b"\0" in content[:4096]:
        raise CommandError(f"{path}: is no text; expected CSV")
    header = content.split(b"\n", 1)[0].decode("utf-8", errors="strict")
    return pl.read_csv(
        content,
        separator=max(",;\t", key=header.count),
        null_values=MISSING_WORDS,
        infer_schema_length=None,
        try_parse_dates=True,
        schema_overrides=dict.fromkeys(text_columns, pl.String),
    )


def findings(table):
    """What each column of a table is.

    Returns
    -------
    list of Finding

    Raises
    ------
    CommandError
        For a column that is neither numbers, booleans, text nor dates.
    """
    try:
        columns = table_columns(_narwhals(table), table.columns)
    except TypeError as error:
        raise CommandError(str(error)) from None
    return [_finding(column, table[column.name]) for column in columns]


def _narwhals(table):
    import narwhals as nw

    return nw.from_native(table, eager_only=True)


def _finding(column, series):
    present = series.drop_nulls()
    example = "" if present.is_empty() else str(present[0])
    return Finding(
        name=column.name,
        kind=column.kind,
        n_missing=int(np.count_nonzero(column.missing)),
        n_different=present.n_unique(),
        example=example if len(example) <= 24 else example[:23] + "…",
    )


def write_table(table, path: Path):
    """Write CSV or, by the name, Parquet."""
    if path.suffix.lower() in (".parquet", ".pq"):
        table.write_parquet(path)
    else:
        table.write_csv(path)


def check_writable(path: Path, option: str):
    """Refuse a place that cannot be written to, before the work and not after it."""
    if path.is_dir():
        raise CommandError(f"{option} {path}: is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise CommandError(f"{option} {path}: the folder {path.parent} does not exist; create it first")
