"""Rows of a mixture: complete ones in one native pass, incomplete ones in one for each pattern of what is missing."""

from functools import cached_property

import numpy as np

from mlwright._kernels import mixture as kernels
from mlwright.mixture._covariances import NATIVE
from mlwright.mixture._incomplete import pattern_pass, patterns_of
from mlwright.mixture._moments import Moments

FLOATS = (np.float64, np.float32)  # dtypes of rows as they are given; computed is in float64


def rows_of(X, w, dtype=np.float64):
    """The rows of X, where NaN stands for what is missing; `dtype` is the one they were given in."""
    rows = IncompleteRows(X, w) if np.isnan(X).any() else CompleteRows(X, w)
    rows.dtype = np.dtype(dtype)
    return rows


class CompleteRows:
    """Rows without a missing value.

    Parameters
    ----------
    X : float64 array of shape (n, d)
    w : float64 array of shape (n,), or None
    """

    def __init__(self, X, w):
        self.X, self.w = X, w
        self.total = float(len(X)) if w is None else float(w.sum())

    @property
    def filled(self):
        """Without NaN."""
        return self.X

    @cached_property
    def overall(self):
        """Moments of all rows as one component, about their mean."""
        ones = np.ones((len(self.X), 1))
        centre = np.average(self.X, axis=0, weights=self.w)[None]
        found = kernels.moments_of(self.X, self.w, ones, "full", centre)
        return Moments(centre, found.mass, found.sums, found.squares)

    def expect(self, gaussians, *, moments=True):
        """Moments about the means, with the responsibilities that `gaussians` give."""
        found = self._pass(gaussians, moments=moments)
        return self._moments(found, gaussians.means, gaussians.covariance_type)

    def answers(self, gaussians):
        """Log densities, shape (n,), and responsibilities, shape (n, k)."""
        found = self._pass(gaussians, moments=False, rows=True)
        return found.log_density, found.responsibility

    def moments_of(self, responsibility, covariance_type):
        """Moments of given responsibilities."""
        centres = np.repeat(self.overall.centres, responsibility.shape[1], axis=0)
        found = kernels.moments_of(self.X, self.w, responsibility, NATIVE[covariance_type], centres)
        moments = self._moments(found, centres, covariance_type)
        if covariance_type == "tied":
            # A start may leave rows out. scikit-learn counts their squares even so, about zero.
            centre, sums = self.overall.centres, found.sums.sum(axis=0)[None]
            left_out = self.total - found.mass.sum()
            moments.squares[...] += left_out * centre.T @ centre - centre.T @ sums - sums.T @ centre
        return moments

    def _pass(self, gaussians, **wants):
        return kernels.expect(
            self.X, self.w, NATIVE[gaussians.covariance_type], gaussians.means, gaussians.native_factors,
            gaussians.constants, **wants,
        )  # fmt: skip

    def _moments(self, found, centres, covariance_type):
        squares = self._pooled(found, centres) if covariance_type == "tied" else found.squares
        return Moments(centres, found.mass, found.sums, squares, found.log_likelihood, found.entropy)

    def _pooled(self, found, centres):
        """Squares about the components' centres: from those of all rows, which no responsibility changes."""
        step = centres - self.overall.centres
        across = found.sums.T @ step
        return self.overall.squares[0] - across - across.T - (found.mass[:, None] * step).T @ step


class IncompleteRows:
    """Rows with NaN for what is missing, which is integrated out.

    Parameters
    ----------
    X : float64 array of shape (n, d)
    w : float64 array of shape (n,), or None
    """

    def __init__(self, X, w):
        self.X, self.w = X, w
        self.total = float(len(X)) if w is None else float(w.sum())
        self.patterns = patterns_of(X, w)

    @cached_property
    def filled(self):
        """With the mean of its column in place of a missing value: what the start is made from."""
        known = ~np.isnan(self.X)
        weight = known if self.w is None else known * self.w[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(known, self.X, 0.0).astype(np.float64)
            means = (means * weight).sum(axis=0) / weight.sum(axis=0)
        return np.where(known, self.X, np.nan_to_num(means))

    def expect(self, gaussians, *, moments=True):
        """Moments about the means, with the responsibilities that `gaussians` give."""
        full = gaussians.in_full()
        total = None
        for pattern in self.patterns:
            found, _ = pattern_pass(pattern, full, moments=moments)
            total = found if total is None else total.plus(found)
        return _reduced(total, gaussians.covariance_type)

    def answers(self, gaussians):
        """Log densities, shape (n,), and responsibilities, shape (n, k)."""
        full = gaussians.in_full()
        log_density, responsibility = np.empty(len(self.X)), np.empty((len(self.X), len(full.means)))
        for pattern in self.patterns:
            _, found = pattern_pass(pattern, full, moments=False, rows=True)
            log_density[pattern.index], responsibility[pattern.index] = found.log_density, found.responsibility
        return log_density, responsibility

    @cached_property
    def _complete(self):
        return CompleteRows(self.filled, self.w)

    @property
    def overall(self):
        """Moments of all rows as they are filled."""
        return self._complete.overall

    def moments_of(self, responsibility, covariance_type):
        """Moments of given responsibilities, of the rows as they are filled."""
        return self._complete.moments_of(responsibility, covariance_type)


def _reduced(moments, covariance_type):
    """Moments with full squares to those of a covariance type."""
    squares = moments.squares
    if covariance_type == "tied":
        squares = squares.sum(axis=0)
    elif covariance_type != "full":
        squares = np.diagonal(squares, axis1=1, axis2=2)
    return Moments(moments.centres, moments.mass, moments.sums, squares, moments.log_likelihood, moments.entropy)
