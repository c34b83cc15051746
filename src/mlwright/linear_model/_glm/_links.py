"""Links of generalized linear models: the mean as a function of the score, and back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Link:
    """``mean`` of a score and ``score`` of a mean, both over arrays."""

    mean: Callable
    score: Callable


def _same(a):
    return a


def _reciprocal(a):
    with np.errstate(divide="ignore"):
        return 1.0 / np.asarray(a)


def _exp(eta):
    with np.errstate(over="ignore"):
        return np.exp(eta)


def _inverse_root(eta):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(eta) ** -0.5


def _inverse_square(mu):
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(mu) ** -2.0


LINKS = {
    "identity": Link(_same, _same),
    "log": Link(_exp, np.log),
    "logit": Link(special.expit, special.logit),
    "probit": Link(special.ndtr, special.ndtri),
    "cloglog": Link(lambda eta: -np.expm1(-_exp(eta)), lambda mu: np.log(-np.log1p(-mu))),
    "inverse": Link(_reciprocal, _reciprocal),
    "inverse_squared": Link(_inverse_root, _inverse_square),
}
