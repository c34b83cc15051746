"""The embedding interface for Numba and ctypes: the core's C functions, callable without Python's own call overhead.

The same functions are a C table for C, C++ and Cython; see ``mlwright/capi.h`` in :func:`mlwright.get_include`.
"""

import ctypes
from functools import cache

from mlwright._native import core

__all__ = ["VERSION", "address", "function", "names"]

VERSION = core.capi.version

_TYPES = {
    "v": None,
    "d": ctypes.c_double,
    "i": ctypes.c_int32,
    "l": ctypes.c_int64,
    "L": ctypes.c_uint64,
    "p": ctypes.c_void_p,
    "s": ctypes.c_char_p,
}
_FUNCTIONS = core.capi.functions()


def names() -> list[str]:
    """Names of the functions, as in ``mlwright/capi.h``.

    Examples
    --------
    >>> from mlwright import capi
    >>> {"exp", "dot", "fill_normal", "parallel_for"} <= set(capi.names())
    True
    """
    return list(_FUNCTIONS)


def address(name: str) -> int:
    """Address of a function: an integer, for anything that can call a C function pointer.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Raises
    ------
    ValueError
        If there is no function of that name.
    """
    return _entry(name)[0]


@cache
def function(name: str):
    """A function as ``ctypes`` object with its types set, which Numba compiles to a direct call.

    Pass arrays as ``x.ctypes``; they must be contiguous and of the type that ``mlwright/capi.h`` says.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Raises
    ------
    ValueError
        If there is no function of that name.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright import capi
    >>> expit = capi.function("expit")
    >>> x = np.array([0.0, 1.0])
    >>> out = np.empty_like(x)
    >>> expit(x.ctypes, out.ctypes, x.size)
    >>> out.round(3)
    array([0.5  , 0.731])
    """
    where, signature = _entry(name)
    return ctypes.CFUNCTYPE(*(_TYPES[letter] for letter in signature))(where)


def _entry(name):
    try:
        return _FUNCTIONS[name]
    except KeyError:
        raise ValueError(f"C function: got {name!r}, expected one of {', '.join(_FUNCTIONS)}") from None
