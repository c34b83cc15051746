"""The columns of what a TableEncoder is given: remembered in ``fit``, held to afterwards."""

import numpy as np
from sklearn.utils.validation import validate_data

from mlwright.base import as_fitted as parameter_as_fitted
from mlwright.preprocessing._columns import (
    array_columns,
    as_cells,
    as_table,
    check_table_shape,
    table_columns,
    table_names,
)
from mlwright.preprocessing._fitted_columns import as_fitted, check_known, check_range


def new_columns(encoder, X):
    """The columns of X; the encoder remembers their number and, of a named table, their names."""
    table = as_table(X)
    names = None if table is None else table_names(table)
    if names is None:
        cells = as_cells(X) if table is None else None
        validate_data(encoder, X if cells is None else cells, reset=True, skip_check_array=True)
        names = [f"x{j}" for j in range(encoder.n_features_in_)]
        columns = array_columns(cells, names) if table is None else table_columns(table, names)
    else:
        check_table_shape(table)
        encoder.feature_names_in_ = np.array(names, dtype=object)
        encoder.n_features_in_ = len(names)
        columns = table_columns(table, names)
    if all(column.kind == "empty" for column in columns):
        raise ValueError("X has no cell that is not missing; at least one column must hold something.")
    check_range(columns, encoder.dtype)
    return columns


def known_columns(encoder, X):
    """The columns of X that ``fit`` saw, in its order, each checked against its kind."""
    table = as_table(X)
    names = None if table is None else table_names(table)
    if names is not None and hasattr(encoder, "feature_names_in_"):
        check_table_shape(table)
        expected = encoder.feature_names_in_.tolist()
        absent = [name for name in expected if name not in set(names)]
        if absent:
            raise ValueError(
                f"X lacks {len(absent)} of the columns that TableEncoder was fitted on: "
                f"{', '.join(map(repr, absent))}. Add them; their cells may be missing."
            )
        columns = table_columns(table.select(expected), expected)
    else:
        cells = as_cells(X) if table is None else X
        validate_data(encoder, cells, reset=False, skip_check_array=True)
        expected = input_names(encoder, None).tolist()
        columns = array_columns(cells, expected) if table is None else table_columns(table, expected)
    columns = [as_fitted(column, kind) for column, kind in zip(columns, encoder.kinds_, strict=True)]
    check_range(columns, parameter_as_fitted(encoder, "dtype"))
    if parameter_as_fitted(encoder, "handle_unknown") == "error":
        check_known(columns, encoder.categories_, encoder.rare_categories_)
    return columns


def input_names(encoder, input_features):
    """Names of the input columns, ``input_features`` where they fit; x0, x1, ... where there are none."""
    fitted = getattr(encoder, "feature_names_in_", None)
    if input_features is None:
        default = np.array([f"x{j}" for j in range(encoder.n_features_in_)], dtype=object)
        return default if fitted is None else fitted
    names = np.asarray(input_features, dtype=object)
    if fitted is not None and not np.array_equal(fitted, names):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(names) != encoder.n_features_in_:
        raise ValueError(f"input_features should have length equal to number of features ({encoder.n_features_in_})")
    return names
