"""Families of generalized linear models: their losses by link, domains, variances, deviances and laws."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import special

from mlwright._kernels.glm import GlmLoss


def _one(mu, p):
    return np.ones_like(mu)


@dataclass(frozen=True)
class Family:
    """An exponential family.

    Attributes
    ----------
    losses : dict
        Name of the loss (``loss/glm_list.hpp``) by link; the first link is the default.
    domain : callable
        ``domain(y) -> bool array``.
    domain_words : str
    variance : callable
        ``variance(mu, parameter)``, without the dispersion.
    saturated : callable
        ``saturated(y, parameter)``: the loss at ``mu = y``, of every row.
    dispersed : bool
        Whether the variance has a factor of its own, to be estimated.
    positive_mean : bool
    """

    losses: dict
    domain: Callable
    domain_words: str
    variance: Callable
    saturated: Callable
    dispersed: bool = True
    positive_mean: bool = True
    extra: dict = field(default_factory=dict)

    @property
    def default_link(self):
        return next(iter(self.losses))


def _finite(y):
    return np.isfinite(y)


def _not_negative(y):
    return np.isfinite(y) & (y >= 0)


def _positive(y):
    return np.isfinite(y) & (y > 0)


def _binary_entropy(y, p):
    return special.entr(y) + special.entr(1.0 - y)


def _negative_binomial_saturated(y, alpha):
    return (y + 1 / alpha) * np.log1p(alpha * y) - special.xlogy(y, y)


def _tweedie_saturated(y, p):
    if p <= 0 or p > 2:
        return np.abs(y) ** (2 - p) * (1 / (2 - p) - 1 / (1 - p)) if p != 0 else np.zeros_like(y)
    return y ** (2 - p) * (1 / (2 - p) - 1 / (1 - p))


FAMILIES = {
    "normal": Family(
        {"identity": "squared_error", "log": "normal_log", "inverse": "normal_inverse"},
        _finite,
        "finite numbers",
        _one,
        lambda y, p: np.zeros_like(y),
        positive_mean=False,
    ),
    "binomial": Family(
        {"logit": "binary_log_loss", "probit": "probit", "cloglog": "cloglog"},
        lambda y: (y >= 0) & (y <= 1),
        "shares between 0 and 1",
        lambda mu, p: mu * (1 - mu),
        _binary_entropy,
        dispersed=False,
    ),
    "poisson": Family(
        {"log": "poisson", "identity": "poisson_identity"},
        _not_negative,
        "numbers >= 0",
        lambda mu, p: mu,
        lambda y, p: y - special.xlogy(y, y),
        dispersed=False,
    ),
    "gamma": Family(
        {"log": "gamma", "inverse": "gamma_inverse", "identity": "gamma_identity"},
        _positive,
        "numbers > 0",
        lambda mu, p: mu**2,
        lambda y, p: 1.0 + np.log(y),
    ),
    "inverse_gaussian": Family(
        {
            "log": "inverse_gaussian_log",
            "inverse": "inverse_gaussian_inverse",
            "inverse_squared": "inverse_gaussian_inverse_squared",
            "identity": "inverse_gaussian_identity",
        },
        _positive,
        "numbers > 0",
        lambda mu, p: mu**3,
        lambda y, p: -0.5 / y,
    ),
    "negative_binomial": Family(
        {"log": "negative_binomial"},
        _not_negative,
        "numbers >= 0",
        lambda mu, alpha: mu + alpha * mu**2,
        _negative_binomial_saturated,
        dispersed=False,
    ),
    "tweedie": Family(
        {"log": "tweedie_log", "identity": "tweedie_identity"},
        _not_negative,
        "numbers >= 0",
        lambda mu, p: mu**p,
        _tweedie_saturated,
    ),
}

#: Tweedie powers that are families of their own.
_POWERS = {0.0: "normal", 1.0: "poisson", 2.0: "gamma", 3.0: "inverse_gaussian"}


@dataclass(frozen=True)
class Law:
    """A family with its link and parameter: what an estimator fits."""

    name: str
    family: Family
    link: str
    parameter: float
    has_law: bool = True

    def with_parameter(self, parameter):
        """The same law with another parameter, or an array of them."""
        return replace(self, parameter=parameter)

    @property
    def loss(self):
        return GlmLoss(self._loss_name(), self.parameter)

    def _loss_name(self):
        if self.name == "tweedie" and self.link == "log" and 1.0 < self.parameter < 2.0:
            return "tweedie"  # convex, with its exact Hessian
        return self.family.losses[self.link]

    def first_outside(self, y):
        """The first row whose target is outside the domain, or -1."""
        inside = self.family.domain(y)
        if self.name == "tweedie" and self.parameter >= 2.0:
            inside = _positive(y)
        elif self.name == "tweedie" and self.parameter < 0.0:
            inside = _finite(y)
        return -1 if inside.all() else int(np.flatnonzero(~inside)[0])

    def first_beyond(self, y):
        """The first row whose target overflows in the family's variance or deviance, and the largest that does not."""
        power = {"inverse_gaussian": 3.0, "tweedie": self.parameter}.get(self.name, 0.0)
        largest = 10.0 ** (300.0 / max(2.0, power, 2.0 - power))
        size = np.abs(y)
        beyond = (size > largest) | ((size > 0.0) & (size < 1.0 / largest) & (power > 2.0))
        return (int(np.argmax(beyond)) if beyond.any() and largest < 1e149 else -1), largest

    @property
    def positive_only(self):
        """Whether it refuses negative targets."""
        return self.first_outside(np.array([-1.0])) >= 0

    def start_of(self, y, w):
        """The score that a fit starts from; NaN for that of the mean."""
        return np.nan

    @property
    def domain_words(self):
        if self.name == "tweedie":
            return "finite numbers" if self.parameter < 0 else "numbers > 0" if self.parameter >= 2 else "numbers >= 0"
        return self.family.domain_words

    def saturated(self, y, w):
        """The least sum of losses that any model could have."""
        each = self.family.saturated(y, self.parameter)
        return float(each.sum() if w is None else (w * each)[w > 0].sum())


def law_of(family, link, *, power=1.5, dispersion=1.0):
    """The law that an estimator's parameters name.

    Raises
    ------
    ValueError
        For a family or link that is not there, or that do not go together.
    """
    if family not in FAMILIES:
        raise ValueError(f"family: got {family!r}, expected one of {', '.join(map(repr, FAMILIES))}.")
    name, parameter = family, 0.0
    if family == "tweedie":
        name, parameter = _POWERS.get(float(power), "tweedie"), float(power)
        if 0.0 < power < 1.0:
            raise ValueError(f"power: got {power!r}, but no Tweedie law has a power between 0 and 1; use 0 or 1.")
    elif family == "negative_binomial":
        parameter = float(dispersion)
    row = FAMILIES[name]
    chosen = row.default_link if link in (None, "auto") else link
    if chosen not in row.losses:
        raise ValueError(
            f"link: got {link!r}, which family {family!r} has no loss for; expected one of "
            f"{', '.join(map(repr, row.losses))}, or 'auto'."
        )
    return Law(name, row, chosen, parameter if name in ("tweedie", "negative_binomial") else 0.0)
