"""Boosting by a loss that Python computes on whole arrays, once an iteration."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.tree import LossSpec
from mlwright._runtime.errors import NumericalError

_NEWTON_STEPS, _HALVINGS, _GOLDEN_STEPS = 50, 50, 90
_GOLDEN = (np.sqrt(5) - 1) / 2
_FAR = 30.0  # a score far out, for targets that the link does not know


@dataclass(frozen=True)
class ArrayLossSpec(LossSpec):
    """A loss given by functions of arrays ``(y, raw)``; the engine gets its gradients from outside.

    Attributes
    ----------
    value, grad_hess : callable
    """

    value: Any = None
    grad_hess: Any = None

    def wrap(self, booster, y, weight):
        return GivenGradients(booster, self, np.asarray(y, dtype=np.float64), weight)

    def values(self, y, raw):
        return _numbers("value", _asked("value", self.value, y, raw), len(y))

    def gradients(self, y, raw):
        pair = _asked("grad_hess", self.grad_hess, y, raw)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise NumericalError(f"loss: grad_hess returned a {type(pair).__name__}, expected a pair of arrays")
        return tuple(_numbers("grad_hess", part, len(y)) for part in pair)

    def mean(self, y, raw, weight=None):
        return float(np.average(self.values(y, raw[0]), weights=weight))


class GivenGradients:
    """A booster that is told the gradients of each iteration."""

    def __init__(self, booster, loss, y, weight):
        self._booster, self._loss, self._y, self._weight = booster, loss, y, weight

    def __getattr__(self, name):
        return getattr(self._booster, name)

    def start(self):
        given = self._loss.start
        return np.array([best_constant(self._loss, self._y, self._weight) if np.isnan(given) else given])

    def loss(self):
        return self._loss.mean(self._y, self.raw()[None], self._weight)

    def grow(self, n_iterations):
        from mlwright._kernels.forest import join_trees

        parts = []
        for _ in range(n_iterations):
            g, h = self._loss.gradients(self._y, self.raw())
            self._booster.give(g, h)
            parts.append(self._booster.grow(1))
        return join_trees(parts)


def best_constant(loss, y, weight):
    """The score of least mean loss: Newton's steps from the mean, else a golden-section search of the range."""

    def mean_at(c):
        return loss.mean(y, np.full((1, len(y)), c), weight)

    def newton_step(c):
        g, h = (np.average(part, weights=weight) for part in loss.gradients(y, np.full(len(y), c)))
        return -g / h if h > 0 else 0.0

    low, high = (_linked(loss.link, v) for v in (y.min(), y.max()))
    c = _linked(loss.link, np.average(y, weights=weight))
    value, scale = mean_at(c), max(abs(low), abs(high))
    for _ in range(_NEWTON_STEPS):
        step = newton_step(c)
        if 0 < abs(step) <= 1e-12 * scale or step == 0:
            break
        for _ in range(_HALVINGS):
            there = mean_at(c + step)
            if there < value:
                break
            step /= 2
        else:
            break
        c, value = c + step, there
    if newton_step(c) and abs(newton_step(c)) > 1e-6 * scale:
        other = _golden(mean_at, low, high)
        c = other if mean_at(other) < value else c
    return c


def _golden(value_at, low, high):
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    value_a, value_b = value_at(a), value_at(b)
    for _ in range(_GOLDEN_STEPS):
        if value_a <= value_b:
            high, b, value_b = b, a, value_a
            a = high - _GOLDEN * (high - low)
            value_a = value_at(a)
        else:
            low, a, value_a = a, b, value_b
            b = low + _GOLDEN * (high - low)
            value_b = value_at(b)
    return a if value_a <= value_b else b


def _linked(link, v):
    """A target on the scale of scores."""
    if link == "identity":
        return float(v)
    if v <= 0:
        return -_FAR
    if link == "log":
        return float(np.log(v))
    return _FAR if v >= 1 else float(np.log(v / (1 - v)))


def _asked(role, function, y, raw):
    y, raw = y.view(), raw.view()
    y.flags.writeable = raw.flags.writeable = False
    try:
        return function(y, raw)
    except Exception as error:
        raise NumericalError(
            f"loss: your function {role} raised {type(error).__name__}: {error}; expected numbers for arrays y and raw"
        ) from error


def _numbers(role, returned, n):
    """float64 of shape (n,), finite; a number stands for an array of it."""
    try:
        array = np.broadcast_to(np.asarray(returned, dtype=np.float64), (n,))
    except (TypeError, ValueError) as error:
        raise NumericalError(
            f"loss: your function {role} returned something of shape {np.shape(returned)}, expected numbers of "
            f"shape ({n},)"
        ) from error
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise NumericalError(
            f"loss: your function {role} returned {array[bad[0]]} for row {bad[0]}, expected finite numbers"
        )
    return layout.vector(array)
