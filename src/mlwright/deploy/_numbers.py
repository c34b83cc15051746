"""Numbers as files of other libraries write them, checked."""

import numpy as np

from mlwright._runtime.errors import ModelFormatError


def of_text(text, dtype, what, infinite=False):
    """An array of integers or of floats from their text (bytes), apart by blanks; infinities where they are allowed."""
    dtype = np.dtype(dtype)
    try:
        if b"_" in text:  # Python reads 1_000, which is no number elsewhere
            raise ValueError
        values = np.array(list(map(int if dtype.kind == "i" else float, text.split())), dtype=dtype)
    except (ValueError, OverflowError):
        raise ModelFormatError(f"{what}: holds text that is no number in range; the file is damaged") from None
    if infinite and not np.isnan(values).any():
        return values
    return _finite(values, what)


def one_of_text(text, dtype, what):
    """The only number in a text."""
    values = of_text(text, dtype, what)
    if len(values) != 1:
        raise ModelFormatError(f"{what}: got {len(values)} numbers; expected one; the file is damaged")
    return values[0].item()


def of_values(values, dtype, what, n=None, finite=True):
    """A vector of integers or of floats, finite unless they need not be, of length n, from a list or an array."""
    dtype = np.dtype(dtype)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        array = np.zeros((0, 0))
    if array.ndim != 1 or (n is not None and len(array) != n):
        raise ModelFormatError(f"{what}: got {_shape(array)}; expected {'a vector' if n is None else f'{n} numbers'}")
    if len(array) == 0:
        return np.zeros(0, dtype)
    if array.dtype.kind not in ("iub" if dtype.kind == "i" else "iubf"):
        raise ModelFormatError(f"{what}: holds what is no number in range; the file is damaged")
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = array.astype(dtype)
        return _finite(array, what) if finite else array
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise ModelFormatError(f"{what}: holds an integer beyond 64 bits; the file is damaged")
    return array.astype(np.int64)


def _finite(values, what):
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ModelFormatError(f"{what}: holds a number that is not finite; the file is damaged")
    return values


def _shape(array):
    return f"{len(array)} numbers" if array.ndim == 1 else f"{array.ndim} dimensions"
