"""The columns that trees are grown on: numbers as they are, each categorical feature as codes of its levels.

=============================  =====================================================================================
a feature of                   becomes
=============================  =====================================================================================
numbers                        its values
at most NATIVE_LEVELS levels   a code a level; a cut sends any set of codes left
more levels                    one column an output: codes of levels ordered by the target, cross-fitted, that are cut
                               like numbers (``tree/target_codes.hpp``)
=============================  =====================================================================================
"""

from dataclasses import dataclass, field

import numpy as np

from mlwright._kernels import categories, rng
from mlwright._kernels import tree as kernels
from mlwright.ensemble._boosting.binned_data import NATIVE_LEVELS, BinnedData
from mlwright.ensemble._boosting.bins import thresholds_and_bins, thresholds_beside_codes

_FOLDS = 5
_FOLD_STREAM = 5 << 32  # Draws::folds_of_target_codes of tree/streams.hpp
_NUMBERS = np.empty(0, dtype=np.uint8)


@dataclass
class Columns:
    """What each column shows.

    Attributes
    ----------
    features : list of int
        The feature of each column.
    is_set : list of bool
        Whether a cut of the column sends a set of codes left.
    code_of : list of uint8 array
        The code of each level; empty for numbers.
    row_codes : list of uint8 array or None
        The codes of rows, where they do not follow from their levels.
    """

    features: list = field(default_factory=list)
    is_set: list = field(default_factory=list)
    code_of: list = field(default_factory=list)
    row_codes: list = field(default_factory=list)

    @classmethod
    def plan(cls, rows, loss, is_categorical, levels, seed):
        """The columns of training rows whose features ``is_categorical`` (or None: none) have these levels."""
        columns = cls()
        n_levels = np.zeros(rows.X.shape[1], dtype=np.int64)
        if is_categorical is not None:
            n_levels[is_categorical] = [len(known) for known in levels]
        wide = np.flatnonzero(n_levels > NATIVE_LEVELS)
        encoded = iter(_target_codes(rows, loss, wide, n_levels[wide], seed) if len(wide) else ())
        for j, n in enumerate(n_levels):
            if n <= NATIVE_LEVELS:
                columns._add(j, n > 0, np.arange(n, dtype=np.uint8), None)
                continue
            for _ in range(loss.n_outputs):
                of_rows, of_levels = next(encoded)
                columns._add(j, False, of_levels, of_rows)
        return columns

    def _add(self, feature, is_set, code_of, row_codes):
        self.features.append(feature)
        self.is_set.append(bool(is_set))
        self.code_of.append(code_of if len(code_of) else _NUMBERS)
        self.row_codes.append(row_codes)

    @property
    def has_levels(self):
        return any(map(len, self.code_of))

    def binned(self, X, weight, max_bins, seed):
        """The binned matrix."""
        if isinstance(X, BinnedData):
            return self._of_binned(X)
        if not self.has_levels:
            return thresholds_and_bins(X, weight, max_bins, seed)[1]
        matrix = self._matrix(X)
        thresholds = thresholds_beside_codes(matrix, self._n_codes, weight, max_bins, seed)
        return kernels.bin_matrix(matrix, *thresholds)

    @property
    def _n_codes(self):
        return [int(table.max()) + 1 if len(table) else 0 for table in self.code_of]

    def _of_binned(self, X):
        codes, n_codes = {}, {}
        for j, row_codes, n in zip(self.features, self.row_codes, self._n_codes, strict=True):
            if row_codes is not None:
                codes.setdefault(j, []).append(_with_missing(row_codes))
                n_codes.setdefault(j, []).append(n)
        return X.with_codes_in_place_of_levels(codes, n_codes) if codes else X._bins

    def _matrix(self, X):
        """X by columns; codes of rows in place of their levels."""
        if not any(codes is not None for codes in self.row_codes):
            return X
        matrix = np.empty((len(X), len(self.features)), dtype=X.dtype, order="F")
        for k, (j, codes) in enumerate(zip(self.features, self.row_codes, strict=True)):
            matrix[:, k] = X[:, j] if codes is None else _with_missing(codes)
        return matrix

    def explain_to(self, booster):
        """Have the booster's trees name features and sets of levels."""
        if self.has_levels:
            booster.set_columns(self.features, self.code_of)

    def groups(self, groups):
        """Groups of features as groups of columns."""
        return [[k for k, j in enumerate(self.features) if j in group] for group in groups]


def _with_missing(codes):
    return np.where(codes == categories.MISSING_CODE, np.nan, codes)


def _target_codes(rows, loss, wide, n_levels, seed):
    """Codes by the gradients of the best constant, whatever the loss."""
    n = len(rows.y)
    both = [pair for part in loss.apart() for pair in _first_gradients(rows, part)]
    g = np.stack([of_output for of_output, _ in both])
    h = np.stack([of_output if len(of_output) else np.ones(n) for _, of_output in both])  # none: all ones
    places = [rows.X.places(j) if isinstance(rows.X, BinnedData) else rows.X[:, j] for j in wide]
    levels = np.stack([np.where(np.isnan(x), -1, x).astype(np.int32) for x in places])
    fold = rng.integers(seed, _FOLD_STREAM, _FOLDS, n).astype(np.uint8)
    of_rows, of_levels = categories.target_codes(levels, n_levels, g, h, fold)
    ends = np.cumsum(np.repeat(n_levels, loss.n_outputs))[:-1]
    return zip(of_rows, np.split(of_levels, ends), strict=True)


def _first_gradients(rows, loss):
    """For each output the gradients and Hessians of the best constant."""
    bins = _no_features(len(rows.y))
    constant = kernels.make_booster(bins, rows.y, rows.weight, loss, kernels.tree_rules())
    constant.set_start(constant.start())
    return [constant.gradients(k) for k in range(loss.n_outputs)]


def _no_features(n):
    return kernels.bin_matrix(np.empty((n, 0)), np.empty(0), np.zeros(1, dtype=np.int64))
