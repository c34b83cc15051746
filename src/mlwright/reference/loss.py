"""Twins of ``mlwright._kernels.loss``: every loss of one score in a few lines; slow and readable."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def _identity(mu):
    return mu


@dataclass(frozen=True)
class Twin:
    """A loss l(y, eta) with parameter p.

    ``best`` says how the constant of least loss is found: the link of the mean, a quantile (its level is p), or the
    root of the sum of gradients. ``hess`` is a bound of the second derivative where that vanishes.
    """

    value: Callable
    grad: Callable
    hess: Callable
    domain: Callable = np.isfinite
    link: Callable = _identity
    best: str = "mean"
    renews_leaves: bool = False


def _one(y, eta, p):
    return np.ones_like(eta)


def _side(y, eta, p):
    """Weight of the side of eta that y is on."""
    return np.where(y > eta, p, 1 - p)


LOSSES = {
    "squared_error": Twin(lambda y, eta, p: (y - eta) ** 2 / 2, lambda y, eta, p: eta - y, _one),
    "absolute_error": Twin(
        lambda y, eta, p: abs(y - eta), lambda y, eta, p: np.sign(eta - y), _one, best="quantile", renews_leaves=True
    ),
    "huber": Twin(
        lambda y, eta, p: np.where(abs(y - eta) <= p, (y - eta) ** 2 / 2, p * (abs(y - eta) - p / 2)),
        lambda y, eta, p: np.clip(eta - y, -p, p),
        _one,
        best="root",
        renews_leaves=True,
    ),
    "quantile": Twin(
        lambda y, eta, p: abs(y - eta) * _side(y, eta, p),
        lambda y, eta, p: np.sign(eta - y) * _side(y, eta, p),
        _one,
        best="quantile",
        renews_leaves=True,
    ),
    "expectile": Twin(
        lambda y, eta, p: (y - eta) ** 2 * _side(y, eta, p),
        lambda y, eta, p: 2 * (eta - y) * _side(y, eta, p),
        lambda y, eta, p: 2 * _side(y, eta, p),
        best="root",
    ),
    "poisson": Twin(
        lambda y, eta, p: np.exp(eta) - y * eta,
        lambda y, eta, p: np.exp(eta) - y,
        lambda y, eta, p: np.exp(eta),
        domain=lambda y: np.isfinite(y) & (y >= 0),
        link=np.log,
    ),
    "gamma": Twin(
        lambda y, eta, p: eta + y * np.exp(-eta),
        lambda y, eta, p: 1 - y * np.exp(-eta),
        lambda y, eta, p: y * np.exp(-eta),
        domain=lambda y: np.isfinite(y) & (y > 0),
        link=np.log,
    ),
    "tweedie": Twin(
        lambda y, eta, p: np.exp((2 - p) * eta) / (2 - p) - y * np.exp((1 - p) * eta) / (1 - p),
        lambda y, eta, p: np.exp((2 - p) * eta) - y * np.exp((1 - p) * eta),
        lambda y, eta, p: (2 - p) * np.exp((2 - p) * eta) - (1 - p) * y * np.exp((1 - p) * eta),
        domain=lambda y: np.isfinite(y) & (y >= 0),
        link=np.log,
    ),
    "binary_log_loss": Twin(
        lambda y, eta, p: np.logaddexp(0, eta) - y * eta,
        lambda y, eta, p: 1 / (1 + np.exp(-eta)) - y,
        lambda y, eta, p: 1 / (1 + np.exp(-eta)) / (1 + np.exp(eta)),
        domain=lambda y: (y >= 0) & (y <= 1),
        link=lambda mu: np.log(np.clip(mu, 2**-52, 1 - 2**-52)) - np.log1p(-np.clip(mu, 2**-52, 1 - 2**-52)),
    ),
}


def grad_hess(name, y, raw, parameter=0.0):
    """First and second derivatives in the score."""
    return LOSSES[name].grad(y, raw, parameter), LOSSES[name].hess(y, raw, parameter)


def value(name, y, raw, parameter=0.0):
    """The loss of every observation."""
    return LOSSES[name].value(y, raw, parameter)


def first_outside(name, y):
    """The first row whose target is outside the loss's domain, or -1."""
    outside = np.flatnonzero(~LOSSES[name].domain(y))
    return int(outside[0]) if len(outside) else -1


def weighted_quantile(y, weight, level):
    """Midpoint of all minimisers of the weighted pinball loss."""
    order = np.argsort(y, kind="stable")
    y, up_to = y[order], np.cumsum(weight[order])
    i = min(int(np.searchsorted(up_to, level * up_to[-1], side="left")), len(y) - 1)
    on_the_step = up_to[i] == level * up_to[-1] and i + 1 < len(y)
    return (y[i] + y[i + 1]) / 2 if on_the_step else y[i]


def best_constant(name, y, weight=None, parameter=0.0):
    """The constant score of least weighted loss."""
    loss, weight = LOSSES[name], np.ones(len(y)) if weight is None else weight
    if loss.best == "mean":
        return loss.link(np.average(y, weights=weight))
    if loss.best == "quantile":
        return weighted_quantile(y, weight, 0.5 if name == "absolute_error" else parameter)
    # The sum of gradients is linear between its kinks: zero between two of them, or at some of them.
    kinks = np.unique(np.concatenate([y - parameter, y + parameter]) if name == "huber" else y)
    slope = np.array([(weight * loss.grad(y, c, parameter)).sum() for c in kinks])
    at_zero = kinks[abs(slope) <= 1e-13 * weight.sum() * parameter]
    if len(at_zero):
        return (at_zero[0] + at_zero[-1]) / 2
    return np.interp(0.0, slope, kinks)
