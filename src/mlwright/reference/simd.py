"""Twins of ``mlwright._kernels.simd``."""

import math


def sum(x):
    return math.fsum(x)


def dot(x, y):
    return math.fsum(float(a) * float(b) for a, b in zip(x, y, strict=True))
