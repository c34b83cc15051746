"""Laws of new observations, one a row: what intervals and quantiles are read from."""

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True, slots=True)
class StudentLaw:
    """Student's t about a mean; the normal law for infinitely many degrees of freedom.

    Attributes
    ----------
    mean, scale : arrays of shape (n,)
    freedom : float
    """

    mean: np.ndarray
    scale: np.ndarray
    freedom: float = np.inf

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        unit = special.ndtri(levels) if np.isinf(self.freedom) else special.stdtrit(self.freedom, levels)
        return self.mean[:, None] + self.scale[:, None] * unit

    def log_density(self, y):
        """Of an observation a row."""
        z = (y - self.mean) / self.scale
        if np.isinf(self.freedom):
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
