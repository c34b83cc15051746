"""Products of few long rows by BLAS, each on a thread of our own.

Which products there are and how they are added follows from the shape, and BLAS starts no threads: the bits do not
depend on how many threads there are.
"""

from functools import partial
from itertools import pairwise

import numpy as np

from mlwright._runtime.side_by_side import side_by_side
from mlwright._runtime.threadpool import blas_of_one_thread

_COLUMNS = 4096  # that are multiplied at a time, at most: Ctrl-C is heard between
_COMBINED = 2048  # the same, of combinations
_ROWS = 512  # of a product, at most
_SUMS = 8  # of parts of the columns, at most; as many threads find work where all rows are in one product
_MOST_SUMMED = 1 << 21  # numbers in all of these sums, about


def inner_products(X, mean=None):
    """``Z Z'`` for ``Z = X - mean``, in float64, of shape (n, n); not finite where its numbers are not."""
    n, p = X.shape
    n_sums = min(_SUMS, max(1, _MOST_SUMMED // n**2))
    runs = _runs(p, n_sums * -(-p // (n_sums * _COLUMNS)))
    sums = np.zeros((n_sums, n, n))
    places = [(slice(i, min(n, i + _ROWS)), k) for i in reversed(range(0, n, _ROWS)) for k in range(n_sums)]

    def add(rows, k):
        with np.errstate(over="ignore", invalid="ignore"):
            for number, columns in enumerate(runs[k::n_sums]):
                Z = _read(X[: rows.stop, columns], None if mean is None else mean[columns])
                if number == 0:
                    np.matmul(Z[rows], Z.T, out=sums[k, rows, : rows.stop])
                else:
                    sums[k, rows, : rows.stop] += Z[rows] @ Z.T

    with blas_of_one_thread():
        side_by_side([partial(add, *place) for place in places])
    K = sums.sum(axis=0)
    for i in range(_ROWS, n, _ROWS):  # what is above the products
        K[:i, i : i + _ROWS] = K[i : i + _ROWS, :i].T
    return K


def combined(a, X, out):
    """``a X`` for combinations (k, n) of rows, into `out` of shape (k, p)."""

    def multiply(columns):
        np.matmul(a, _read(X[:, columns]), out=out[:, columns])

    p = X.shape[1]
    with blas_of_one_thread():
        side_by_side([partial(multiply, columns) for columns in _runs(p, -(-p // _COMBINED))])


def _runs(p, n_runs):
    """The numbers up to p in runs of about the same length."""
    return [slice(first, last) for first, last in pairwise(k * p // n_runs for k in range(n_runs + 1))]


def _read(X, mean=None):
    """``X - mean`` in float64 as BLAS reads it: X itself where its rows or its columns are contiguous."""
    if mean is not None:
        return X - mean
    if X.dtype == np.float64 and min(X.strides) == X.itemsize:
        return X
    return np.ascontiguousarray(X, dtype=np.float64)
