"""Which rows train and which test, by scikit-learn's `cv` parameter."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class RowSplits:
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
        from sklearn.model_selection import check_cv

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

    def partition(self):
        """The fold that tests each row; ValueError unless each is tested once, by what all others train."""
        if self.fold_numbers is None:
            raise ValueError(
                "cv: got splits that do not test every row once and train on all others, expected such as those of "
                "KFold, StratifiedKFold or LeaveOneGroupOut"
            )
        return self.fold_numbers


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
