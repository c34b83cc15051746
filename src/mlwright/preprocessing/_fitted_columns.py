"""Columns held to what ``fit`` saw: their kind, the range of the output dtype, their categories."""

import numpy as np

from mlwright.preprocessing._columns import Column


def as_fitted(column, kind):
    """The column as the kind it was fitted as, or a refusal. Nothing but missing cells fits every kind."""
    if column.kind == kind:
        return column
    if "empty" in (column.kind, kind):
        return _all_missing(column, kind)
    is_zero_or_one = column.kind == "numeric" and np.isin(column.values[~column.missing], (0.0, 1.0)).all()
    if (column.kind, kind) == ("boolean", "numeric") or (kind == "boolean" and is_zero_or_one):
        return Column(column.name, kind, column.values, column.missing)
    raise ValueError(
        f"column {column.name!r} is {column.kind}, but TableEncoder was fitted on a {kind} column of this name; "
        f"convert it to {kind}."
    )


def check_range(columns, dtype):
    """Refuse numbers that ``dtype`` cannot hold."""
    limit = min(np.finfo(dtype).max, np.finfo(np.float64).max / 4)  # differences are finite too
    for column in columns:
        if column.kind == "numeric" and (np.abs(column.values) > limit).any():
            raise ValueError(
                f"column {column.name!r} contains infinity or a value too large for {dtype}; "
                "replace such cells, by missing ones if need be."
            )


def check_known(columns, categories, rare_categories):
    """Refuse categories that are neither among those kept nor among those pooled, column by column."""
    for column, kept, rare in zip(columns, categories, rare_categories, strict=True):
        if column.kind != "categorical":
            continue
        present = (value for value, gone in zip(column.values, column.missing, strict=True) if not gone)
        unknown = sorted(set(present) - {*kept, *rare})
        if unknown:
            shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            raise ValueError(
                f"column {column.name!r} holds categories that TableEncoder was not fitted on: {shown}. "
                "Use handle_unknown='ignore' to encode them all the same."
            )


def _all_missing(column, kind):
    n_rows = len(column.missing)
    missing = np.ones(n_rows, dtype=bool)
    values = {"categorical": [None] * n_rows, "datetime": np.zeros(n_rows, dtype=np.int64)}.get(kind)
    return Column(column.name, kind, np.full(n_rows, np.nan) if values is None else values, missing)
