"""Twins of ``mlwright._kernels.simd``."""

import math

import numpy as np


def sum(x):
    return math.fsum(x)


def dot(x, y):
    return math.fsum(float(a) * float(b) for a, b in zip(x, y, strict=True))


def _double(x):
    return np.asarray(x, dtype=np.float64)


@np.errstate(all="ignore")
def exp(x):
    return np.exp(_double(x))


@np.errstate(all="ignore")
def log(x):
    return np.log(_double(x))


@np.errstate(all="ignore")
def log1p(x):
    return np.log1p(_double(x))


@np.errstate(all="ignore")
def expit(x):
    x = _double(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


@np.errstate(all="ignore")
def softplus(x):
    return np.logaddexp(0.0, _double(x))
