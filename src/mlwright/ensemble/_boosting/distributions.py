"""The normal and the lognormal law in closed form, by the mean m and the standard deviation s of the normal one."""

import numpy as np

_SQRT_PI, _SQRT_TWO_PI = np.sqrt(np.pi), np.sqrt(2 * np.pi)


class NormalLaw:
    """The target itself is normal."""

    @staticmethod
    def to_normal(y):
        return y

    @staticmethod
    def from_normal(z):
        return z

    @staticmethod
    def mean(m, s):
        return m

    @staticmethod
    def std(m, s):
        return s

    @staticmethod
    def quantile(level, m, s):
        from scipy.special import ndtri

        return m + s * ndtri(level)

    @staticmethod
    def cdf(y, m, s):
        from scipy.special import ndtr

        return ndtr((y - m) / s)

    @staticmethod
    def log_density(y, m, s):
        return -(((y - m) / s) ** 2) / 2 - np.log(s * _SQRT_TWO_PI)

    @staticmethod
    def crps(y, m, s):
        """Gneiting and Raftery (2007), equation 21."""
        from scipy.special import ndtr

        z = (y - m) / s
        return s * (z * (2 * ndtr(z) - 1) + 2 * np.exp(-(z**2) / 2) / _SQRT_TWO_PI - 1 / _SQRT_PI)


class LogNormalLaw:
    """The logarithm of the target is normal."""

    @staticmethod
    def to_normal(y):
        outside = np.flatnonzero(~(y > 0))
        if len(outside):
            raise ValueError(
                f"y: row {outside[0]} is {y[outside[0]]!r}, expected numbers > 0 for distribution='lognormal'; remove "
                "or correct such rows, or choose 'normal'"
            )
        return np.log(y)

    @staticmethod
    def from_normal(z):
        return np.exp(z)

    @staticmethod
    def mean(m, s):
        return np.exp(m + s**2 / 2)

    @staticmethod
    def std(m, s):
        return np.exp(m + s**2 / 2) * np.sqrt(np.expm1(s**2))

    @staticmethod
    def quantile(level, m, s):
        return np.exp(NormalLaw.quantile(level, m, s))

    @staticmethod
    def cdf(y, m, s):
        return np.where(y > 0, NormalLaw.cdf(np.log(np.where(y > 0, y, 1.0)), m, s), 0.0)

    @staticmethod
    def log_density(y, m, s):
        log_y = np.log(np.where(y > 0, y, 1.0))
        return np.where(y > 0, NormalLaw.log_density(log_y, m, s) - log_y, -np.inf)

    @staticmethod
    def crps(y, m, s):
        """Baran and Lerch (2015), Quarterly Journal of the Royal Meteorological Society 141, equation 8."""
        from scipy.special import ndtr

        positive = y > 0
        z = (np.log(np.where(positive, y, 1.0)) - m) / s
        below, shifted = np.where(positive, ndtr(z), 0.0), np.where(positive, ndtr(z - s), 0.0)
        return y * (2 * below - 1) - 2 * np.exp(m + s**2 / 2) * (shifted + ndtr(s / np.sqrt(2)) - 1)


#: By the name that users give.
LAWS = {"normal": NormalLaw, "lognormal": LogNormalLaw}
