"""Laws of new observations that are mixtures, one a row: of normal, of Student's t, and of laws of counts and classes.

Their quantiles are found by Newton's steps on the distribution function, kept within a bracket that halves where they
leave it; each by itself, so that what else is asked for changes no bit. Where the law is of counts, a quantile is the
least count whose distribution function is at least the level.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels import count_mixture, normal_mixture

_STEPS = 200
_CLOSE = 1e-7  # of the spread, of a last step: what is then left of the error is about its square


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
class CountMixture:
    """An even mixture of Poisson laws, or of negative binomial ones.

    Attributes
    ----------
    means : array of shape (n, n_draws)
    dispersions : array of shape (n_draws,), or None
        Variances are ``mean + dispersion * mean**2``; None for Poisson laws.
    """

    means: np.ndarray
    dispersions: np.ndarray | None = None

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        return count_mixture.quantiles(self.means, self.dispersions, levels)


@dataclass(frozen=True, slots=True)
class ClassMixture:
    """An even mixture of laws of 0 and 1.

    Attributes
    ----------
    probabilities : array of shape (n, n_draws)
        Of 1.
    """

    probabilities: np.ndarray

    def quantiles(self, levels):
        """Of shape (n, n_levels)."""
        return (1.0 - self.probabilities.mean(axis=1, keepdims=True) < levels).astype(np.float64)


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
        unit = _UnitStudent(self.freedom)
        return np.stack([self._quantile(level, unit) for level in levels], axis=1)

    def deviation(self):
        """Standard deviation, shape (n,); infinite for two degrees of freedom or fewer."""
        if self.freedom <= 2.0:
            return np.full(len(self.mean), np.inf)
        mean = self.mean @ self.weight
        inside = self.scale**2 * (self.freedom / (self.freedom - 2.0))
        return np.sqrt((inside + (self.mean - mean[:, None]) ** 2) @ self.weight)

    def _quantile(self, level, unit):
        reach = special.stdtrit(self.freedom, level)
        ends, spread = self.mean + self.scale * reach, self.scale @ self.weight
        centre = self.mean @ self.weight
        around = np.square(self.mean - centre[:, None]) @ self.weight
        low, high = ends.min(axis=1), ends.max(axis=1)
        start = np.clip(centre + reach * np.sqrt(np.square(spread) + around), low, high)

        def below(x, rows):
            scale = self.scale[rows]
            share, density = unit.below((x[:, None] - self.mean[rows]) / scale)
            return share @ self.weight, (density / scale) @ self.weight

        return _where_it_reaches(level, below, start, low, high, spread)


class _UnitStudent:
    """The distribution function of Student's t, from its values and densities on a grid of ``asinh(z)``: within 1e-11.

    An incomplete beta function for every row and component would be most of the time of an interval.
    """

    _STEP, _FARTHEST = 1.0 / 256.0, 9.0  # z up to 4000; what lies beyond is computed

    def __init__(self, freedom):
        self._freedom = freedom
        u = np.arange(-self._FARTHEST, self._FARTHEST + 2.0 * self._STEP, self._STEP)
        z = np.sinh(u)
        constant = (
            special.gammaln(0.5 * (freedom + 1.0)) - special.gammaln(0.5 * freedom) - 0.5 * np.log(np.pi * freedom)
        )
        density = np.exp(constant - 0.5 * (freedom + 1.0) * np.log1p(z * z / freedom))
        self._share, self._slope = special.stdtr(freedom, z), self._STEP * density * np.cosh(u)

    def below(self, z):
        """The function and its derivative; NaN of NaN."""
        place = (np.clip(np.arcsinh(z), -self._FARTHEST, self._FARTHEST) + self._FARTHEST) / self._STEP
        at = np.nan_to_num(place).astype(np.intp)
        t = place - at
        low, rise = self._share[at], self._share[at + 1] - self._share[at]
        m0, m1 = self._slope[at], self._slope[at + 1]
        share = low + t * (m0 + t * (3.0 * rise - 2.0 * m0 - m1 + t * (m0 + m1 - 2.0 * rise)))
        slope = m0 + t * (2.0 * (3.0 * rise - 2.0 * m0 - m1) + 3.0 * t * (m0 + m1 - 2.0 * rise))
        far = np.abs(z) > np.sinh(self._FARTHEST)
        if far.any():
            share[far] = special.stdtr(self._freedom, z[far])
        return share, slope / (self._STEP * np.hypot(1.0, z))


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
