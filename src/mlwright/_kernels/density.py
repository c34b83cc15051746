"""Constrained parameters as functions of free numbers, and back.

``blocks`` has one row a parameter: kind of constraint (as ``mlwright.extend`` counts them), size, lower, upper bound.
"""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_CLOSE = Tolerance(rtol=1e-9, atol=1e-9)
REAL, LOWER, UPPER, INTERVAL, ORDERED, SIMPLEX = range(6)


def sizes(blocks):
    """Numbers of x and of u."""
    size = int(blocks[:, 1].sum())
    return size, size - int((blocks[:, 0] == SIMPLEX).sum())


@kernel(native="density.constrain", twin="density:constrain", strategy="density:free_numbers", tolerance=_CLOSE)
def constrain(blocks, u):
    """``(x(u), log|J(u)|)``."""
    x = np.empty(sizes(blocks)[0])
    return x, core.density.constrain(blocks, np.ascontiguousarray(u, dtype=np.float64), x)


@kernel(native="density.pull_back", twin="density:pull_back", strategy="density:gradients", tolerance=_CLOSE)
def pull_back(blocks, u, gradient_x):
    """From the gradient of ``f`` in x, that of ``f(x(u)) + log|J(u)|`` in u."""
    x, _ = constrain(blocks, u)
    out = np.empty(sizes(blocks)[1])
    core.density.pull_back(blocks, np.asarray(u, dtype=np.float64), x, np.ascontiguousarray(gradient_x), out)
    return out


@kernel(native="density.unconstrain", twin="density:unconstrain", strategy="density:points", tolerance=_CLOSE)
def unconstrain(blocks, x):
    """``(u, fits)`` with ``x(u) = x``; where x does not satisfy a constraint strictly, ``fits`` is False and u NaN."""
    u = np.empty(sizes(blocks)[1])
    fits = core.density.unconstrain(blocks, np.ascontiguousarray(x, dtype=np.float64), u)
    return (u if fits else np.full_like(u, np.nan)), fits
