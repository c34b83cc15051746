"""Fold statistics: what linear models need to know of a set of rows, and how such knowledge adds up.

Reference: Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance.
"""

import functools
import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from mlwright._kernels import linalg
from mlwright._runtime.errors import LossOfPrecisionWarning

_EPS = np.finfo(np.float64).eps
_HALF_THE_DIGITS = 1e-8  # of spread left over spread that was there, in squares


@dataclass(frozen=True, slots=True)
class FoldStatistics:
    """Sums over rows of the columns ``(x, y)``.

    Attributes
    ----------
    n_features : int
        Number of columns of x, p; the other t columns are targets.
    n_rows : int
    weight : float
        Sum of the weights; the number of rows where there are none.
    mean : array of shape (p + t,)
    scatter : array of shape (p + t, p + t)
        ``sum_r w_r (z_r - mean) (z_r - mean)'``, rows and columns multiplied by `scale`.
    scale : array of shape (p + t,)
        Powers of two: exact, and squares of columns of any magnitude neither overflow nor vanish.
    """

    n_features: int
    n_rows: int
    weight: float
    mean: np.ndarray
    scatter: np.ndarray
    scale: np.ndarray

    @classmethod
    def of_rows(cls, design, y, w=None):
        """Statistics of rows; None where a number among them is not finite."""
        return cls._of_sums(linalg.fold_statistics(design, y, w), y)

    @classmethod
    def of_single(cls, X, y):
        """Statistics of float32 rows by products in float32; None where that will not do."""
        return cls._of_sums(linalg.single_statistics(X, y), y)

    @classmethod
    def _of_sums(cls, sums, y):
        if sums is None:
            return None
        weight, mean, scatter, scale = sums
        return cls(len(mean) - y.shape[1], len(y), weight, mean, scatter, scale)

    @classmethod
    def of_sets(cls, design, y, w, sets):
        """Statistics of several sets of rows, given by their row numbers, each read once where it lies; None as above.

        They merge exactly, so a training set is the sum of other sets and never a difference.
        """
        numbers = np.concatenate(sets)
        starts = np.cumsum([0, *map(len, sets)])
        sums = linalg.fold_statistics_of_sets(design, y[numbers], None if w is None else w[numbers], numbers, starts)
        if sums is None:
            return None
        p = sums[1].shape[1] - y.shape[1]
        parts = zip(np.diff(starts).tolist(), *sums, strict=True)
        return [cls(p, rows, float(weight), mean, scatter, scale) for rows, weight, mean, scatter, scale in parts]

    @property
    def n_targets(self):
        return len(self.mean) - self.n_features

    def spread(self):
        """Diagonal of the scatter, exactly zero for columns that are constant up to rounding of their values."""
        diagonal = self.scatter.diagonal()
        with np.errstate(over="ignore", under="ignore"):
            rounding = self.weight * (4 * _EPS * np.abs(self.mean) * self.scale) ** 2
        return np.where(diagonal > rounding, diagonal, 0.0)

    def merged(self, other):
        """Statistics of both sets of rows together."""
        self._require_alike(other)
        weight = self.weight + other.weight
        if weight == 0.0:
            return self
        scale = _common_scale(self, other)
        a, b = self._rescaled(scale), other._rescaled(scale)
        distance = (other.mean - self.mean) * scale
        scatter = a + b + np.multiply.outer(distance, distance) * (self.weight * (other.weight / weight))
        mean = self.mean + (other.mean - self.mean) * (other.weight / weight)
        return FoldStatistics(self.n_features, self.n_rows + other.n_rows, weight, mean, scatter, scale)

    def without(self, other, from_rows=None):
        """Statistics of what is left when the rows of `other`, which must be among these, are taken out.

        Where a column would lose half of its digits, those that `from_rows` finds, or with a warning.
        """
        self._require_alike(other)
        weight, n_rows = self.weight - other.weight, self.n_rows - other.n_rows
        if n_rows < 1 or weight <= self.weight * 4 * _EPS:
            raise ValueError(
                f"forget: got {other.n_rows} rows of weight {other.weight:g}, expected fewer than the {self.n_rows} "
                f"rows of weight {self.weight:g} that the model was fitted on; to start anew, use sklearn.base.clone."
            )
        scale = self.scale
        mean = self.mean - (other.mean - self.mean) * (other.weight / weight)
        distance = (other.mean - mean) * scale
        scatter = self.scatter - other._rescaled(scale)
        scatter -= np.multiply.outer(distance, distance) * (weight * (other.weight / self.weight))
        before = self.scatter.diagonal()
        if from_rows is not None and _loses_digits(scatter, before).any():
            return from_rows()
        _settle_diagonal(scatter, before)
        return FoldStatistics(self.n_features, n_rows, weight, mean, scatter, scale)

    def moments(self, about_mean):
        """Second moments of all columns about their means, or about zero, and the scale that they are in."""
        if about_mean:
            return self.scatter, self.scale
        size = np.abs(self.mean)
        scale = np.minimum(self.scale, _reciprocal_power(size))
        origin = self.mean * scale
        return self._rescaled(scale) + self.weight * np.multiply.outer(origin, origin), scale

    def squared_errors(self, coef, intercept, target=0):
        """Sums of squared residuals of one target for many candidates, without the rows.

        Parameters
        ----------
        coef : array of shape (m, p)
        intercept : array of shape (m,)
        target : int

        Returns
        -------
        errors : array of shape (m,)
        sure : bool array of shape (m,)
            Whether rounding leaves an error at least nine right digits; where it does not, ask the rows.
        """
        p = self.n_features
        at = p + target
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            b = coef / self.scale[:p] * self.scale[at]
            image = b @ self.scatter[:p, :p]
            of_fit, of_both = (image * b).sum(axis=1), b @ self.scatter[:p, at]
            spread = self.scatter[at, at] - 2.0 * of_both + of_fit
            size = self.scatter[at, at] + 2.0 * np.abs(of_both) + of_fit
            products = coef * self.mean[:p]
            mean = self.mean[at] - intercept - products.sum(axis=1)
            largest = np.abs(self.mean[at]) + np.abs(intercept) + np.abs(products).sum(axis=1)
            unit = self.scale[at]
            errors = np.maximum(spread, 0.0) / unit**2 + self.weight * mean * mean
            doubt = _EPS * (16.0 * size / unit**2 + 8.0 * self.weight * np.abs(mean) * largest)
            doubt += self.weight * (4.0 * _EPS * largest) ** 2
        return errors, doubt <= 1e-9 * errors

    def _rescaled(self, scale):
        factor = scale / self.scale
        return self.scatter * np.multiply.outer(factor, factor) if (factor != 1.0).any() else self.scatter

    def _require_alike(self, other):
        if (self.n_features, self.n_targets) != (other.n_features, other.n_targets):
            raise ValueError(
                f"statistics of other rows: got {other.n_features} features and {other.n_targets} targets, expected "
                f"{self.n_features} and {self.n_targets}; models add up only where both are the same."
            )


def _reciprocal_power(magnitude):
    """The power of two near ``1 / magnitude``; infinite for zero."""
    with np.errstate(divide="ignore"):
        return np.where(magnitude > 0, np.ldexp(1.0, np.clip(1 - np.frexp(magnitude)[1], -1000, 1000)), np.inf)


def _common_scale(a, b):
    """The scale that fits the most spread out of: either set of rows, and the distance between their means."""
    scale = np.minimum(
        np.where(a.scatter.diagonal() > 0, a.scale, np.inf), np.where(b.scatter.diagonal() > 0, b.scale, np.inf)
    )
    scale = np.minimum(scale, _reciprocal_power(np.abs(b.mean - a.mean)))
    return np.where(np.isfinite(scale), scale, 1.0)


def _loses_digits(scatter, before):
    return (scatter.diagonal() < _HALF_THE_DIGITS * before) & (before > 0)


def _settle_diagonal(scatter, before):
    """Rounding may leave a spread that is negative or all noise: such columns count as constant, with a warning."""
    poor = _loses_digits(scatter, before)
    if poor.any():
        warnings.warn(
            f"forget: {int(poor.sum())} columns keep less than {_HALF_THE_DIGITS:g} of their squared spread, so half "
            "of their digits or more are lost; fit anew on the rows that remain.",
            LossOfPrecisionWarning,
            stacklevel=5,
        )
    constant = scatter.diagonal() <= 64 * _EPS * before
    scatter[constant, :] = 0.0
    scatter[:, constant] = 0.0


def merged(statistics):
    """Statistics of all sets together, in their order."""
    return functools.reduce(FoldStatistics.merged, statistics)


def all_but_one(statistics):
    """For every set the statistics of all others: sums of those before and after it, about 3 K merges."""
    before = list(itertools.accumulate(statistics, FoldStatistics.merged))
    after = list(itertools.accumulate(statistics[::-1], FoldStatistics.merged))[::-1]
    inner = [a.merged(b) for a, b in zip(before, after[2:], strict=False)]
    return [after[1], *inner, before[-2]]
