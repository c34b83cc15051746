"""Vectorised reductions and elementary functions."""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_EPS = float(np.finfo(np.float64).eps)


@kernel(native="simd.sum", twin="simd:sum", strategy="simd:one_vector", tolerance=Tolerance(rtol=64 * _EPS, atol=1e-9))
def sum(x):
    """Sum of a vector in an order fixed by its length."""
    return core.simd.sum(np.ascontiguousarray(x, dtype=np.float64))


@kernel(native="simd.dot", twin="simd:dot", strategy="simd:two_vectors", tolerance=Tolerance(rtol=64 * _EPS, atol=1e-3))
def dot(x, y):
    """Inner product of two vectors in an order fixed by their length."""
    return core.simd.dot(np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64))
