"""Arrays in a layout that native code may read: native byte order, aligned, strides of whole elements.

Users also bring fields of packed records, columns of files mapped at odd offsets and numbers of the other byte order:
those are copied here, everything else is passed on as it is.
"""

import numpy as np


def floats(a):
    """`a` where native code may read it as float32 or float64 of any strides, else a float64 or float32 copy of it."""
    if type(a) is np.ndarray and a.dtype.char in "df" and a.dtype.isnative and a.flags.carray:
        return a  # what follows finds that out too, more slowly
    a = np.asarray(a)
    native = a.dtype.char in "df" and a.dtype.isnative
    flags = a.flags
    if native and flags.aligned and (flags.c_contiguous or not any(stride % a.itemsize for stride in a.strides)):
        return a
    return np.array(a, dtype=a.dtype if native else np.float64, order="C")


def doubles(a):
    """The same in float64 only."""
    return floats(np.asarray(a, dtype=np.float64))


def contiguous(a, dtype):
    """A C-contiguous, aligned array of native ``dtype``."""
    if type(a) is np.ndarray and a.dtype == dtype and a.flags.carray:
        return a  # what np.require finds out too, in ten times the time
    return np.require(a, dtype, "CA")


def vector(a):
    """The same in float64."""
    return contiguous(a, np.float64)
