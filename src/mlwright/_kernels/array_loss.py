"""Boosting by a loss that Python computes on whole arrays, once an iteration."""

import ctypes
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.tree import LossSpec
from mlwright._runtime.errors import NumericalError

_NEWTON_STEPS, _HALVINGS, _GOLDEN_STEPS = 50, 50, 90
_GOLDEN = (np.sqrt(5) - 1) / 2
_NUMBERS = ctypes.POINTER(ctypes.c_double)
_LEAF = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, *[_NUMBERS] * 4)  # UserLeaf of tree/objective.hpp
_FAR = 30.0  # a score far out, for targets that the link does not know


@dataclass(frozen=True)
class ArrayLossSpec(LossSpec):
    """A loss given by functions of arrays ``(y, raw)``; the engine gets its gradients from outside.

    Attributes
    ----------
    value, grad_hess : callable
    leaf : LeafCallback or None
    """

    value: Any = None
    grad_hess: Any = None
    leaf: Any = None

    def wrap(self, booster, y, weight):
        return GivenGradients(booster, self, np.asarray(y, dtype=np.float64), weight)

    def values(self, y, raw):
        return numbers("value", asked("value", self.value, y, raw), len(y))

    def gradients(self, y, raw):
        pair = asked("grad_hess", self.grad_hess, y, raw)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise NumericalError(f"loss: grad_hess returned a {type(pair).__name__}, expected a pair of arrays")
        return tuple(numbers("grad_hess", part, len(y)) for part in pair)

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
            self._give()
            with self._leaf_errors():
                parts.append(self._booster.grow(1))
        return join_trees(parts)

    def refit(self, trees, decay):
        self._give()
        with self._leaf_errors():
            return self._booster.refit(trees, decay)

    def gradients(self, output):
        self._give()
        return self._booster.gradients(output)

    def _give(self):
        self._booster.give(*self._loss.gradients(self._y, self.raw()))

    def _leaf_errors(self):
        return nullcontext() if self._loss.leaf is None else self._loss.leaf.errors()


class LeafCallback:
    """``leaf_step`` in Python as the C function that the native loop calls; of one fit.

    Worker threads wait for the GIL inside, one leaf after another.

    Attributes
    ----------
    address : int
    """

    def __init__(self, leaf_step):
        self._leaf_step, self._error = leaf_step, None
        self._function = _LEAF(self._step)
        self.address = ctypes.cast(self._function, ctypes.c_void_p).value

    def _step(self, n, y, raw, weight, out):
        try:
            arrays = (np.ctypeslib.as_array(pointer, (n,)) for pointer in (y, raw, weight))
            out[0] = number("leaf_step", asked("leaf_step", self._leaf_step, *arrays))
            return 0
        except BaseException as error:  # nothing may leave a callback; errors() raises it
            self._error = error
            return 1

    @contextmanager
    def errors(self):
        """Raises what was raised inside, in place of the native loop's word that something was."""
        self._error = None
        try:
            yield
        except NumericalError:
            if self._error is None:
                raise
            error, self._error = self._error, None
            raise error from None


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


def asked(role, function, *arrays):
    """What a function of the user's answers to arrays, which it may not change."""
    arrays = [array.view() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    try:
        return function(*arrays)
    except Exception as error:
        raise NumericalError(
            f"loss: your function {role} raised {type(error).__name__}: {error}; expected it to return numbers for the "
            "arrays it is given"
        ) from error


def number(role, returned):
    """One finite float."""
    if np.ndim(returned) != 0 or not np.issubdtype(np.asarray(returned).dtype, np.number):
        what = f"an array of shape {np.shape(returned)}" if np.ndim(returned) else repr(returned)
        raise NumericalError(f"loss: your function {role} returned {what}, expected a number")
    if not np.isfinite(returned):
        raise NumericalError(f"loss: your function {role} returned {returned}, expected a finite number")
    return float(returned)


def numbers(role, returned, n):
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
