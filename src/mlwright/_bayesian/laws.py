"""Laws of new observations, one a row: what intervals and quantiles are read from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels.order_statistics import order_statistics

_NUMBERS_AT_ONCE = 1 << 22  # 32 MiB


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
    """The law of draws; its quantiles are NumPy's, to the bit.

    Attributes
    ----------
    draws : array of shape (n, n_draws)
    of : callable
        An increasing function, of which draws are meant: only those that quantiles lie between are asked for.
    """

    draws: np.ndarray
    of: Callable | None = None

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        place = levels * (self.draws.shape[1] - 1)
        before = np.floor(place)
        found = order_statistics(self.draws, before.astype(np.int64))
        low, high = np.moveaxis(found if self.of is None else self.of(found), 2, 0)
        part, step = place - before, np.subtract(high, low, out=np.zeros_like(low), where=high != low)
        return np.where(part < 0.5, low + step * part, high - step * (1.0 - part))


@dataclass(frozen=True, slots=True)
class LawInParts:
    """The law of many rows, of which some at a time are in memory.

    Attributes
    ----------
    n : int
        Rows.
    width : int
        Numbers that a row takes.
    of_rows : callable
        ``of_rows(begin, end)``: the law of those rows.
    """

    n: int
    width: int
    of_rows: Callable

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        return np.concatenate([law.quantiles(levels) for law in self._parts()])

    def deviation(self):
        """Standard deviations, shape (n,)."""
        return np.concatenate([law.deviation() for law in self._parts()])

    def _parts(self):
        step = max(1, _NUMBERS_AT_ONCE // self.width)
        return (self.of_rows(begin, min(begin + step, self.n)) for begin in range(0, self.n, step))
