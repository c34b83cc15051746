"""A loss of your own, compiled by Numba and called by the C++ loop: no GIL, no Python in between."""

import math
import sys
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pickle import PicklingError
from typing import Any

import numba
from numba import carray, types
from numba.core.errors import NumbaError

_ARRAY = types.CPointer(types.float64)
# (kind, n, y, raw, out_a, out_b) -> 0, or the 1-based number of the observation whose function raised.
_BLOCK = types.int64(types.int64, types.int64, _ARRAY, _ARRAY, _ARRAY, _ARRAY)
_LINKS = ("identity", "log", "logit")


@dataclass(frozen=True)
class CompiledLoss:
    """What the engine calls; lives as long as `callback` does.

    Attributes
    ----------
    address : int
        Of a C function over blocks of observations.
    start : float
        NaN to have it searched for.
    link : str
    callback : object
        Numba's, which owns the machine code.
    """

    address: int
    start: float
    link: str
    callback: Any


class Loss:
    """A loss made by :func:`loss`. Immutable.

    Attributes
    ----------
    name : str
    value, grad_hess : callable
    link : {'identity', 'log', 'logit'}
    start : float or None
    """

    def __init__(self, value, grad_hess, link="identity", start=None, name=None):
        for role, function in (("value", value), ("grad_hess", grad_hess)):
            if not callable(function):
                raise TypeError(f"loss: {role} is {function!r}, expected a function of (y, raw)")
        if link not in _LINKS:
            raise ValueError(f"loss: got link={link!r}, expected one of {', '.join(_LINKS)}")
        if start is not None and not (isinstance(start, Real) and math.isfinite(start)):
            raise ValueError(f"loss: got start={start!r}, expected a finite number, or None to have it searched for")
        self.value, self.grad_hess = (getattr(function, "py_func", function) for function in (value, grad_hess))
        self.link, self.start = link, start
        self.name = name or getattr(self.value, "__qualname__", "loss")

    def compile(self):
        """The compiled loss; compiled once a process.

        Returns
        -------
        CompiledLoss

        Raises
        ------
        TypeError
            If Numba cannot compile the functions, with Numba's reason.
        """
        callback = _compile(self.value, self.grad_hess)
        return CompiledLoss(
            callback.address, math.nan if self.start is None else float(self.start), self.link, callback
        )

    def __repr__(self):
        return f"<mlwright loss {self.name}, link {self.link}>"

    def __eq__(self, other):
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        return self.value, self.grad_hess, self.link, self.start, self.name

    def __deepcopy__(self, memo):
        return self  # nothing in it changes, and clone() copies parameters

    def __reduce__(self):
        for role, function in (("value", self.value), ("grad_hess", self.grad_hess)):
            _require_importable(role, function)
        return type(self), (self.value, self.grad_hess, self.link, self.start, self.name)


def _require_importable(role, function):
    module = sys.modules.get(getattr(function, "__module__", None))
    found = module
    for part in getattr(function, "__qualname__", "<none>").split("."):
        found = getattr(found, part, None)
    if getattr(found, "py_func", found) is not function:
        raise PicklingError(
            f"loss: its function {role} ({function!r}) cannot be imported by name, so a pickle could not find it "
            "again; expected a function at the top level of a module; move it there, or use mlwright.save"
        )


@cache
def _compile(value, grad_hess):
    jit = numba.njit(nogil=True, error_model="numpy")
    value_of, grad_hess_of = jit(value), jit(grad_hess)

    @jit
    def values(n, y, raw, out):
        i = 0
        try:
            while i < n:
                out[i] = value_of(y[i], raw[i])
                i += 1
        except Exception:
            return i + 1
        return 0

    @jit
    def gradients(n, y, raw, g, h):
        i = 0
        try:
            while i < n:
                g[i], h[i] = grad_hess_of(y[i], raw[i])
                i += 1
        except Exception:
            return i + 1
        return 0

    def block(kind, n, y, raw, a, b):
        if kind == 0:
            return values(n, carray(y, n), carray(raw, n), carray(a, n))
        return gradients(n, carray(y, n), carray(raw, n), carray(a, n), carray(b, n))

    try:
        return numba.cfunc(_BLOCK, nopython=True, error_model="numpy")(block)
    except NumbaError as error:
        raise TypeError(
            "loss: Numba cannot compile value or grad_hess; expected functions of two floats (y, raw) that return a "
            f"float and a pair of floats, in the part of Python that Numba knows; Numba says: {error}"
        ) from error


def loss(value, grad_hess, *, link="identity", start=None, name=None):
    """A loss of your own for :class:`mlwright.ensemble.HistGradientBoostingRegressor`.

    Both functions see one observation; Numba compiles them, and the C++ loop calls the machine code on whole blocks,
    from several threads, without the GIL.

    Parameters
    ----------
    value : callable
        ``value(y, raw) -> float``: the loss of score ``raw`` where the target is ``y``.
    grad_hess : callable
        ``grad_hess(y, raw) -> (float, float)``: its first two derivatives in ``raw``. Where the second is zero or
        negative, return a positive upper bound of it.
    link : {'identity', 'log', 'logit'}, default='identity'
        Predictions are ``raw``, ``exp(raw)`` or ``1 / (1 + exp(-raw))``.
    start : float, default=None
        The score that boosting starts from. None searches for the constant of least loss.
    name : str, default=None
        What the loss is called in messages and model files.

    Returns
    -------
    Loss
        Goes into ``HistGradientBoostingRegressor(loss=...)``. A model with it pickles if the functions can be imported
        by name. A model file holds no code: a model loaded from one predicts, but refuses to fit.

    Raises
    ------
    TypeError, ValueError
        For arguments that are no functions or links. ``fit`` raises TypeError if Numba cannot compile the functions,
        and NumericalError if they raise, or return NaN or a negative Hessian.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.extend import loss
    >>> def value(y, raw):
    ...     return np.log(np.cosh(raw - y))
    >>> def grad_hess(y, raw):
    ...     slope = np.tanh(raw - y)
    ...     return slope, max(1.0 - slope * slope, 0.1)
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 100, 1.0, 3.0)
    >>> model = HistGradientBoostingRegressor(loss=loss(value, grad_hess)).fit(X, y)
    >>> model.predict([[10.0], [150.0]]).round(2)
    array([1., 3.])
    """
    return Loss(value, grad_hess, link, start, name)
