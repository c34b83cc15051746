"""Laws of new observations that are mixtures, one a row: of normal laws, and of Student's t laws.

Their quantiles are found by Newton's steps on the distribution function, kept within a bracket that halves where they
leave it; each by itself, so that what else is asked for changes no bit.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels import normal_mixture

_STEPS = 200
_CLOSE = 1e-10  # of the spread, of a last step: what is then left of the error is about its square


@dataclass(frozen=True, slots=True)
class NormalMixture:
    """An even mixture: draws that have noise of their own.

    Attributes
    ----------
    means : array of shape (n_draws, n)
    sds : array of shape (n_draws,) or (n_draws, n)
    """

    means: np.ndarray
    sds: np.ndarray

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        return normal_mixture.quantiles(self.means.T, self.sds.T, levels)

    def deviation(self):
        """Standard deviation, shape (n,)."""
        return np.sqrt(self.means.var(axis=0) + (self.sds**2).mean(axis=0))


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
        """Of shape (n, n_levels)."""
        return np.stack([self._quantile(level) for level in levels], axis=1)

    def deviation(self):
        """Standard deviation, shape (n,); infinite for two degrees of freedom or fewer."""
        if self.freedom <= 2.0:
            return np.full(len(self.mean), np.inf)
        mean = self.mean @ self.weight
        inside = self.scale**2 * (self.freedom / (self.freedom - 2.0))
        return np.sqrt((inside + (self.mean - mean[:, None]) ** 2) @ self.weight)

    def _quantile(self, level):
        ends = self.mean + self.scale * special.stdtrit(self.freedom, level)
        return _where_it_reaches(
            level, self._below, ends @ self.weight, ends.min(axis=1), ends.max(axis=1), self.scale @ self.weight
        )

    def _below(self, x, rows):
        f, scale = self.freedom, self.scale[rows]
        z = (x[:, None] - self.mean[rows]) / scale
        constant = special.gammaln(0.5 * (f + 1.0)) - special.gammaln(0.5 * f) - 0.5 * np.log(np.pi * f)
        density = np.exp(constant - 0.5 * (f + 1.0) * np.log1p(z * z / f)) / scale
        return special.stdtr(f, z) @ self.weight, density @ self.weight


def _where_it_reaches(level, below, x, low, high, spread):
    """Where each row's distribution function is `level`, from starts `x` on, between `low` and `high`.

    ``below(x, rows)`` gives the function of those rows at x, and the density.
    """
    active = np.arange(len(x))
    for _ in range(_STEPS):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share, density = below(x[active], active)
            over = share - level
            high[active] = np.where(over > 0.0, x[active], high[active])
            low[active] = np.where(over > 0.0, low[active], x[active])
            step = x[active] - over / density
            inside = (step >= low[active]) & (step <= high[active])
            moved = np.where(inside, step, 0.5 * (low[active] + high[active]))
            left = np.abs(moved - x[active]) > _CLOSE * spread[active]
        x[active] = moved
        active = active[left]
        if not len(active):
            break
    return x
