"""Folds of rows that come in a stream: a row's fold follows from what stands in the row.

Neither the order of rows nor how they are batched matters then, models of parts of the rows add up, and a row that is
to be forgotten is found where it was put. Equal rows share a fold, so a weight is a repetition, and no row is tested by
a model that was fitted on its double. See docs/decisions/streamed-folds.md.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.sgd import as_rows, row_keys
from mlwright._validation import explain_not_finite

_SAME_WEIGHT = 1e-9  # relative: what the order of a sum of weights may change


def content_keys(a):
    """A 64-bit number for each row of an array or sparse matrix, by its values as doubles alone."""
    return row_keys(as_rows(a), np.zeros(a.shape[0]))


def fold_numbers(keys, n_folds, w=None):
    """The fold of each row, 0 to ``n_folds - 1``, by its key, the sum of those of its features and targets.

    Rows of weight zero are no rows: they are in fold -1. Otherwise the weight has no part in it.
    """
    number = ((keys >> np.uint64(32)) * np.uint64(n_folds) >> np.uint64(32)).astype(np.int64)
    return number if w is None else np.where(w > 0.0, number, -1)


@dataclass(frozen=True, slots=True)
class ContentFolds:
    """Statistics of the rows of each fold.

    Attributes
    ----------
    parts : tuple of FoldStatistics or None
        None for a fold none of whose rows has a weight.
    """

    parts: tuple

    @classmethod
    def of_rows(cls, model, rows, number, n_folds):
        """From `Rows` and their fold numbers, of which not all are -1."""
        sets = [np.flatnonzero(number == k) for k in range(n_folds)]
        filled = [k for k, members in enumerate(sets) if len(members)]
        parts = [None] * n_folds
        sums = FoldStatistics.of_sets(rows.design, rows.y, rows.w, [sets[k] for k in filled])
        if sums is None:
            explain_not_finite(model, rows)
        for k, part in zip(filled, sums, strict=True):
            parts[k] = part
        return cls(tuple(parts))

    def merged(self, other):
        """Of both sets of rows together."""
        return type(self)(tuple(_sum(a, b) for a, b in self._pairs(other)))

    def without(self, other):
        """Of what is left when the rows of `other`, which must be among these, are taken out."""
        return type(self)(tuple(_difference(a, b) for a, b in self._pairs(other)))

    @property
    def filled(self):
        """The parts that have rows."""
        return [part for part in self.parts if part is not None]

    def enough(self, model):
        """The parts that have rows; ValueError where those are fewer than two."""
        parts = self.filled
        if len(parts) < 2:
            raise ValueError(
                f"{type(model).__name__}: the rows seen fall into {len(parts)} of {len(self.parts)} folds (a row's "
                "fold follows from its values), expected rows in two at least to choose a penalty by; begin with more "
                "rows that differ."
            )
        return parts

    def _pairs(self, other):
        if len(self.parts) != len(other.parts):
            raise ValueError(
                f"cv: got rows in {len(other.parts)} folds, expected {len(self.parts)} as of the rows seen before; use "
                "one cv for all of them."
            )
        return zip(self.parts, other.parts, strict=True)


def _sum(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a.merged(b)


def _difference(a, b):
    if b is None:
        return a
    if a is not None:
        if a.n_rows == b.n_rows and abs(a.weight - b.weight) <= _SAME_WEIGHT * a.weight:
            return None
        if a.n_rows > b.n_rows and a.weight > b.weight:
            return a.without(b)
    seen = "no row" if a is None else f"{a.n_rows} rows of weight {a.weight:g}"
    raise ValueError(
        f"forget: got {b.n_rows} rows of weight {b.weight:g} of a fold of which the model has {seen}; expected rows "
        "that it was fitted on, to the last bit, and with the weights they had."
    )
