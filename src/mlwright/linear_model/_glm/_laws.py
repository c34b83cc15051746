"""Quantiles of new observations by family, and the dispersions that they need."""

import numpy as np
from scipy import optimize, special, stats

_BISECTIONS = 60
_MANY_CLAIMS = 1e4  # of a row: the sum over their numbers is not worth its while beyond
_HIGHEST_LEVEL = 1.0 - 1e-12  # which that sum reaches: beyond, rounding decides
_LEAST_SQUARE = 1e-6  # of an inverse Gaussian's coefficient of variation: SciPy's quantiles need some spread
_LEAST_FREEDOM = 0.1  # of the residuals: with less they say nothing of the dispersion
_LEAST_KNOWN = 2.0  # degrees of freedom of an estimated dispersion
_FAR, _LEAST_ALPHA = 4.0, 1e-8
_POWERS = {"normal": 0.0, "gamma": 2.0, "inverse_gaussian": 3.0}  # of the mean, in the variance


def pearson_dispersion(law, y, mu, w, freedom):
    """Pearson's estimate of the dispersion; 1 where the family has none, NaN where no freedom is left to tell it."""
    if not law.family.dispersed:
        return 1.0
    if not freedom > _LEAST_FREEDOM:
        return np.nan
    if w is not None and not w.all():  # rows without weight may have any mean
        y, mu, w = y[w > 0.0], mu[w > 0.0], w[w > 0.0]
    square = (y - mu) ** 2 / law.family.variance(mu, law.parameter)
    return float((square if w is None else w * square).sum() / freedom)


def dispersion_freedom(law, mu, w, dispersion, freedom):
    """Degrees of freedom of Pearson's dispersion: of the chi-square law of its mean and variance (Satterthwaite).

    Squared residuals of long-tailed laws scatter more than those of the normal one: an exponential dispersion model of
    variance ``phi mu^p`` has the excess kurtosis ``phi p (2 p - 1) mu^(p - 2)``. That is estimated, too, so no fewer
    than two are taken, of a dispersion that scatters by its own size.

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2, 110-114. Jorgensen (1997), The Theory of Dispersion Models, section 3.
    """
    power = _POWERS.get(law.name, law.parameter)
    if power == 0.0:  # normal, whose means may be zero
        return freedom
    if w is not None:  # rows without weight may have any mean
        mu, w = mu[w > 0.0], w[w > 0.0]
    with np.errstate(over="ignore"):
        excess = dispersion * power * (2.0 * power - 1.0) * np.average(mu ** (power - 2.0), weights=w)
    if not np.isfinite(excess):
        return freedom
    return float(max(freedom / (1.0 + max(excess, 0.0) / 2.0), min(freedom, _LEAST_KNOWN)))


class ProfileAlpha:
    """The negative binomial's alpha of greatest likelihood at given means, for targets `y` of weights `w`.

    Where the derivative of the likelihood in log alpha is zero, by Brent's method; the digammas are those of the
    distinct targets.
    """

    def __init__(self, y, w):
        self.rows = slice(None) if w is None else w > 0.0  # others may have any mean
        self.y = y[self.rows]
        self.w = np.ones_like(y) if w is None else w[self.rows] / w.max()
        self.values, places = np.unique(self.y, return_inverse=True)
        self.counts = np.bincount(places.ravel(), self.w)

    def slope(self, log_alpha, mu):
        """Of the log-likelihood, less what does not depend on alpha, over the weight."""
        theta = np.exp(-log_alpha)
        digammas = self.counts @ (special.digamma(self.values + theta) - special.digamma(theta))
        excess = (mu - self.y) / (theta + mu)
        return -theta * float(digammas + self.w @ (excess - np.log1p(mu / theta))) / self.counts.sum()

    def best(self, mu, start):
        """Within a factor of 50 of `start`, or the end that is better."""
        mu, centre = mu[self.rows], np.log(start)
        low, high = max(centre - _FAR, np.log(_LEAST_ALPHA)), min(centre + _FAR, -np.log(_LEAST_ALPHA))
        if self.slope(low, mu) <= 0.0:
            return float(np.exp(low))
        if self.slope(high, mu) >= 0.0:
            return float(np.exp(high))
        return float(np.exp(optimize.brentq(self.slope, low, high, args=(mu,), xtol=1e-12, rtol=1e-14)))


def quantile(law, mu, dispersion, level):
    """The quantile of a new observation's law at means `mu`."""
    if law.name == "normal":
        return mu + np.sqrt(dispersion) * special.ndtri(level)
    if law.name == "poisson" or (law.name == "negative_binomial" and not np.any(law.parameter)):
        return stats.poisson.ppf(level, mu)
    if law.name == "binomial":
        return (1.0 - mu < level).astype(np.float64)
    if law.name == "negative_binomial":
        return stats.nbinom.ppf(level, 1.0 / law.parameter, 1.0 / (1.0 + law.parameter * mu))
    if not np.any(dispersion):  # rows that are fitted exactly
        return np.array(mu)
    if law.name == "gamma":
        return special.gammaincinv(1.0 / dispersion, level) * mu * dispersion
    if law.name == "inverse_gaussian":
        wide = mu * dispersion > _LEAST_SQUARE
        return _of_two_rules(_inverse_gaussian_quantile, wide, mu, 3.0, dispersion, level)
    if 1.0 < (p := law.parameter) < 2.0:
        few = mu ** (2 - p) < _MANY_CLAIMS * dispersion * (2 - p)
        return _of_two_rules(_compound_quantile, few, mu, p, dispersion, level)
    raise ValueError(
        f"predict_interval: a Tweedie law of power {law.parameter:g} has no quantiles here; expected 0, 3 or a power "
        "between 1 and 2."
    )


def _of_two_rules(exact, wide, mu, p, dispersion, level):
    """By the rule `exact` where the law is `wide`, else, where it is nearly normal, by its expansion."""
    dispersion, out = np.broadcast_to(dispersion, np.shape(mu)), np.empty(np.shape(mu))
    for rows, rule in ((wide, exact), (~wide, _expanded_quantile)):
        if rows.any():
            out[rows] = rule(mu[rows], p, dispersion[rows], level)
    return out


def _expanded_quantile(mu, p, dispersion, level):
    """By Cornish and Fisher, from the first four cumulants of a Tweedie law: to the third power of its skewness."""
    z, skew = special.ndtri(level), p * np.sqrt(dispersion) * mu ** (p / 2 - 1)
    excess = (2 - 1 / p) * skew**2
    z = z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    return mu + np.sqrt(dispersion) * mu ** (p / 2) * z


def _inverse_gaussian_quantile(mu, p, dispersion, level):
    return stats.invgauss.ppf(level, mu * dispersion, scale=1.0 / dispersion)


def _compound_quantile(mu, p, dispersion, level):
    """Of the compound Poisson-gamma law, by bisection of its distribution function, a sum over numbers of claims."""
    rate = mu ** (2 - p) / (dispersion * (2 - p))
    shape, scale = (2 - p) / (p - 1), dispersion * (p - 1) * mu ** (p - 1)
    most = int(np.max(rate) + 12 * np.sqrt(np.max(rate)) + 30)
    counts = np.arange(1, most + 1)
    mass = stats.poisson.pmf(counts, rate[..., None])

    def below(y):
        return np.exp(-rate) + (mass * special.gammainc(counts * shape, (y / scale)[..., None])).sum(axis=-1)

    level = min(level, _HIGHEST_LEVEL)
    low, high = np.zeros_like(mu), mu + 10 * np.sqrt(dispersion * mu**p)
    while (short := below(high) < level).any():
        high = np.where(short, 2 * high, high)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        under = below(middle) < level
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.where(np.exp(-rate) >= level, 0.0, (low + high) / 2)
