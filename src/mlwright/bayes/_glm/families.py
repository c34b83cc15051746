"""Families with a likelihood: log densities of rows, draws of them, and what the native density needs of y."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._bayesian.laws import DrawnLaw
from mlwright._bayesian.mixtures import ClassMixture, CountMixture
from mlwright._kernels import glm_density as gd
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._links import LINKS

_MOST = 1e15  # of a mean that counts are drawn with


@dataclass(frozen=True)
class Family:
    """What a family's likelihood is made of; a dispersion phi is 1 where the family has none.

    Attributes
    ----------
    dispersion : int
        Of ``_kernels.glm_density``.
    log_density : callable
        ``log_density(y, eta, mu, phi, link)`` of rows, normalised.
    draw : callable
        ``draw(rng, mu, phi)``: new observations.
    mixture : callable, or None
        ``mixture(means, phi)``: the law of observations by means (n, n_draws) and dispersions (n_draws,), each draw as
        likely as any, where that is known.
    shared : pair of callables, or None
        Elsewhere, ``draw`` in two steps: ``shared[0](rng, phi, shape)`` are random numbers, and
        ``shared[1](numbers, mu, phi)`` what is observed, so that many means may share the numbers.
    left_out : callable
        ``left_out(y)``: what the native density leaves out of the log density of a row.
    moment : callable
        ``moment(y)``, whose weighted sum ``sampler/glm/dispersion.hpp`` asks for.
    """

    dispersion: int
    log_density: Callable
    draw: Callable
    left_out: Callable
    moment: Callable = np.zeros_like
    mixture: Callable | None = None
    shared: tuple[Callable, Callable] | None = None


def _in_two_steps(numbers, observed):
    """``draw`` and ``shared`` of a family."""
    return {
        "draw": lambda rng, mu, phi: observed(numbers(rng, phi, mu.shape), mu, phi),
        "shared": (numbers, observed),
    }


def _normal(y, eta, mu, phi, link):
    return -0.5 * ((y - mu) ** 2 / phi + np.log(2.0 * np.pi * phi))


def _binomial(y, eta, mu, phi, link):
    if link == "logit":
        if ((y == 0.0) | (y == 1.0)).all():  # classes: one logarithm is enough
            return special.log_expit(np.where(y == 1.0, eta, -eta))
        inside, outside = special.log_expit(eta), special.log_expit(-eta)
    elif link == "probit":
        inside, outside = special.log_ndtr(eta), special.log_ndtr(-eta)
    else:
        with np.errstate(over="ignore", divide="ignore"):
            outside = -np.exp(eta)
            inside = np.where(eta < -30.0, eta, np.log(-np.expm1(outside)))
    return np.where(y == 0.0, 0.0, y * inside) + np.where(y == 1.0, 0.0, (1.0 - y) * outside)


def _poisson(y, eta, mu, phi, link):
    return np.where(y == 0.0, 0.0, y * (eta if link == "log" else np.log(mu))) - mu - special.gammaln(y + 1.0)


def _gamma(y, eta, mu, phi, link):
    v = 1.0 / phi
    return v * np.log(v / mu) - special.gammaln(v) + (v - 1.0) * np.log(y) - v * y / mu


def _inverse_gaussian(y, eta, mu, phi, link):
    return -0.5 * ((y - mu) ** 2 / (phi * mu**2 * y) + np.log(2.0 * np.pi * phi * y**3))


def _negative_binomial(y, eta, mu, phi, link):
    size = 1.0 / phi
    constant = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1.0)
    shifted = eta + np.log(phi)  # the log of phi mu
    return constant + y * shifted - (y + size) * np.logaddexp(0.0, shifted)


def _wald(numbers, mu, phi):
    """The smaller root ``r`` of a chi-square, or with probability ``r / (mu + r)`` less than 1 the larger ``mu^2 / r``.

    Michael, Schucany, Haas (1976), Generating random variates using transformations with multiple roots. The American
    Statistician 30. In a form that cancels nothing.
    """
    square, place = numbers
    w = mu * square
    ratio = 1.0 / (1.0 + w + np.sqrt(w * (2.0 + w)))  # of the smaller root to the mean
    return np.where(place * (1.0 + ratio) <= 1.0, mu * ratio, mu / ratio)


def _count_constant(y):
    return -special.gammaln(y + 1.0)


FAMILIES = {
    "normal": Family(
        gd.NORMAL_FAMILY,
        _normal,
        left_out=lambda y: np.full(len(y), -0.5 * np.log(2.0 * np.pi)),
        **_in_two_steps(
            lambda rng, phi, shape: np.sqrt(phi) * rng.standard_normal(shape), lambda noise, mu, phi: mu + noise
        ),
    ),
    "binomial": Family(
        gd.NO_DISPERSION,
        _binomial,
        lambda rng, mu, phi: (rng.random(mu.shape) < mu).astype(np.float64),
        np.zeros_like,
        mixture=lambda means, phi: ClassMixture(means),
    ),
    "poisson": Family(
        gd.NO_DISPERSION,
        _poisson,
        lambda rng, mu, phi: rng.poisson(np.minimum(mu, _MOST)).astype(np.float64),
        _count_constant,
        mixture=lambda means, phi: CountMixture(means),
    ),
    "gamma": Family(
        gd.GAMMA,
        _gamma,
        left_out=np.zeros_like,
        moment=np.log,
        **_in_two_steps(
            lambda rng, phi, shape: rng.gamma(np.broadcast_to(1.0 / phi, shape)) * phi,
            lambda factor, mu, phi: factor * mu,
        ),
    ),
    "inverse_gaussian": Family(
        gd.INVERSE_GAUSSIAN,
        _inverse_gaussian,
        left_out=lambda y: -0.5 * np.log(2.0 * np.pi * y**3),
        moment=lambda y: 0.5 / y,
        **_in_two_steps(
            lambda rng, phi, shape: (0.5 * phi * np.square(rng.standard_normal(shape)), rng.random(shape)), _wald
        ),
    ),
    "negative_binomial": Family(
        gd.NEGATIVE_BINOMIAL,
        _negative_binomial,
        lambda rng, mu, phi: rng.poisson(
            np.minimum(rng.gamma(np.broadcast_to(1.0 / phi, mu.shape)) * (mu * phi), _MOST)
        ).astype(np.float64),
        _count_constant,
        lambda y: y,
        CountMixture,
    ),
}


# The normal law's mean tends to 0, or the inverse Gaussian's to infinity, where it is Levy's.
_LEVEL_OFF = {
    ("normal", "log"), ("normal", "inverse"), ("inverse_gaussian", "log"), ("inverse_gaussian", "identity"),
}  # fmt: skip


@dataclass(frozen=True)
class Law:
    """A family with a link.

    Attributes
    ----------
    name, link : str
    """

    name: str
    link: str

    @classmethod
    def of(cls, family, link):
        """ValueError where they do not go together."""
        return cls(family, law_of(family, link).link)

    @property
    def family(self):
        return FAMILIES[self.name]

    @property
    def row(self):
        """The loss, the domain and the variance of the family, as ``linear_model`` knows them."""
        return law_of(self.name, self.link)

    @property
    def loss(self):
        """Of the family, the parameter of one that has any being 1."""
        return self.row.loss

    @property
    def dispersed(self):
        return self.family.dispersion != gd.NO_DISPERSION

    @property
    def in_units_of_y(self):
        """Whether scores are in the units of y: then so are the scales of priors."""
        return self.name == "normal" and self.link == "identity"

    @property
    def levels_off(self):
        """Whether the likelihood of a row tends to a number above zero where scores end: a flat prior of the intercept
        then has an improper posterior, however many rows there are.
        """
        return (self.name, self.link) in _LEVEL_OFF

    def mean(self, eta):
        return LINKS[self.link].mean(eta)

    def score(self, mu):
        return LINKS[self.link].score(mu)

    def log_density(self, y, eta, phi=1.0):
        """Normalised log densities of rows; minus infinity where the mean is outside its domain."""
        with np.errstate(all="ignore"):
            value = self.family.log_density(y, eta, self.mean(eta), phi, self.link)
        return np.where(np.isnan(value), -np.inf, value)

    def draw(self, rng, mu, phi=1.0):
        return self.family.draw(rng, mu, phi)

    def observer(self, rng, phi, n_draws):
        """What gives, of means (n, n_draws), the laws of observations; what is drawn for them is the same for all rows.

        `phi` has shape (n_draws,), or (1,) where the family has no dispersion.
        """
        if self.family.mixture is not None:
            return lambda mu: self.family.mixture(mu, phi)
        numbers, observed = self.family.shared
        drawn = numbers(rng, phi, (n_draws,))
        return lambda mu: DrawnLaw(observed(drawn, mu, phi))

    def variance(self, mu, phi=1.0):
        """Of an observation about its mean."""
        if self.row.family.dispersed:
            return phi * self.row.family.variance(mu, None)
        return self.row.family.variance(mu, phi)

    def unit_of_dispersion(self, y, w):
        """What the root of the dispersion is measured by: the spread of y, or nothing, or 1 / sqrt(mean)."""
        w = np.ones(len(y)) if w is None else w
        mean = (w @ y) / w.sum()
        if self.name == "normal" and not self.in_units_of_y:
            return float(np.sqrt((w @ (y - mean) ** 2) / w.sum()))
        return float(mean**-0.5) if self.name == "inverse_gaussian" else 1.0
