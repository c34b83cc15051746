"""The law of a new observation under draws that have noise of their own: an even mixture of normal laws."""

from dataclasses import dataclass

import numpy as np
from scipy import special

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_STEPS = 200


@dataclass(frozen=True, slots=True)
class NormalMixture:
    """Of each row.

    Attributes
    ----------
    means : array of shape (n_draws, n)
    sds : array of shape (n_draws,)
    """

    means: np.ndarray
    sds: np.ndarray

    def quantiles(self, levels):
        """Of shape (n, n_levels), each found by itself: what else is asked for changes no bit."""
        return np.stack([self._quantile(level) for level in levels], axis=1)

    def _quantile(self, level):
        """Newton's steps on the distribution function, kept within a bracket that halves where they leave it."""
        centre = self.means.mean(axis=0)
        spread = np.sqrt(self.means.var(axis=0) + (self.sds**2).mean())
        reach = abs(special.ndtri(level)) + 1.0
        low = self.means.min(axis=0) - reach * self.sds.max()
        high = self.means.max(axis=0) + reach * self.sds.max()
        x = np.clip(centre + spread * special.ndtri(level), low, high)
        active = np.arange(len(x))
        for _ in range(_STEPS):
            z = (x[active] - self.means[:, active]) / self.sds[:, None]
            over = special.ndtr(z).mean(axis=0) - level
            slope = (np.exp(-0.5 * z * z) / self.sds[:, None]).mean(axis=0) / _ROOT_TWO_PI
            high[active] = np.where(over > 0, x[active], high[active])
            low[active] = np.where(over > 0, low[active], x[active])
            with np.errstate(divide="ignore", invalid="ignore"):
                step = x[active] - over / slope
            inside = (step > low[active]) & (step < high[active])
            moved = np.where(inside, step, 0.5 * (low[active] + high[active]))
            done = np.abs(moved - x[active]) <= 1e-12 * spread[active]
            x[active] = moved
            active = active[~done]
            if not len(active):
                break
        return x
