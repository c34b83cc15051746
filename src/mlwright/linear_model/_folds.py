"""Cross-validation splits by statistics: every row of X is read once, training sets are sums.

Splitters of scikit-learn name training and test rows. Rows that are on the same side in every split form a cell; the
statistics of the cells come from one pass, and a training or a test set is the sum of its cells. K folds that partition
the rows have K cells, expanding windows K + 1. Splits without such structure (repeated, shuffled, bootstrap) get the
statistics of each set from its own rows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.model_selection import check_cv

from mlwright._kernels.fold_statistics import FoldStatistics, all_but_one, merged
from mlwright._validation import explain_not_finite

_CELLS_A_SPLIT = 2  # more cells than twice the splits cost more to add up than the rows do to read again


@dataclass(frozen=True)
class Splits:
    """Training and test rows of every split.

    Attributes
    ----------
    n_rows : int
    train, test : lists of int arrays
    """

    n_rows: int
    train: list
    test: list

    @classmethod
    def of(cls, cv, X, y, *, classifier=False, **split_params):
        """From scikit-learn's `cv` parameter: None, a number, a splitter, or an iterable of pairs."""
        n = X.shape[0]
        pairs = list(check_cv(cv, y, classifier=classifier).split(X, y, **split_params))
        if not pairs:
            raise ValueError("cv: got no split, expected at least one pair of training and test rows.")
        train, test = ([_numbers(pair[i], n, k) for k, pair in enumerate(pairs)] for i in (0, 1))
        for k, sets in enumerate(zip(train, test, strict=True)):
            if min(map(len, sets)) == 0:
                raise ValueError(
                    f"cv: split {k} has {len(sets[0])} training and {len(sets[1])} test rows, expected at least one "
                    "of each; use fewer folds."
                )
        return cls(n, train, test)

    def __len__(self):
        return len(self.test)

    @cached_property
    def fold_numbers(self):
        """The fold that tests each row, where the test sets partition the rows and train on all others; else None."""
        number = np.full(self.n_rows, -1, dtype=np.int64)
        for k, test in enumerate(self.test):
            if (number[test] >= 0).any() or len(self.train[k]) != self.n_rows - len(test):
                return None
            number[test] = k
        if (number < 0).any() or sum(map(len, self.test)) != self.n_rows:
            return None
        for k, train in enumerate(self.train):
            trains = np.zeros(self.n_rows, dtype=bool)
            trains[train] = True
            if (trains != (number != k)).any():
                return None
        return number

    def statistics(self, model, rows):
        """Training statistics and test statistics of every split, from `Rows`."""
        if self.fold_numbers is not None:
            test = self._sums(model, rows, [np.sort(t) for t in self.test])
            return all_but_one(test), test
        cells = self._cells()
        if cells is None:
            sums = self._sums(model, rows, [*self.train, *self.test])
            return sums[: len(self)], sums[len(self) :]
        side, members = cells
        sums = self._sums(model, rows, members)
        train, test = (
            [merged([sums[i] for i in np.flatnonzero(side[:, k] == which)]) for k in range(len(self))]
            for which in (1, 2)
        )
        return train, test

    def _cells(self):
        """Side (1 trains, 2 tests, 0 neither) of every cell in every split, and its rows; None where it is no help."""
        side = np.zeros((self.n_rows, len(self)), dtype=np.int8)
        for k, (train, test) in enumerate(zip(self.train, self.test, strict=True)):
            side[train, k] = 1
            if side[test, k].any():
                return None  # a row that trains and tests
            side[test, k] = 2
            if (side[:, k] > 0).sum() != len(train) + len(test):
                return None  # a row that counts more than once
        kinds, of_row = np.unique(side, axis=0, return_inverse=True)
        if len(kinds) > _CELLS_A_SPLIT * len(self) + 1:
            return None
        used = np.flatnonzero(kinds.any(axis=1))
        return kinds[used], [np.flatnonzero(of_row.ravel() == i) for i in used]

    @staticmethod
    def _sums(model, rows, sets):
        statistics = FoldStatistics.of_sets(rows.design, rows.y, rows.w, sets)
        if statistics is None:
            explain_not_finite(model, rows)
        return statistics


def _numbers(which, n, split):
    """Row numbers from row numbers, which may count from the end, or from a mask of all rows."""
    which = np.asarray(which)
    if which.dtype == bool and which.shape == (n,):
        return np.flatnonzero(which)
    if which.size == 0:
        return np.empty(0, dtype=np.int64)
    if which.dtype.kind not in "iu" or which.ndim != 1 or which.min() < -n or which.max() >= n:
        raise ValueError(
            f"cv: split {split} names rows by an array of shape {which.shape} and dtype {which.dtype}, {which.min()} "
            f"to {which.max()}; expected numbers of the {n} rows, or a mask of all of them."
        )
    return which.astype(np.int64) % n
