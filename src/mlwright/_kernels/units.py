"""Powers of two in which numbers lie near one: squares of them neither overflow nor vanish, and no bit is lost."""

import numpy as np


def unit_for(size):
    """The power of two near ``1 / size`` for a magnitude `size`; 1.0 for zero."""
    return float(np.ldexp(1.0, int(np.clip(-np.frexp(size)[1], -1000, 1000)))) if size > 0.0 else 1.0


def norms(a, axis):
    """Euclidean norms along an axis, of numbers whose squares would overflow or vanish, too."""
    unit = unit_for(float(np.abs(a).max(initial=0.0)))
    return np.sqrt(((a * unit) ** 2).sum(axis=axis)) / unit
