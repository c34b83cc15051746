"""Columns of X that name groups, and the effects that vary by them."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_array

from mlwright.preprocessing._category_levels import read_array, read_series
from mlwright.preprocessing._columns import as_table, check_table_shape, table_names

INTERCEPT = "intercept"


@dataclass(frozen=True)
class GroupTerm:
    """An effect that varies by a group.

    Attributes
    ----------
    name : str
        ``"intercept|school"``: what varies by what.
    slope : int or None
        Which of the numeric columns it is the coefficient of; None for the intercept.
    group : int
        Which of the grouping columns.
    """

    name: str
    slope: int | None
    group: int

    @property
    def record(self):
        return {"name": self.name, "slope": self.slope, "group": self.group}


def read_terms(subject, group_effects, names, n_features):
    """The places of the grouping columns, ascending, and the terms.

    ``group_effects`` is a list whose items are a grouping column (its intercepts), or pairs of what varies
    (``"intercept"`` or a column) and a grouping column; columns by name or place.
    """

    def place(column):
        if isinstance(column, str) and column in names:
            return names.index(column)
        if isinstance(column, int | np.integer) and not isinstance(column, bool) and 0 <= column < n_features:
            return int(column)
        expected = ", ".join(map(repr, names)) if names else f"a place from 0 to {n_features - 1}"
        raise ValueError(f"{subject}: group_effects names {column!r}, expected a column of X: {expected}.")

    pairs = [item if isinstance(item, tuple | list) else (INTERCEPT, item) for item in group_effects]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"{subject}: group_effects: got {group_effects!r}, expected grouping columns, or pairs of what varies and "
            "a grouping column; e.g. [('intercept', 'school'), ('hours', 'school')]."
        )
    pairs = [(None if what == INTERCEPT else place(what), place(group)) for what, group in pairs]
    groups = sorted({group for _, group in pairs})
    if any(what in groups for what, _ in pairs) or len(set(pairs)) < len(pairs):
        raise ValueError(
            f"{subject}: group_effects: got {group_effects!r}, expected each pair once, and slopes of columns that are "
            "numbers and name no groups."
        )
    numeric = [j for j in range(n_features) if j not in groups]
    label = names if names else [str(j) for j in range(n_features)]
    terms = tuple(
        GroupTerm(
            f"{INTERCEPT if what is None else label[what]}|{label[group]}",
            None if what is None else numeric.index(what),
            groups.index(group),
        )
        for what, group in pairs
    )
    return groups, terms


def column_names(X):
    """Of a data frame, else an empty list."""
    table = None if isinstance(X, np.ndarray) else as_table(X)
    return [] if table is None else (table_names(table) or [])


def cut(subject, X, groups):
    """The other columns as float64 (n, p), and the grouping ones as Coded, without missing cells."""
    table = None if isinstance(X, np.ndarray) else as_table(X)
    if table is None:
        X = np.asarray(X)
        numbers = np.delete(X, groups, axis=1)
        coded = [read_array(X[:, j], str(j)) for j in groups]
    else:
        check_table_shape(table)
        others = [j for j in range(len(table.columns)) if j not in groups]
        numbers = table[:, others].to_native() if others else np.zeros((len(table), 0))
        coded = [read_series(table[:, j], str(table.columns[j])) for j in groups]
    for j, column in zip(groups, coded, strict=True):
        if (column.codes < 0).any():
            row = int(np.argmax(column.codes < 0))
            raise ValueError(
                f"{subject}: the group of row {row} is missing in column {j}, expected one in every row; fill it, e.g. "
                "with a group of its own."
            )
    return check_array(numbers, dtype=np.float64, order="C", ensure_min_features=0), [column.used() for column in coded]


def levels_among(coded, known, name):
    """Places of cells among known levels, new ones counted on from there; and how many new ones there are."""
    coded.check_kind(known, name)
    places = coded.among(known)
    new = np.isnan(places)
    _, fresh = np.unique(coded.codes[new], return_inverse=True)
    places[new] = len(known) + fresh
    return places.astype(np.int64), int(fresh.max(initial=-1)) + 1
