"""Log densities to write models with, inside functions given to :func:`mlwright.extend.log_density`.

Every function takes numbers: parameters, data or constants, and returns the logarithm of the density or probability,
constants included; ``-inf`` outside of the support. They are compiled, and also run as plain Python on plain numbers.

>>> from mlwright.extend import densities
>>> round(densities.normal(0.0, 0.0, 1.0), 6)
-0.918939
"""

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

__all__ = [
    "bernoulli_logit",
    "beta",
    "binomial_logit",
    "cauchy",
    "dot",
    "exponential",
    "gamma",
    "inverse_gamma",
    "inverse_logit",
    "laplace",
    "log1p_exp",
    "log_sum_exp",
    "logistic",
    "lognormal",
    "negative_binomial_log",
    "normal",
    "poisson",
    "poisson_log",
    "student_t",
    "uniform",
]

_LOG_2PI = math.log(2.0 * math.pi)
_compiled = njit(error_model="numpy", inline="never")


@_compiled
def log1p_exp(x):
    """``log(1 + exp(x))`` without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@_compiled
def log_sum_exp(a, b):
    """``log(exp(a) + exp(b))`` without overflow; ``-inf`` where both are."""
    top = max(a, b)
    if top == -math.inf:  # whose difference is none
        return top
    return top + math.log1p(math.exp(-abs(a - b)))


@_compiled
def inverse_logit(x):
    """``1 / (1 + exp(-x))`` without overflow."""
    return 0.5 + 0.5 * math.tanh(0.5 * x)


def dot(row, coefficients):
    """Sum of products of a row of data (C-contiguous float64) and a vector of parameters."""
    return np.dot(row, coefficients)


@overload(dot)
def _dot(row, coefficients):
    if isinstance(row, types.Array) and isinstance(coefficients, types.Array):
        return lambda row, coefficients: np.dot(row, coefficients)
    return None


@_compiled
def normal(x, mean, sd):
    """Normal with that mean and standard deviation."""
    z = (x - mean) / sd
    return -0.5 * z * z - math.log(sd) - 0.5 * _LOG_2PI


@_compiled
def lognormal(x, mean, sd):
    """Of ``x`` whose logarithm is normal."""
    if x <= 0.0:
        return -math.inf
    log_x = math.log(x)
    return normal(log_x, mean, sd) - log_x


@_compiled
def cauchy(x, location, scale):
    """Cauchy; of a positive parameter, half-Cauchy but for ``log 2``."""
    z = (x - location) / scale
    return -math.log(math.pi * scale * (1.0 + z * z))


@_compiled
def student_t(x, df, location, scale):
    """Student's t with `df` degrees of freedom, shifted and scaled."""
    z = (x - location) / scale
    return (
        math.lgamma(0.5 * (df + 1.0))
        - math.lgamma(0.5 * df)
        - 0.5 * math.log(math.pi * df)
        - math.log(scale)
        - 0.5 * (df + 1.0) * math.log1p(z * z / df)
    )


@_compiled
def laplace(x, location, scale):
    """Double exponential."""
    return -abs(x - location) / scale - math.log(2.0 * scale)


@_compiled
def logistic(x, location, scale):
    """Logistic."""
    z = (x - location) / scale
    return -z - 2.0 * log1p_exp(-z) - math.log(scale)


@_compiled
def exponential(x, rate):
    """Exponential with mean ``1 / rate``."""
    if x < 0.0:
        return -math.inf
    return math.log(rate) - rate * x


@_compiled
def gamma(x, shape, rate):
    """Gamma with mean ``shape / rate``."""
    if x <= 0.0:
        return -math.inf
    return shape * math.log(rate) - math.lgamma(shape) + (shape - 1.0) * math.log(x) - rate * x


@_compiled
def inverse_gamma(x, shape, scale):
    """Of ``x`` whose inverse is gamma with that shape and rate."""
    if x <= 0.0:
        return -math.inf
    return shape * math.log(scale) - math.lgamma(shape) - (shape + 1.0) * math.log(x) - scale / x


@_compiled
def beta(x, a, b):
    """Beta."""
    if x <= 0.0 or x >= 1.0:
        return -math.inf
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return constant + (a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x)


@_compiled
def uniform(x, low, high):
    """Uniform between two numbers."""
    if x < low or x > high:
        return -math.inf
    return -math.log(high - low)


@_compiled
def bernoulli_logit(y, eta):
    """Of ``y`` in {0, 1}, which is 1 with probability ``inverse_logit(eta)``."""
    return -log1p_exp(-eta) if y > 0 else -log1p_exp(eta)


@_compiled
def binomial_logit(y, n, eta):
    """`y` successes of `n`, each with probability ``inverse_logit(eta)``."""
    if y < 0 or y > n:
        return -math.inf
    ways = math.lgamma(n + 1.0) - math.lgamma(y + 1.0) - math.lgamma(n - y + 1.0)
    return ways - y * log1p_exp(-eta) - (n - y) * log1p_exp(eta)


@_compiled
def poisson(y, mean):
    """Poisson with that mean."""
    if y < 0:
        return -math.inf
    if y == 0:  # whatever the mean, 0 too
        return -mean
    return y * math.log(mean) - mean - math.lgamma(y + 1.0)


@_compiled
def poisson_log(y, eta):
    """Poisson with mean ``exp(eta)``."""
    if y < 0:
        return -math.inf
    return y * eta - math.exp(eta) - math.lgamma(y + 1.0)


@_compiled
def negative_binomial_log(y, eta, phi):
    """Negative binomial with mean ``mu = exp(eta)`` and variance ``mu + mu^2 / phi``."""
    if y < 0:
        return -math.inf
    ways = math.lgamma(y + phi) - math.lgamma(phi) - math.lgamma(y + 1.0)
    log_total = log_sum_exp(eta, math.log(phi))
    return ways + y * (eta - log_total) + phi * (math.log(phi) - log_total)
