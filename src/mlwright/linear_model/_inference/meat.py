"""The meat: the covariance of the sum of scores, whatever the rows have in common.

A row's score is ``score[r] * c_r``, c its columns; `repeats` says how often the row was seen.

References
----------
White (1980), A heteroskedasticity-consistent covariance matrix estimator. Econometrica 48.
MacKinnon and White (1985), Some heteroskedasticity-consistent covariance matrix estimators. J. of Econometrics 29.
Newey and West (1987), A simple, positive semi-definite covariance matrix. Econometrica 55.
Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering. J. of Business & Economic Statistics 29.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import as_design, gram

_ROWS_AT_ONCE = 16384


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of rows.

    Attributes
    ----------
    X : array or sparse matrix of shape (n, p)
    score : array of shape (n,)
    repeats : array of shape (n,), or None
    """

    X: object
    score: np.ndarray
    repeats: np.ndarray | None = None

    def total(self):
        """What a row adds to the sum of scores, per unit of its columns."""
        return self.score if self.repeats is None else self.score * self.repeats

    def of_rows(self, part, columns):
        """What the rows `part` (a slice or indices) add to the sum of scores, of shape (m, k)."""
        return columns.of_rows(_dense(self.X[part])) * self.total()[part, None]


@dataclass(frozen=True, slots=True)
class ClassScores(Scores):
    """Scores of several sets of coefficients, one set a class: ``score[r, c] * c_r``, set after set."""

    def total(self):
        return self.score if self.repeats is None else self.score * self.repeats[:, None]

    def of_rows(self, part, columns):
        c = columns.of_rows(_dense(self.X[part]))
        return (self.total()[part][:, :, None] * c[:, None, :]).reshape(len(c), -1)


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


def second_moment(X, weight, columns):
    """``sum_r weight_r c_r c_r'`` by the weighted Gram kernel."""
    return columns.moment(FoldStatistics.of_rows(as_design(X), np.empty((X.shape[0], 0)), weight))


def independent(scores, columns, shrink=None):
    """Rows are independent, each with a variance of its own (HC0); squares divided by `shrink` for HC2 and HC3."""
    if isinstance(scores, ClassScores):
        return _independent_classes(scores, columns)
    unit = np.abs(scores.score).max(initial=0.0)
    if unit == 0.0:
        return np.zeros((len(columns.scale) + columns.intercept,) * 2)
    square = (scores.score / unit) ** 2
    if scores.repeats is not None:
        square *= scores.repeats
    if shrink is not None:
        square = np.divide(square, shrink, out=np.zeros_like(square), where=square > 0.0)
    return second_moment(scores.X, square, columns) * unit * unit


def _independent_classes(scores, columns):
    """A row's scores of all classes, of which those of a row seen twice count twice, not fourfold."""
    often = scores.repeats
    once = scores if often is None else ClassScores(scores.X, scores.score * np.sqrt(often)[:, None])
    n = scores.X.shape[0]
    return sum(
        _gram(once.of_rows(slice(begin, begin + _ROWS_AT_ONCE), columns)) for begin in range(0, n, _ROWS_AT_ONCE)
    )


def clustered(scores, columns, codes, n_groups):
    """Rows of a group may depend on each other: the Gram matrix of the groups' sums."""
    if sparse.issparse(scores.X) and scores.score.ndim == 1:
        return _gram(_group_sums_of_sparse(scores.X, scores.total(), columns, codes, n_groups))
    sums = None
    X = scores.X.tocsr() if sparse.issparse(scores.X) else scores.X
    for rows in _in_order_of_groups(codes):
        part = replace(scores, X=X).of_rows(rows, columns)
        sums = np.zeros((n_groups, part.shape[1])) if sums is None else sums
        at = codes[rows]
        first = np.concatenate([[0], np.flatnonzero(at[1:] != at[:-1]) + 1])
        sums[at[first]] += np.add.reduceat(part, first)
    return _gram(sums)


def _in_order_of_groups(codes):
    """Rows of each group one after another, in pieces; slices where they already are."""
    n = len(codes)
    if (codes[1:] >= codes[:-1]).all():
        return [slice(begin, min(n, begin + _ROWS_AT_ONCE)) for begin in range(0, n, _ROWS_AT_ONCE)]
    order = np.argsort(codes, kind="stable")
    return [order[begin : begin + _ROWS_AT_ONCE] for begin in range(0, n, _ROWS_AT_ONCE)]


def _group_sums_of_sparse(X, total, columns, codes, n_groups):
    n = len(codes)
    which = sparse.csr_array((total, (codes, np.arange(n))), shape=(n_groups, n))
    weight = np.bincount(codes, weights=total, minlength=n_groups)
    sums = (which @ X).toarray() * columns.scale - np.multiply.outer(weight, columns.centre * columns.scale)
    return np.column_stack([weight, sums]) if columns.intercept else sums


def autocorrelated(scores, columns, lags):
    """Rows are a series in time, dependent up to `lags` apart: Bartlett's weights, as Newey and West have them.

    The weighted sum of the lagged moments is the mean of the Gram matrices of the series' moving sums over
    ``lags + 1`` rows, so its cost does not depend on the number of lags, and it cannot fail to be semidefinite.
    """
    n, width = scores.X.shape[0], lags + 1
    meat = 0.0
    piece = max(_ROWS_AT_ONCE, 4 * lags)
    for begin in range(0, n + lags, piece):
        end = min(n + lags, begin + piece)
        low, high = max(0, begin - lags), min(n, end)
        part = scores.of_rows(slice(low, high), columns)
        running = np.vstack([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])
        last = np.arange(begin, end)
        sums = running[np.minimum(last + 1, n) - low] - running[np.maximum(last - lags, 0) - low]
        meat = meat + _gram(sums)
    return meat / width


def _gram(sums):
    sums = np.ascontiguousarray(sums)
    unit = np.abs(sums).max(initial=0.0)
    if unit == 0.0:
        return np.zeros((sums.shape[1],) * 2)
    return gram(sums / unit, None, np.zeros(len(sums)), np.ones(sums.shape[1])) * unit * unit
