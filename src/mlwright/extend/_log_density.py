"""A log density of your own, compiled by Numba and called by the C++ sampler: no GIL, no Python in between."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import cloudpickle, types
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from mlwright.extend import _dual_math  # noqa: F401 dual numbers learn arithmetic by it
from mlwright.extend._density_source import DataKind, callback_names, callback_source
from mlwright.extend._parameters import Parameter

_POINTER = types.CPointer(types.float64)
# (size, x, gradient, log density, data) -> 0, 1 where undefined, -1 where the function raised: the signature that
# nutpie and walnutpie call too.
_SIGNATURE = types.intc(types.uintp, _POINTER, _POINTER, _POINTER, types.voidptr)
_GRADIENTS = ("forward", "own")


@dataclass(frozen=True)
class CompiledDensity:
    """What a sampler calls; the addresses are good as long as this object lives.

    Attributes
    ----------
    address : int
        Of a C function ``int (size_t d, const double *x, double *gradient, double *log_density, void *data)``.
    data_address : int
    names, shapes : tuple
        Of the parameters, in the order of ``x``.
    blocks : ndarray of shape (n_parameters, 4)
        Constraint, size, lower and upper bound of each.
    owner : Owner
        Keeps machine code and data alive.
    """

    address: int
    data_address: int
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    blocks: np.ndarray
    owner: "Owner"


class Owner(NamedTuple):
    """What the addresses of a compiled density point into."""

    callback: Any
    header: np.ndarray
    data: Mapping[str, Any]


class LogDensity:
    """A log density made by :func:`log_density`. Immutable; calling it calls the Python function.

    Attributes
    ----------
    function : callable
    parameters : dict of str to Parameter
    data_names : tuple of str
        Names of the arguments that are no parameters.
    gradient : {'forward', 'own'}
    """

    def __init__(self, function, parameters, gradient="forward"):
        self.function = getattr(function, "py_func", function)
        self.parameters = dict(parameters)
        self.gradient = gradient
        self.data_names = _data_names(self.function, self.parameters, gradient)
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(self, name, getattr(self.function, name))

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def __repr__(self):
        return f"<mlwright log density {self.__name__} of {', '.join(self.parameters)}>"

    def __reduce__(self):
        if self._is_importable():
            return self.__qualname__  # by name, as functions are pickled
        return _by_value, (cloudpickle.dumps((self.function, self.parameters, self.gradient)),)

    def _is_importable(self):
        if self.__module__ == "__main__":  # of a script or a notebook, which is another one in another process
            return False
        found = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        return found is self

    def compile(self, data=None, *, value_only=False):
        """Machine code for data of these types, and the data where it will find them.

        Parameters
        ----------
        data : mapping of str to array-like or number, default=None
            One entry for each argument of the function that is no parameter.
        value_only : bool, default=False
            Whether no gradient is needed: the code then leaves it alone, unless the function writes its own.

        Returns
        -------
        CompiledDensity

        Raises
        ------
        ValueError
            If data is missing or superfluous, or a parameter has the length of an empty array.
        TypeError
            If Numba cannot compile the function, with Numba's reason.
        """
        data = self._checked({} if data is None else data)
        kinds = tuple(DataKind.of(value) for value in data.values())
        sizes = tuple(p.length(name, data) for name, p in self.parameters.items())
        gradient = "none" if value_only and self.gradient == "forward" else self.gradient
        callback = _compile(self.function, tuple(self.parameters.items()), self.data_names, kinds, gradient)
        header = _header(sizes, data.values())
        return CompiledDensity(
            callback.address,
            header.ctypes.data,
            tuple(self.parameters),
            tuple(() if p.size is None else (n,) for p, n in zip(self.parameters.values(), sizes, strict=True)),
            np.array(
                [(p.kind, n, p.lower, p.upper) for p, n in zip(self.parameters.values(), sizes, strict=True)], float
            ),
            Owner(callback, header, data),
        )

    def _checked(self, data):
        if not isinstance(data, Mapping):
            names = ", ".join(f"{name!r}: ..." for name in self.data_names)
            raise TypeError(
                f"data: got {type(data).__name__}, expected a mapping from names to arrays and numbers: {{{names}}}"
            )
        missing, other = set(self.data_names) - set(data), set(data) - set(self.data_names)
        if missing or other:
            raise ValueError(
                f"data: the function {self.__name__} takes {', '.join(self.data_names) or 'none'}; "
                f"missing: {', '.join(sorted(missing)) or 'none'}, not known: {', '.join(sorted(other)) or 'none'}"
            )
        return {name: _as_native(name, data[name]) for name in self.data_names}


def _by_value(pickled):
    """A density of a function that no module has under its name: one made within another function, say."""
    return LogDensity(*cloudpickle.loads(pickled))


def _data_names(function, parameters, gradient):
    if gradient not in _GRADIENTS:
        raise ValueError(f"log_density: got gradient={gradient!r}, expected one of {', '.join(_GRADIENTS)}")
    arguments = list(inspect.signature(function).parameters)
    if gradient == "own":
        if arguments[-1:] != ["gradient"]:
            raise TypeError("log_density: with gradient='own' the last argument of the function is called 'gradient'")
        arguments.pop()
    if not parameters:
        raise ValueError("log_density: no parameter is declared; expected name=real(), name=positive(), ...")
    for name, declared in parameters.items():
        if not isinstance(declared, Parameter):
            raise TypeError(
                f"log_density: got {name}={declared!r}, expected real(), positive(), interval(low, high) ..."
            )
        if name not in arguments:
            raise TypeError(f"log_density: parameter {name} is no argument of the function, which takes {arguments}")
        declared.check(name)
    return tuple(name for name in arguments if name not in parameters)


def _as_native(name, value):
    """As the machine code reads it: a contiguous array of float64 or int64, or a number; a copy where it must be."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"data: {name} is a masked array, expected numbers without a mask; leave out what is masked")
    if isinstance(value, bool | np.bool_ | Integral):
        return int(_within_int64(name, value))
    if isinstance(value, Real):
        return float(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"data: {name} is no array of numbers: {error}") from error
    if array.ndim == 0 and array.dtype.kind in "iubf":
        return _as_native(name, array.item())
    if array.dtype.kind in "iub":
        _within_int64(name, array.max(initial=0))
        array = np.ascontiguousarray(array, dtype=np.int64)
    elif array.dtype.kind == "f":
        array = np.ascontiguousarray(array, dtype=np.float64)
    else:
        raise TypeError(f"data: {name} has dtype {array.dtype}, expected numbers")
    if array is value or array.base is not None:
        array = array.copy()  # nobody changes it under the sampler
    array.flags.writeable = False
    return array


def _within_int64(name, value):
    if not -(2**63) <= int(value) < 2**63:
        raise ValueError(f"data: {name} has {value}, expected whole numbers of 64 bits with a sign; pass it as float")
    return value


def _header(sizes, values):
    """One row of 64-bit words: sizes of the parameters; then each array's address and shape, each number itself."""
    words = list(sizes)
    for value in values:
        if isinstance(value, np.ndarray):
            words += [value.ctypes.data, *value.shape]
        elif isinstance(value, int):
            words.append(value)
        else:
            words.append(int(np.float64(value).view(np.int64)))
    return np.array(words, dtype=np.int64)


@cache
def _compile(function, parameters, data_names, kinds, gradient):
    # Indices are checked: one beside an array raises, as in Python, instead of reading or writing what lies there.
    user = numba.njit(function, nogil=True, error_model="numpy", boundscheck=True)
    vectors = {name: p.size is not None for name, p in parameters}
    arguments = list(inspect.signature(function).parameters)
    source = callback_source(arguments, vectors, dict(zip(data_names, kinds, strict=True)), gradient)
    namespace = {"user": user, **callback_names()}
    exec(compile(source, f"<density {getattr(function, '__name__', '')}>", "exec"), namespace)
    try:
        return numba.cfunc(_SIGNATURE, nopython=True, error_model="numpy")(namespace["callback"])
    except (NumbaError, UnsupportedBytecodeError) as error:
        hint = (
            "; parameters are numbers and vectors to be indexed, looped over, summed and multiplied by "
            "extend.densities.dot; for NumPy on whole vectors, write the gradient yourself: gradient='own'"
            if gradient != "own"
            else ""
        )
        raise TypeError(
            f"log_density: Numba cannot compile {getattr(function, '__name__', function)!r}; expected a function in "
            f"the part of Python that Numba knows{hint}; Numba says: {error}"
        ) from error


def log_density(function=None, /, *, gradient="forward", **parameters):
    """A log density of your own, for :func:`mlwright.bayes.sample`.

    The function takes parameters and data and returns the logarithm of their joint density, up to a constant. Numba
    compiles it; gradients come with it. It sees parameters on their own scale: what constrains them, and the Jacobians
    of the changes of variables, are taken care of.

    Parameters
    ----------
    gradient : {'forward', 'own'}, default='forward'
        ``'forward'`` differentiates the function (dual numbers of eight derivatives: it is evaluated once for every
        eight parameters, so up to a few dozen of them). ``'own'``: its last argument is called ``gradient``, a vector
        with a place for every number of the parameters in declared order, which it fills; parameter vectors are arrays
        then.
    **parameters : Parameter
        Name and declaration of each: ``real()``, ``positive()``, ``interval(low, high)``, ``ordered(size)``,
        ``simplex(size)`` ... All other arguments of the function are data.

    Returns
    -------
    LogDensity

    Raises
    ------
    TypeError, ValueError
        For declarations that do not fit the function.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright import bayes
    >>> from mlwright.extend import densities, log_density, positive, real
    >>> @log_density(mean=real(), sd=positive())
    ... def model(mean, sd, y):
    ...     total = densities.normal(mean, 0.0, 10.0) + densities.exponential(sd, 1.0)
    ...     for i in range(len(y)):
    ...         total += densities.normal(y[i], mean, sd)
    ...     return total
    >>> y = np.random.default_rng(0).normal(3.0, 2.0, size=200)
    >>> posterior = bayes.sample(model, data={"y": y}, random_state=0)
    >>> bool(abs(posterior["mean"].mean() - y.mean()) < 0.05)
    True
    """
    if function is not None:
        return LogDensity(function, parameters, gradient)
    return lambda f: LogDensity(f, parameters, gradient)
