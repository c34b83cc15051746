"""The columns of what a TableEncoder is given: remembered in ``fit``, held to afterwards."""

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from mlwright._validation import checked_weights
from mlwright.base import as_fitted as parameter_as_fitted
from mlwright.preprocessing._columns import (
    array_columns,
    as_cells,
    as_table,
    check_table_shape,
    table_columns,
    table_names,
    take_cells,
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
    _check_any_cell(columns)
    check_range(columns, encoder.dtype)
    return columns


def weights_of(sample_weight, n_rows):
    """float64 (n_rows,), none below 0; or None."""
    return checked_weights(sample_weight, np.empty((n_rows, 1)))


def rows_that_weigh(columns, targets, weight):
    """Columns, targets and weights without rows of weight zero, which are no rows."""
    if weight is None or (weight > 0).all():
        return columns, targets, weight
    rows = np.flatnonzero(weight)
    columns = [take_cells(column, rows) for column in columns]
    _check_any_cell(columns)
    return columns, None if targets is None else targets[rows], weight[rows]


def _check_any_cell(columns):
    if all(column.kind == "empty" for column in columns):
        raise ValueError("X has no cell that is not missing; at least one column must hold something.")


def new_targets(encoder, y, n_rows):
    """The classes of y, if any, and what target means are of, (n_rows, n_targets); None for other encodings."""
    if encoder.categories != "target":
        return np.empty(0), None
    if y is None:
        raise ValueError("TableEncoder with categories='target' requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=False)
    if len(y) != n_rows:
        check_consistent_length(np.empty(n_rows), y)
    kind = encoder.target_type
    if kind == "auto":
        with np.errstate(invalid="ignore"):  # of a cast to integers, for large numbers
            kind = type_of_target(y, input_name="y")
    if kind not in ("continuous", "binary", "multiclass"):
        raise ValueError(f"Unknown label type: {kind}; target means need a continuous, binary or multiclass y.")
    if kind == "continuous":
        targets = y.astype(np.float64)[:, None]
        if not np.isfinite(targets).all():
            raise ValueError("Input y contains NaN or infinity; leave these rows out.")
        return np.empty(0), targets
    from sklearn.preprocessing import LabelBinarizer

    binarizer = LabelBinarizer().fit(y)
    return binarizer.classes_, binarizer.transform(y).astype(np.float64)


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
