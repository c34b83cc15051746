"""Cross-validation splits by statistics: every row of X is read once, training sets are sums.

Splitters of scikit-learn name training and test rows. Rows that are on the same side in every split form a cell; the
statistics of the cells come from one pass, and a training or a test set is the sum of its cells. K folds that partition
the rows have K cells, expanding windows K + 1. Splits without such structure (repeated, shuffled, bootstrap) get the
statistics of each set from its own rows.
"""

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics, all_but_one, merged
from mlwright._splits import RowSplits
from mlwright._validation import explain_not_finite

_CELLS_A_SPLIT = 2  # more cells than twice the splits cost more to add up than the rows do to read again


class Splits(RowSplits):
    """Splits, and the statistics of their training and test rows."""

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
