"""Random variates that depend on (seed, stream) only: not on threads, instruction set, compiler or libm.

Every function draws an array of the given size. Element ``i`` comes from the generator of
``(seed, stream, i // 4096)``, after those before it in its chunk. ``seed`` and ``stream`` are integers of 64 bits;
``mlwright._runtime.rng`` makes a seed of a ``random_state``.
"""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_CLOSE = Tolerance(rtol=1e-12, atol=1e-300)


@kernel(native="rng.philox4x32", twin="rng:philox4x32", strategy="rng:philox_blocks")
def philox4x32(counter, key):
    """The block of Philox4x32-10 at a counter of four words under a key of two."""
    return np.array(core.rng.philox4x32(list(counter), list(key)), dtype=np.uint32)


def _draw(fill, dtype, seed, stream, size, *parameters):
    out = np.empty(size, dtype=dtype)
    fill(seed, stream, *parameters, out)
    return out


@kernel(native="rng.uniform", twin="rng:uniform", strategy="rng:no_parameter")
def uniform(seed, stream, size):
    """Uniform on [0, 1), multiples of 2^-53."""
    return _draw(core.rng.uniform, np.float64, seed, stream, size)


@kernel(native="rng.integers", twin="rng:integers", strategy="rng:one_bound")
def integers(seed, stream, bound, size):
    """Integers of ``0, ..., bound - 1``, each equally likely."""
    return _draw(core.rng.integers, np.int64, seed, stream, size, bound)


@kernel(native="rng.normal", twin="rng:normal", strategy="rng:no_parameter", tolerance=_CLOSE)
def normal(seed, stream, size):
    """Standard normal."""
    return _draw(core.rng.normal, np.float64, seed, stream, size)


@kernel(native="rng.exponential", twin="rng:exponential", strategy="rng:no_parameter", tolerance=_CLOSE)
def exponential(seed, stream, size):
    """Exponential with mean 1."""
    return _draw(core.rng.exponential, np.float64, seed, stream, size)


@kernel(native="rng.gamma", twin="rng:gamma", strategy="rng:one_positive", tolerance=_CLOSE)
def gamma(seed, stream, shape, size):
    """Gamma with that shape and scale 1."""
    return _draw(core.rng.gamma, np.float64, seed, stream, size, shape)


@kernel(native="rng.beta", twin="rng:beta", strategy="rng:two_positive", tolerance=_CLOSE)
def beta(seed, stream, a, b, size):
    """Beta."""
    return _draw(core.rng.beta, np.float64, seed, stream, size, a, b)


@kernel(native="rng.chi_square", twin="rng:chi_square", strategy="rng:one_positive", tolerance=_CLOSE)
def chi_square(seed, stream, df, size):
    """Chi-square with that many degrees of freedom."""
    return _draw(core.rng.chi_square, np.float64, seed, stream, size, df)


@kernel(native="rng.student_t", twin="rng:student_t", strategy="rng:one_positive", tolerance=_CLOSE)
def student_t(seed, stream, df, size):
    """Student's t with that many degrees of freedom."""
    return _draw(core.rng.student_t, np.float64, seed, stream, size, df)


@kernel(native="rng.poisson", twin="rng:poisson", strategy="rng:one_mean")
def poisson(seed, stream, mean, size):
    """Poisson with that mean, at most 1e15."""
    return _draw(core.rng.poisson, np.int64, seed, stream, size, mean)


@kernel(native="rng.permutation", twin="rng:permutation", strategy="rng:one_length")
def permutation(seed, stream, n):
    """A random order of ``0, ..., n - 1``."""
    return _draw(core.rng.permutation, np.int64, seed, stream, n)


@kernel(
    native="rng.sample_without_replacement",
    twin="rng:sample_without_replacement",
    strategy="rng:population_and_sample",
)
def sample_without_replacement(seed, stream, n, size):
    """``size`` different integers of ``0, ..., n - 1`` in random order."""
    return _draw(core.rng.sample_without_replacement, np.int64, seed, stream, size, n)
