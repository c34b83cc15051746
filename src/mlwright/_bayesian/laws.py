"""Laws of new observations, one a row: what intervals and quantiles are read from."""

from dataclasses import dataclass

import numpy as np
from scipy import special

_BISECTIONS = 50


@dataclass(frozen=True, slots=True)
class StudentLaw:
    """Student's t about a mean; the normal law for infinitely many degrees of freedom.

    Attributes
    ----------
    mean, scale : arrays of shape (n,), or (n, n_targets)
    freedom : float, or array of that shape for densities
    """

    mean: np.ndarray
    scale: np.ndarray
    freedom: float | np.ndarray = np.inf

    def quantiles(self, levels):
        """Of shape (n, n_levels), or (n, n_targets, n_levels)."""
        unit = special.ndtri(levels) if np.isinf(self.freedom) else special.stdtrit(self.freedom, levels)
        return self.mean[..., None] + self.scale[..., None] * unit

    def log_density(self, y):
        """Of an observation a row."""
        z = (y - self.mean) / self.scale
        if np.isscalar(self.freedom) and np.isinf(self.freedom):
            return -0.5 * (z * z + np.log(2.0 * np.pi)) - np.log(self.scale)
        f = self.freedom
        constant = special.gammaln(0.5 * (f + 1.0)) - special.gammaln(0.5 * f) - 0.5 * np.log(np.pi * f)
        return constant - np.log(self.scale) - 0.5 * (f + 1.0) * np.log1p(z * z / f)


@dataclass(frozen=True, slots=True)
class DrawnLaw:
    """The law of draws.

    Attributes
    ----------
    draws : array of shape (n_draws, n)
    """

    draws: np.ndarray

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        return np.quantile(self.draws, levels, axis=0).T


@dataclass(frozen=True, slots=True)
class StudentMixture:
    """A mixture of Student's t laws.

    Attributes
    ----------
    mean, scale : arrays of shape (n, m)
        Of each component at each row.
    weight : array of shape (m,)
        They add up to 1.
    freedom : float
    """

    mean: np.ndarray
    scale: np.ndarray
    weight: np.ndarray
    freedom: float

    def quantiles(self, levels):
        """Of shape (n, n_levels): by bisection between the extreme components' quantiles, to the last bits."""
        unit = special.stdtrit(self.freedom, levels)
        ends = self.mean[:, :, None] + self.scale[:, :, None] * unit
        low, high = ends.min(axis=1), ends.max(axis=1)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            z = (middle[:, None, :] - self.mean[:, :, None]) / self.scale[:, :, None]
            below = np.einsum("m,nml->nl", self.weight, special.stdtr(self.freedom, z)) < levels
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    def deviation(self):
        """Standard deviation, shape (n,); infinite for two degrees of freedom or fewer."""
        if self.freedom <= 2.0:
            return np.full(len(self.mean), np.inf)
        mean = self.mean @ self.weight
        inside = self.scale**2 * (self.freedom / (self.freedom - 2.0))
        return np.sqrt((inside + (self.mean - mean[:, None]) ** 2) @ self.weight)
