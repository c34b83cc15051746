"""Vectorised reductions and elementary functions."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_EPS = float(np.finfo(np.float64).eps)

# Twin and kernel are each within 2.5 ulp of the truth; the absolute part is one step of the subnormal numbers.
_ELEMENTARY = Tolerance(rtol=5 * _EPS, atol=1e-323)


@kernel(native="simd.sum", twin="simd:sum", strategy="simd:one_vector", tolerance=Tolerance(rtol=64 * _EPS, atol=1e-9))
def sum(x):
    """Sum of a vector in an order fixed by its length."""
    return core.simd.sum(layout.vector(x))


@kernel(native="simd.dot", twin="simd:dot", strategy="simd:two_vectors", tolerance=Tolerance(rtol=64 * _EPS, atol=1e-3))
def dot(x, y):
    """Inner product of two vectors in an order fixed by their length."""
    return core.simd.dot(layout.vector(x), layout.vector(y))


def _map(function, x, out):
    x = layout.vector(x)
    if out is None:
        out = np.empty(x.shape)
    elif out.shape != x.shape or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise ValueError(
            f"out: got shape {out.shape}, dtype {out.dtype}; expected a C-contiguous float64 array of shape {x.shape}"
        )
    function(x, out)
    return out


@kernel(native="simd.exp", twin="simd:exp", strategy="simd:any_doubles", tolerance=_ELEMENTARY)
def exp(x, out=None):
    """exp(x) of an array, within 0.8 ulp; ``out`` may be ``x``."""
    return _map(core.simd.exp, x, out)


@kernel(native="simd.log", twin="simd:log", strategy="simd:any_doubles", tolerance=_ELEMENTARY)
def log(x, out=None):
    """log(x) of an array, within 0.9 ulp; ``-inf`` at zero, NaN below."""
    return _map(core.simd.log, x, out)


@kernel(native="simd.log1p", twin="simd:log1p", strategy="simd:any_doubles", tolerance=_ELEMENTARY)
def log1p(x, out=None):
    """log(1 + x) of an array, within 0.9 ulp; ``-inf`` at -1, NaN below."""
    return _map(core.simd.log1p, x, out)


@kernel(native="simd.expit", twin="simd:expit", strategy="simd:any_doubles", tolerance=_ELEMENTARY)
def expit(x, out=None):
    """1 / (1 + exp(-x)) of an array, within 2.5 ulp, subnormal tail included."""
    return _map(core.simd.expit, x, out)


@kernel(native="simd.softplus", twin="simd:softplus", strategy="simd:any_doubles", tolerance=_ELEMENTARY)
def softplus(x, out=None):
    """log(1 + exp(x)) of an array, within 2 ulp."""
    return _map(core.simd.softplus, x, out)
