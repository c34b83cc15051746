"""A loss of your own, compiled by Numba and called by the C++ loop: no GIL, no Python in between."""

import math
import sys
from dataclasses import dataclass
from numbers import Real
from pickle import PicklingError

import numpy as np

from mlwright._kernels.array_loss import asked, number
from mlwright._runtime.errors import NumericalError
from mlwright.extend._loss_source import compile_block, compile_domain, compile_leaf

_LINKS = ("identity", "log", "logit")
_ARGUMENTS = {"value": "(y, raw)", "grad_hess": "(y, raw)", "leaf_step": "(y, raw, weight)", "domain": "y"}


@dataclass(frozen=True)
class CompiledLoss:
    """What the engine calls; lives as long as `callbacks` do.

    Attributes
    ----------
    address : int
        Of a C function over blocks of observations.
    leaf_address : int
        Of a C function over the rows of a leaf; 0 where leaves are Newton steps.
    callbacks : tuple
        Numba's, which own the machine code.
    """

    address: int
    leaf_address: int
    callbacks: tuple


class Loss:
    """A loss made by :func:`loss`. Immutable.

    Attributes
    ----------
    name : str
    value, grad_hess : callable
    link : {'identity', 'log', 'logit'}
    start : float, callable or None
    leaf_step, domain : callable or None
    """

    def __init__(self, value, grad_hess, link="identity", start=None, name=None, leaf_step=None, domain=None):
        functions = {"value": value, "grad_hess": grad_hess, "leaf_step": leaf_step, "domain": domain}
        for role, function in functions.items():
            if not (callable(function) or (function is None and role in ("leaf_step", "domain"))):
                raise TypeError(f"loss: {role} is {function!r}, expected a function of {_ARGUMENTS[role]}")
        if link not in _LINKS:
            raise ValueError(f"loss: got link={link!r}, expected one of {', '.join(_LINKS)}")
        if not (start is None or callable(start) or (isinstance(start, Real) and math.isfinite(start))):
            raise ValueError(
                f"loss: got start={start!r}, expected a finite number, a function of (y, weight), or None to have it "
                "searched for"
            )
        self.value, self.grad_hess = _python(value), _python(grad_hess)
        self.leaf_step, self.domain = _python(leaf_step), _python(domain)
        self.link, self.start = link, _python(start)
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
        callback = compile_block(self.value, self.grad_hess)
        if self.leaf_step is None:
            return CompiledLoss(callback.address, 0, (callback,))
        leaf = compile_leaf(self.leaf_step)
        return CompiledLoss(callback.address, leaf.address, (callback, leaf))

    def start_of(self, y, weight):
        """The score to start from for these targets, their weights or None; NaN to have it searched for."""
        if self.start is None:
            return math.nan
        if not callable(self.start):
            return float(self.start)
        ones = np.ones(len(y)) if weight is None else weight
        return number("start", asked("start", self.start, y, ones))

    def first_outside(self, y):
        """The first row whose target is outside the loss's domain, or -1."""
        if self.domain is None:
            return -1
        row = compile_domain(self.domain)(np.array(y, dtype=np.float64))
        if row < -1:
            raise NumericalError(
                f"loss: your function domain raised an exception at y = {y[-2 - row]}; expected True or False; call it "
                "there in Python to see the exception"
            )
        return int(row)

    def __repr__(self):
        return f"<mlwright loss {self.name}, link {self.link}>"

    def __eq__(self, other):
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        return self.value, self.grad_hess, self.link, self.start, self.name, self.leaf_step, self.domain

    def __deepcopy__(self, memo):
        return self  # nothing in it changes, and clone() copies parameters

    def __reduce__(self):
        for role in ("value", "grad_hess", "start", "leaf_step", "domain"):
            if callable(getattr(self, role)):
                _require_importable(role, getattr(self, role))
        return type(self), self._key()


def _python(function):
    """What Numba has compiled already, as it was before."""
    return getattr(function, "py_func", function)


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


def loss(value, grad_hess, *, link="identity", start=None, leaf_step=None, domain=None, name=None):
    """A loss of your own for :class:`mlwright.ensemble.HistGradientBoostingRegressor`.

    The functions see one observation; Numba compiles them, and the C++ loop calls the machine code on whole blocks,
    from several threads, without the GIL. It also goes into
    :class:`mlwright.linear_model.GeneralizedLinearRegressor` in the place of a family.

    Parameters
    ----------
    value : callable
        ``value(y, raw) -> float``: the loss of score ``raw`` where the target is ``y``.
    grad_hess : callable
        ``grad_hess(y, raw) -> (float, float)``: its first two derivatives in ``raw``. Where the second is zero or
        negative, return a positive upper bound of it.
    link : {'identity', 'log', 'logit'}, default='identity'
        Predictions are ``raw``, ``exp(raw)`` or ``1 / (1 + exp(-raw))``.
    start : float or callable, default=None
        The score that a fit starts from: a number, or ``start(y, weight) -> float`` of all training targets, two NumPy
        arrays, called by Python. None searches for the constant of least loss. A linear model starts its intercept
        there.
    leaf_step : callable, default=None
        ``leaf_step(y, raw, weight) -> float``: what is best added to the scores of the rows of a leaf, three arrays
        that Numba sees. For losses whose second derivative says little, as those of absolute values and quantiles,
        whose best step is a quantile of the residuals. It replaces the Newton step from `grad_hess`, and with it
        ``l1_regularization`` and ``l2_regularization`` of leaves; the learning rate still scales it, and monotonic
        constraints still bound it. Linear models do without it.
    domain : callable, default=None
        ``domain(y) -> bool``: whether `y` may be a target. Fits refuse others, naming the row.
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
        NumericalError if they raise, or return NaN or a negative Hessian, and ValueError for a target outside the
        domain.

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

    The pinball loss of level 0.9, with its exact best leaves where rows have no weights, a start and a domain:

    >>> pinball = loss(
    ...     lambda y, raw: 0.9 * (y - raw) if y > raw else 0.1 * (raw - y),
    ...     lambda y, raw: (-0.9 if y > raw else 0.1, 1.0),
    ...     leaf_step=lambda y, raw, weight: np.quantile(y - raw, 0.9),
    ...     start=0.0,
    ...     domain=lambda y: y > 0,
    ... )
    >>> HistGradientBoostingRegressor(loss=pinball).fit(X, y).predict([[10.0], [150.0]]).round(2)
    array([1., 3.])
    """
    return Loss(value, grad_hess, link, start, name, leaf_step, domain)
