"""Twins of ``mlwright._kernels.rng``.

Philox in Python's integers, exact; the variates by the same methods with libm's functions.
"""

import math
from statistics import NormalDist

import numpy as np

CHUNK = 4096
_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF


def philox4x32(counter, key):
    """Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011."""
    x0, x1, x2, x3 = (int(x) for x in counter)
    k0, k1 = (int(k) for k in key)
    for _ in range(10):
        a, b = 0xD2511F53 * x0, 0xCD9E8D57 * x2
        x0, x1, x2, x3 = (b >> 32) ^ x1 ^ k0, b & _M32, (a >> 32) ^ x3 ^ k1, a & _M32
        k0, k1 = (k0 + 0x9E3779B9) & _M32, (k1 + 0xBB67AE85) & _M32
    return np.array([x0, x1, x2, x3], dtype=np.uint32)


def _words(x):
    return [x & _M32, x >> 32]


class Rng:
    """The generator of ``(seed, stream, chunk)``."""

    def __init__(self, seed, stream=0, chunk=0):
        self.key = philox4x32([*_words(stream), 0, 0], _words(seed))[:2]
        self.chunk = chunk
        self.block = 0
        self.fresh = []

    def next(self):
        if not self.fresh:
            x = [int(w) for w in philox4x32([*_words(self.block), *_words(self.chunk)], self.key)]
            self.block += 1
            self.fresh = [x[0] | x[1] << 32, x[2] | x[3] << 32]
        return self.fresh.pop(0)

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def uniform_open(self):
        return ((self.next() >> 12) + 0.5) * 2.0**-52

    def below(self, n):
        surplus = (1 << 64) % n
        while (product := self.next() * n) & _M64 < surplus:
            pass
        return product >> 64

    def normal(self):
        return NormalDist().inv_cdf(self.uniform_open())

    def exponential(self):
        return -math.log(self.uniform_open())

    def gamma_from_one(self, shape):
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x, u = self.normal(), self.uniform_open()
            t = c * x
            if t <= -1:
                continue
            if math.log(u) < 0.5 * x * x + d * (3 * (math.log1p(t) - t) - t * t * (3 + t)):
                return d * (1 + t) ** 3

    def log_gamma(self, shape):
        if shape >= 1:
            return math.log(self.gamma_from_one(shape))
        return math.log(self.gamma_from_one(shape + 1)) + math.log(self.uniform_open()) / shape

    def gamma(self, shape):
        return self.gamma_from_one(shape) if shape >= 1 else math.exp(self.log_gamma(shape))

    def beta(self, a, b):
        difference = self.log_gamma(a) - self.log_gamma(b)
        if difference < 0:
            return math.exp(difference) / (1 + math.exp(difference))
        return 1 / (1 + math.exp(-difference))

    def chi_square(self, df):
        return 2 * self.gamma(df / 2)

    def student_t(self, df):
        z = self.normal()
        v = self.chi_square(df) / df
        return z / math.sqrt(v) if v > 0 else math.copysign(math.inf, z)

    def poisson(self, mean):
        if mean == 0:
            return 0
        return self._poisson_by_product(mean) if mean < 10 else self._poisson_by_rejection(mean)

    def _poisson_by_product(self, mean):
        product, k = self.uniform_open(), 0
        while product > math.exp(-mean):
            product *= self.uniform_open()
            k += 1
        return k

    def _poisson_by_rejection(self, mean):
        b = 0.931 + 2.53 * math.sqrt(mean)
        a = -0.059 + 0.02483 * b
        inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
        while True:
            u, v = self.uniform_open() - 0.5, self.uniform_open()
            us = 0.5 - abs(u)
            k = math.floor((2 * a / us + b) * u + mean + 0.43)
            if us >= 0.07 and v <= v_r:
                return k
            if k < 0 or (us < 0.013 and v > us):
                continue
            log_density = k * math.log(mean) - mean - math.lgamma(k + 1)
            if math.log(v * inverse_alpha / (a / us**2 + b)) <= log_density:
                return k


def _fill(draw, dtype, seed, stream, size):
    out = np.empty(size, dtype=dtype)
    for i in range(size):
        if i % CHUNK == 0:
            rng = Rng(seed, stream, i // CHUNK)
        out[i] = draw(rng)
    return out


def uniform(seed, stream, size):
    return _fill(Rng.uniform, float, seed, stream, size)


def integers(seed, stream, bound, size):
    return _fill(lambda rng: rng.below(bound), np.int64, seed, stream, size)


def normal(seed, stream, size):
    return _fill(Rng.normal, float, seed, stream, size)


def exponential(seed, stream, size):
    return _fill(Rng.exponential, float, seed, stream, size)


def gamma(seed, stream, shape, size):
    return _fill(lambda rng: rng.gamma(shape), float, seed, stream, size)


def beta(seed, stream, a, b, size):
    return _fill(lambda rng: rng.beta(a, b), float, seed, stream, size)


def chi_square(seed, stream, df, size):
    return _fill(lambda rng: rng.chi_square(df), float, seed, stream, size)


def student_t(seed, stream, df, size):
    return _fill(lambda rng: rng.student_t(df), float, seed, stream, size)


def poisson(seed, stream, mean, size):
    return _fill(lambda rng: rng.poisson(mean), np.int64, seed, stream, size)


def permutation(seed, stream, n):
    return sample_without_replacement(seed, stream, n, n)


def sample_without_replacement(seed, stream, n, size):
    rng, order = Rng(seed, stream), list(range(n))
    for i in range(min(size, n - 1)):
        j = i + rng.below(n - i)
        order[i], order[j] = order[j], order[i]
    return np.array(order[:size], dtype=np.int64)
