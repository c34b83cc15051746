"""Weight, mean and scatter of columns with missing entries, how such knowledge adds up, and columns standardised by it.

Reference: Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.linalg import as_design
from mlwright._native import core
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright._runtime.registry import Tolerance, kernel

_core = core.column_moments
_EPS = np.finfo(np.float64).eps
_HALF_THE_DIGITS = 1e-8  # of scatter left over scatter that was there


@kernel(
    native="column_moments.column_moments",
    twin="column_moments:column_moments",
    strategy="column_moments:rows_with_holes",
    tolerance=Tolerance(rtol=1e-11, atol=1e-9),
)
def column_moments(X, w=None):
    """``sum w``, ``sum w x / sum w`` and ``sum w (x - mean)^2`` of each column, over the rows where it is a number.

    Parameters
    ----------
    X : array of shape (n, p) or CSR tuple
    w : float64 array of shape (n,), optional
        Weights, none negative; all ones when left out.

    Returns
    -------
    weight, mean, scatter : arrays of shape (p,)
        Zeros for a column that is NaN throughout; a mean that is not finite for one with an infinity.
    """
    return _core.column_moments(X, None if w is None else layout.vector(w))


@kernel(
    native="column_moments.standardise",
    twin="column_moments:standardise",
    strategy="column_moments:columns_to_standardise",
)
def standardise(X, shift, scale, back=False, out=None):
    """``(X - shift) / scale``, or ``X * scale + shift``, in the precision of X, column by column; None leaves one out.

    Parameters
    ----------
    X : float64 or float32 array of shape (n, p), of any strides
    shift, scale : array of shape (p,), or None
    back : bool
    out : array like X, optional
        May be X itself; a new array in the memory order of X when left out.
    """
    X = layout.floats(X)
    out = np.empty_like(X) if out is None else out
    shift, scale = (None if a is None else np.ascontiguousarray(a, dtype=X.dtype) for a in (shift, scale))
    _core.standardise(X, shift, scale, back, out)
    return out


@dataclass(frozen=True, slots=True)
class ColumnMoments:
    """Sums over the rows of each column, leaving out entries that are NaN.

    Attributes
    ----------
    weight : array of shape (p,)
        Sums of weights; numbers of rows where there are none.
    mean, scatter : arrays of shape (p,)
        0 where the weight is.
    """

    weight: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of_rows(cls, X, w=None):
        """Of a float array or a CSR or CSC matrix."""
        return cls(*(column_moments(as_design(X), w) if isinstance(X, np.ndarray) else _of_stored_entries(X, w)))

    def merged(self, other):
        """Moments of both sets of rows together."""
        self._require_alike(other)
        weight = self.weight + other.weight
        share = _ratio(other.weight, weight)
        distance = other.mean - self.mean
        scatter = self.scatter + other.scatter + distance * distance * (self.weight * share)
        return ColumnMoments(weight, self.mean + distance * share, scatter)

    def without(self, other):
        """Moments of what is left when the rows of `other`, which must be among these, are taken out."""
        self._require_alike(other)
        weight = self.weight - other.weight
        gone = weight <= 4 * _EPS * self.weight
        if (weight < -4 * _EPS * self.weight).any() or gone.all():
            raise ValueError(
                f"forget: got rows of weight up to {other.weight.max():g}, expected fewer than the rows of weight "
                f"{self.weight.max():g} that were fitted; to start anew, use sklearn.base.clone."
            )
        mean = self.mean - (other.mean - self.mean) * _ratio(other.weight, weight)
        distance = other.mean - mean
        scatter = self.scatter - other.scatter - distance * distance * (weight * _ratio(other.weight, self.weight))
        self._warn_of_lost_digits(scatter, gone)
        scatter = np.where(scatter > 64 * _EPS * self.scatter, scatter, 0.0)
        return ColumnMoments(*(np.where(gone, 0.0, a) for a in (weight, mean, scatter)))

    def _warn_of_lost_digits(self, scatter, gone):
        poor = (scatter < _HALF_THE_DIGITS * self.scatter) & (self.scatter > 0.0) & ~gone
        if poor.any():
            warnings.warn(
                f"forget: {int(poor.sum())} columns keep less than {_HALF_THE_DIGITS:g} of their squared spread, so "
                "half of their digits or more are lost; fit anew on the rows that remain.",
                LossOfPrecisionWarning,
                stacklevel=5,
            )

    def _require_alike(self, other):
        if len(self.weight) != len(other.weight):
            raise ValueError(f"moments of other rows: got {len(other.weight)} columns, expected {len(self.weight)}.")


def _ratio(part, whole):
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.0)


def _of_stored_entries(X, w):
    """The same three arrays from the stored entries of a sparse matrix: those that are not stored are zeros."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    entries, p = X.tocoo(), X.shape[1]
    values, column = entries.data.astype(np.float64), entries.col
    weight = np.ones(len(values)) if w is None else w[entries.row]
    missing = np.isnan(values)
    known = np.full(p, float(X.shape[0]) if w is None else w.sum()) - np.bincount(column, weight * missing, minlength=p)
    values, column, weight = values[~missing], column[~missing], weight[~missing]

    def column_sums(terms):
        return np.bincount(column, terms, minlength=p)

    # A column without zeros is summed about one of its entries: constants stay constant, a large mean costs no digits.
    whole = np.bincount(column, minlength=p) + np.bincount(entries.col, missing, minlength=p) == X.shape[0]
    origin = np.zeros(p)
    origin[column] = values
    origin[~whole] = 0.0
    implicit = np.where(whole, 0.0, np.maximum(known - column_sums(weight), 0.0))
    with np.errstate(over="ignore", invalid="ignore"):  # the answer tells, as that of dense rows does
        values = values - origin[column]
        mean = _ratio(column_sums(weight * values), known)
        distance = values - mean[column]
        mean, scatter = origin + mean, column_sums(weight * distance * distance)
        return known, mean, scatter + implicit * mean * mean
