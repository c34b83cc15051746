"""Rows that come in batches: arrays in tuples, data frames, Arrow batches, Parquet files."""

from os import PathLike, fspath

import numpy as np

_ROWS_AT_ONCE = 65_536  # of a Parquet file


def batches_of(source):
    """An iterator of batches: of a Parquet file, of what has ``to_batches`` (tables, datasets), or of an iterable."""
    if isinstance(source, str | PathLike):
        parquet = _pyarrow("parquet")
        return parquet.ParquetFile(fspath(source)).iter_batches(batch_size=_ROWS_AT_ONCE)
    to_batches = getattr(source, "to_batches", None)
    try:
        return iter(to_batches() if callable(to_batches) else source)
    except TypeError as error:
        raise TypeError(
            f"fit_stream: got {type(source).__name__}, expected an iterable of batches, a pyarrow table, dataset or "
            "reader, or the path of a Parquet file."
        ) from error


def parts_of(batch, number, target, sample_weight):
    """X, y and weights of one batch; `number` is for messages."""
    if target is None:
        if sample_weight is not None:
            raise ValueError(
                f"fit_stream: got sample_weight={sample_weight!r:.80} without target, expected weights in the tuples: "
                "(X, y, sample_weight); of tables, name the column of y by target."
            )
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise ValueError(
                f"fit_stream: batch {number} is a {type(batch).__name__}, expected (X, y) or (X, y, sample_weight); of "
                "tables, name the column of y by target."
            )
        return (*batch, None)[:3]
    targets = [target] if isinstance(target, str) else list(target)
    weights = [] if sample_weight is None else [sample_weight]
    table = _table(batch, number, [*targets, *weights])
    X = table.drop([*targets, *weights]).to_native()
    y = table[target].to_numpy() if isinstance(target, str) else table.select(targets).to_numpy()
    return X, y, None if sample_weight is None else table[sample_weight].to_numpy()


def rows_of(batch, number, sample_weight):
    """X and weights of one batch without a target."""
    if sample_weight is not None:
        table = _table(batch, number, [sample_weight])
        return table.drop([sample_weight]).to_native(), table[sample_weight].to_numpy()
    if isinstance(batch, tuple):
        if len(batch) not in (2, 3):
            raise ValueError(
                f"fit_stream: batch {number} is a tuple of {len(batch)}, expected X, (X, y) or (X, y, sample_weight)."
            )
        return batch[0], (*batch, None)[2]
    return _plain_arrow(batch), None


def _table(batch, number, wanted):
    """The narwhals view of a batch that has the wanted columns."""
    import narwhals as nw

    try:
        table = nw.from_native(_plain_arrow(batch), eager_only=True)
    except TypeError as error:
        raise TypeError(
            f"fit_stream: batch {number} is a {type(batch).__name__}, expected a table of pandas, polars or pyarrow."
        ) from error
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise ValueError(f"fit_stream: batch {number} has no column {missing[0]!r}, it has {table.columns}.")
    if len(table.columns) == len(set(wanted)):
        raise ValueError(f"fit_stream: batch {number} has no column beside {table.columns}, expected features.")
    return table


def _plain_arrow(batch):
    """A pyarrow table of a record batch; anything else as it is."""
    is_record_batch = hasattr(batch, "schema") and hasattr(batch, "to_pydict") and not hasattr(batch, "to_batches")
    return _pyarrow().Table.from_batches([batch]) if is_record_batch else batch


def has_no_rows(X, y, w):
    """Whether a batch is an empty one, as filters of tables leave them, or one whose rows all weigh nothing."""
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    if n == 0:
        return y is None or len(y) == 0
    w = np.asarray(w)
    return w.shape == (n,) and w.dtype.kind in "biuf" and not w.any()  # the rest is for the checks of weights


def _pyarrow(part=None):
    try:
        import pyarrow

        if part is None:
            return pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("fit_stream: Parquet files and Arrow batches need pyarrow; pip install pyarrow.") from error
    return parquet
