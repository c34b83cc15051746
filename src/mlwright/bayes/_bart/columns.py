"""From X to the codes that trees of BART split: what is learnt of columns when fitting, and rows coded by it."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from mlwright._kernels import tree
from mlwright._kernels.bart import MISSING
from mlwright._runtime.errors import ModelFormatError
from mlwright.io.composite import ListOf, Record
from mlwright.io.schema import Tensor

MOST_CODES = 254  # of categories, besides the one of missing and unknown ones

#: How codes stand in a model file.
CODES = Record(
    thresholds=Tensor("f8", "*"),
    offsets=Tensor("i8", "p+1"),
    columns=Tensor("i4", "p 3"),
    levels=ListOf(Tensor("u1", "*")),
)


@dataclass(frozen=True)
class Coding:
    """Thresholds of numbers, and the code of each level of categories.

    Attributes
    ----------
    thresholds : float64 array
    offsets : int64 array of shape (p + 1,)
        Column j is cut at ``thresholds[offsets[j] : offsets[j + 1]]``.
    columns : int32 array of shape (p, 3)
        Number of cuts, whether values are missing, number of codes of categories (0 of numbers).
    levels : list of uint8 arrays
        By column of categories, the code of each level.
    """

    thresholds: np.ndarray
    offsets: np.ndarray
    columns: np.ndarray
    levels: list

    @classmethod
    def learn(cls, X, weight, is_categorical, n_levels, max_bins, seed):
        """Of rows as ``features_for_fit`` gives them; `n_levels` by column of categories."""
        p = X.shape[1]
        categories = np.zeros(p, dtype=bool) if is_categorical is None else is_categorical
        values, ends = tree.find_thresholds(_columns(X, np.flatnonzero(~categories)), weight, max_bins, seed)
        of_numbers = iter(np.split(values, ends[1:-1]))
        cuts = [np.empty(0) if c else next(of_numbers) for c in categories]
        missing = np.isnan(X).any(axis=0)
        columns, levels = np.zeros((p, 3), dtype=np.int32), []
        sizes = iter(n_levels)
        for j in range(p):
            if not categories[j]:
                columns[j] = len(cuts[j]), missing[j], 0
                continue
            levels.append(_codes_of_levels(X[:, j], next(sizes), weight))
            columns[j, 2] = int(levels[-1].max(initial=0)) + 1 + missing[j]
        offsets = np.cumsum([0] + [len(c) for c in cuts]).astype(np.int64)
        return cls(np.concatenate(cuts) if cuts else np.empty(0), offsets, columns, levels)

    def codes(self, X):
        """Of rows, uint8 of shape (n, p)."""
        codes = tree.bin_codes(X, self.thresholds, self.offsets)
        codes[np.isnan(X)] = MISSING
        for j, of_level in zip(np.flatnonzero(self.columns[:, 2]), self.levels, strict=True):
            unknown = int(of_level.max(initial=0)) + 1
            places = np.where(np.isnan(X[:, j]), len(of_level), X[:, j]).astype(np.int64)
            codes[:, j] = np.append(of_level, np.uint8(unknown))[places]
        return codes

    def as_state(self):
        return {"thresholds": self.thresholds, "offsets": self.offsets, "columns": self.columns, "levels": self.levels}


def _columns(X, chosen):
    """Those columns of X, itself where it is all of them; copied one by one, so that Ctrl-C is heard."""
    if len(chosen) == X.shape[1]:
        return X
    out = np.empty((len(X), len(chosen)), dtype=X.dtype, order="F")
    for k, j in enumerate(chosen):
        out[:, k] = X[:, j]
    return out


def _codes_of_levels(places, n_levels, weight):
    """A code a level; where there are too many, the rarest ones share the last."""
    if n_levels <= MOST_CODES:
        return np.arange(n_levels, dtype=np.uint8)
    seen = ~np.isnan(places)
    counts = np.bincount(places[seen].astype(np.int64), None if weight is None else weight[seen], minlength=n_levels)
    codes = np.full(n_levels, MOST_CODES - 1, dtype=np.uint8)
    common = np.argsort(-counts, kind="stable")[: MOST_CODES - 1]
    codes[np.sort(common)] = np.arange(MOST_CODES - 1)
    return codes


def dense(X, estimator):
    """X as it is; TypeError for a sparse matrix or binned data, whose numbers the trees cannot read."""
    if issparse(X) or not isinstance(X, np.ndarray):
        kind = "a sparse matrix" if issparse(X) else type(X).__name__
        raise TypeError(
            f"X: got {kind}, expected a dense array or data frame for {type(estimator).__name__}; pass X.toarray()"
        )
    return X


def check_coding(coding, is_categorical, n_levels):
    """ModelFormatError unless the arrays, maybe from a stranger's file, fit together."""
    p = len(coding.columns)
    cuts, missing, codes = coding.columns.T
    categories = np.zeros(p, dtype=bool) if is_categorical is None else is_categorical
    good = len(categories) == p and np.array_equal(codes > 0, categories)
    good = good and coding.offsets[0] == 0 and np.array_equal(np.diff(coding.offsets), cuts)
    good = (
        good and int(coding.offsets[-1]) == len(coding.thresholds) and (cuts >= 0).all() and (cuts <= MOST_CODES).all()
    )
    good = good and np.isin(missing, (0, 1)).all() and (codes >= 0).all() and (codes <= MOST_CODES + 1).all()
    if good:
        rises = np.diff(coding.thresholds) > 0
        rises[
            coding.offsets[1:-1][(coding.offsets[1:-1] > 0) & (coding.offsets[1:-1] < len(coding.thresholds))] - 1
        ] = True
        good = bool(rises.all()) and [len(of) for of in coding.levels] == list(n_levels)
        good = good and all(of.max(initial=0) < MOST_CODES for of in coding.levels)
    if not good:
        raise ModelFormatError("BART: thresholds and codes do not fit the columns; the model is damaged")
