"""Matrices as randomised decompositions see them: by their products with a few dozen columns."""

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from mlwright._kernels.linalg import as_design
from mlwright._kernels.sparse_product import sparse_gram_product, sparse_product
from mlwright._kernels.units import unit_for


class Rows:
    """``(X - 1 mean') * unit`` without forming it.

    Parameters
    ----------
    X : float array or sparse matrix of shape (n, p)
    mean : array of shape (p,), optional

    Attributes
    ----------
    unit : float
        A power of two in which the largest magnitude is near one.
    """

    def __init__(self, X, mean=None):
        self.X = X if sparse.issparse(X) else np.ascontiguousarray(X)  # the memory order would show in the last bits
        self.mean = mean
        self.shape = X.shape
        self.unit = unit_for(_largest(X) if mean is None else max(_largest(X), np.abs(mean).max()))

    @cached_property
    def _design(self):
        return self._in_unit(as_design(self.X))

    @cached_property
    def _transposed(self):
        return self._in_unit(as_design(self.X.T))

    def _in_unit(self, design):
        indptr, indices, data, n_columns = design
        return indptr, indices, data.astype(np.float64) * self.unit, n_columns

    def times(self, Q):
        """The product with ``Q`` of shape (p, l)."""
        out = sparse_product(self._design, Q) if sparse.issparse(self.X) else self.X @ (Q * self.unit)
        return out if self.mean is None else out - (self.mean * self.unit) @ Q

    def transposed_times(self, Y):
        """The product of the transpose with ``Y`` of shape (n, l)."""
        out = sparse_product(self._transposed, Y) if sparse.issparse(self.X) else self.X.T @ (Y * self.unit)
        return out if self.mean is None else out - np.outer(self.mean * self.unit, Y.sum(axis=0))

    def squared_times(self, Z, *, wide):
        """``M M' Z`` for a wide matrix M, with Z of shape (n, l); ``M' M Z`` otherwise, with Z of shape (p, l)."""
        if self.mean is None and sparse.issparse(self.X):
            pair = (self._transposed, self._design) if wide else (self._design, self._transposed)
            return sparse_gram_product(*pair, Z)
        return self.times(self.transposed_times(Z)) if wide else self.transposed_times(self.times(Z))

    def dense(self):
        """A dense float64 copy."""
        X = np.array(self.X.toarray() if sparse.issparse(self.X) else self.X, dtype=np.float64)
        if self.mean is not None:
            X -= self.mean
        X *= self.unit
        return X

    def as_linear_operator(self):
        """For SciPy's iterative solvers."""
        return LinearOperator(
            self.shape,
            matvec=lambda v: self.times(np.reshape(v, (-1, 1)))[:, 0],
            rmatvec=lambda v: self.transposed_times(np.reshape(v, (-1, 1)))[:, 0],
            matmat=self.times,
            rmatmat=self.transposed_times,
            dtype=np.float64,
        )


def _largest(X):
    entries = X.data if sparse.issparse(X) else X
    return max(float(entries.max()), -float(entries.min())) if entries.size else 0.0
