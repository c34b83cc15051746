"""Statistics of every training and test set of a cross-validation, each row read once where folds do not overlap."""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import as_design

_MOST_KEPT = 1 << 30  # bytes of statistics of parts kept at once


@dataclass(frozen=True, slots=True)
class FoldSums:
    """Statistics of all rows, and of the training and the test rows of each fold; None where a sum is not finite."""

    whole: FoldStatistics | None
    train: list
    test: list


def fold_sums(rows, folds):
    """Statistics of `rows` (all of them, and by fold); `folds` is a list of pairs of row numbers, train and test.

    A training set that is the complement of its test set is the sum of the other test sets: sums, never differences, so
    that no digit is lost.
    """
    n, p = rows.X.shape
    taken = _RowTaker(rows)
    small = 8 * (p + 1) ** 2 * 3 * len(folds) <= _MOST_KEPT
    if not (small and _is_partition(folds, n)):
        return FoldSums(taken.all(), [taken(train) for train, _ in folds], [taken(test) for _, test in folds])
    test = [taken(part) for _, part in folds]
    if any(part is None for part in test):
        return FoldSums(None, [], [])
    before, after = _running(test), _running(test[::-1])[::-1]
    train = [_sum(before[k - 1] if k else None, after[k + 1] if k + 1 < len(test) else None) for k in range(len(test))]
    return FoldSums(before[-1], train, test)


class _RowTaker:
    def __init__(self, rows):
        self.X = rows.X.tocsr() if rows.is_sparse else rows.X
        self.y, self.w = rows.y, rows.w

    def __call__(self, index):
        return self._of(_as_slice(index))

    def all(self):
        return self._of(slice(None))

    def _of(self, at):
        return FoldStatistics.of_rows(as_design(self.X[at]), self.y[at], None if self.w is None else self.w[at])


def _as_slice(index):
    """A run of rows as a slice, so that its rows are not copied."""
    if len(index) and index[-1] - index[0] + 1 == len(index) and (np.diff(index) == 1).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def _is_partition(folds, n):
    """Does every row belong to exactly one test set, and is each training set the complement of its test set?"""
    if len(folds) < 2 or sum(len(test) for _, test in folds) != n:
        return False
    seen = np.zeros(n, dtype=np.int64)
    for k, (_, test) in enumerate(folds):
        seen[test] = k + 1
    sizes = np.bincount(seen, minlength=len(folds) + 1)
    if sizes[0]:
        return False
    return all(
        sizes[k + 1] == len(test) == n - len(train) and _are_the_others(train, seen, k + 1)
        for k, (train, test) in enumerate(folds)
    )


def _are_the_others(train, seen, fold):
    """Is each row of another fold in `train`, once? Their number is known to be right."""
    there = np.zeros(len(seen), dtype=bool)
    there[train] = True
    return bool((there == (seen != fold)).all())


def _sum(a, b):
    return b if a is None else a if b is None else a.merged(b)


def _running(parts):
    sums = [parts[0]]
    for part in parts[1:]:
        sums.append(sums[-1].merged(part))
    return sums
