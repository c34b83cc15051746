"""Rows of a table with categories, as codes: what solvers read in place of one-hot columns.

Users count columns in the order of the table, a categorical feature standing for one a level. Solvers see the columns
of all levels first, then the numbers; ``places`` leads from theirs to the user's.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from mlwright._kernels.glm import GlmLoss, Table, evaluate


class Coded(NamedTuple):
    """What the kernels read, see ``linalg::coded_rows``: numbers (n, m) or None, codes (n, k), ends (k,)."""

    numbers: Any
    codes: Any
    ends: Any


def is_sparse(design):
    """Whether a design is CSR, of the kinds that the kernels read."""
    return isinstance(design, tuple) and not isinstance(design, Coded)


def one_hot(design):
    """The rows of a :class:`Coded` as an array, levels before numbers."""
    n_levels = int(design.ends[-1])
    numbers = np.empty((len(design.codes), 0)) if design.numbers is None else design.numbers
    out = np.zeros((len(numbers), n_levels + numbers.shape[1]))
    np.put_along_axis(out, design.codes.astype(np.intp), 1.0, axis=1)
    out[:, n_levels:] = numbers
    return out


def some_rows(X, chosen):
    """Some rows of an array, a sparse matrix or a :class:`CodedTable`."""
    return X.tocsr()[chosen] if sparse.issparse(X) else X[chosen]


@dataclass(frozen=True)
class CodedTable:
    """Rows of numbers and codes.

    Attributes
    ----------
    numbers : float64 array of shape (n, m)
    codes : int32 array of shape (n, k)
        The columns of ones among those of the levels.
    widths : int64 array of shape (n_features,)
        How many columns each feature of the table has.
    is_categorical : bool array of shape (n_features,)
    """

    numbers: np.ndarray
    codes: np.ndarray
    widths: np.ndarray
    is_categorical: np.ndarray

    @property
    def shape(self):
        return len(self.codes), int(self.widths.sum())

    @cached_property
    def ends(self):
        return np.cumsum(self.widths[self.is_categorical])

    @cached_property
    def places(self):
        """The user's column of each column here; shape (q,)."""
        first = np.concatenate([[0], np.cumsum(self.widths)])[:-1]
        levels = [np.arange(first[j], first[j] + self.widths[j]) for j in np.flatnonzero(self.is_categorical)]
        return np.concatenate([*levels, first[~self.is_categorical]])

    @property
    def design(self):
        return Coded(self.numbers if self.numbers.shape[1] else None, self.codes, self.ends)

    def __getitem__(self, chosen):
        return replace(self, numbers=self.numbers[chosen], codes=self.codes[chosen])

    def __matmul__(self, coef):
        """Scores for coefficients of shape (q,) or (q, t) in the user's order."""
        own, (n, q) = np.asarray(coef, dtype=np.float64)[self.places], self.shape
        table = Table(self.design, np.zeros(q), np.ones(q), np.zeros(n))
        # By the pass that a fit makes, which looks the levels up; its loss is not used.
        scores = [evaluate(table, GlmLoss("squared_error"), one, 0.0, False)[3] for one in own.reshape(q, -1).T]
        return scores[0] if own.ndim == 1 else np.stack(scores, axis=1)

    def tocsr(self):
        """One-hot rows, in the user's order of columns."""
        n, k, m = len(self.codes), self.codes.shape[1], self.numbers.shape[1]
        indices, data = np.empty((n, k + m), dtype=np.int32), np.ones((n, k + m))
        indices[:, :k] = self.places[self.codes]
        indices[:, k:], data[:, k:] = self.places[int(self.ends[-1]) :], self.numbers
        ends = np.arange(0, n * (k + m) + 1, k + m, dtype=np.int64)
        return sparse.csr_array((data.ravel(), indices.ravel(), ends), shape=self.shape)
