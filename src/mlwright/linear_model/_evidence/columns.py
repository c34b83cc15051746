"""Columns about their means, times the roots of the weights: dense, or of sparse rows a few dense ones at a time."""

from dataclasses import dataclass

import numpy as np

from mlwright.linear_model._least_squares import centred_rows

_AT_ONCE = 2**20  # entries of sparse columns that are dense at a time


@dataclass(frozen=True, slots=True)
class CentredColumns:
    """Of dense rows `X` is centred and weighted, in Fortran order; of sparse ones it is neither, in CSC format.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    mean : array of shape (p,), or None for a dense X
    root : array of shape (n,), or None for a dense X
        Of the weights.
    """

    X: object
    mean: np.ndarray | None = None
    root: np.ndarray | None = None

    @classmethod
    def of_rows(cls, rows, x_mean, y_mean):
        """The columns, and the first target centred and weighted."""
        if not rows.is_sparse:
            X, y = centred_rows(rows, x_mean, y_mean)
            return cls(np.asfortranarray(X)), y[:, 0]
        root = np.ones(len(rows.y)) if rows.w is None else np.sqrt(rows.w)
        return cls(rows.X.tocsc().astype(np.float64), x_mean, root), (rows.y[:, 0] - y_mean[0]) * root

    @property
    def shape(self):
        return self.X.shape

    def take(self, keep):
        """The columns of a bool array."""
        return CentredColumns(self.X[:, keep], None if self.mean is None else self.mean[keep], self.root)

    def dense(self, at=slice(None)):
        """Those of a slice as an array of shape (n, k)."""
        if self.mean is None:
            return self.X[:, at]
        return (self.X[:, at].toarray(order="F") - self.mean[at]) * self.root[:, None]

    def pieces(self):
        """Slices that make up all columns, and the dense columns of each."""
        n, p = self.shape
        width = p if self.mean is None else max(1, _AT_ONCE // n)
        for begin in range(0, p, width):
            at = slice(begin, begin + width)
            yield at, self.dense(at)

    def moments(self, y):
        """Sums of squares of the columns, and of products with y."""
        squares, cross = np.empty((2, self.shape[1]))
        for at, columns in self.pieces():
            squares[at], cross[at] = np.einsum("ij,ij->j", columns, columns), y @ columns
        return squares, cross
