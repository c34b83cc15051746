"""Twin of ``mlwright._kernels.polya_gamma``: Devroye's sampler of PG(1, z) with the same random numbers.

Reference: Polson, Scott, Windle (2013), Bayesian inference for logistic models using Polya-Gamma latent variables, JASA
108, section 4.
"""

import math

import numpy as np

from mlwright.reference.rng import CHUNK, Rng

CUT = 0.64


def cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def term(n, x):
    k = n + 0.5
    if x > CUT:
        return math.pi * k * math.exp(-k * k * math.pi**2 * x / 2)
    return math.pi * k * (2 / (math.pi * x)) ** 1.5 * math.exp(-2 * k * k / x)


def short_candidate(rng, z):
    """Inverse Gaussian of mean 1 / z and shape 1, cut off at CUT."""
    if z * CUT < 1:
        while True:
            e, other = rng.exponential(), rng.exponential()
            while e * e > 2 * other / CUT:
                e, other = rng.exponential(), rng.exponential()
            x = CUT / (1 + CUT * e) ** 2
            if rng.uniform_open() <= math.exp(-z * z * x / 2):
                return x
    mean = 1 / z
    while True:
        y = mean * rng.normal() ** 2
        x = mean * (1 + (y - math.sqrt(4 * y + y * y)) / 2)
        if rng.uniform_open() > mean / (mean + x):
            x = mean * mean / x
        if x <= CUT:
            return x


def accepts(rng, x):
    total = term(0, x)
    u = rng.uniform_open() * total
    n = 0
    while True:
        n += 1
        total += term(n, x) * (-1) ** n
        if n % 2 == 1 and u <= total:
            return True
        if n % 2 == 0 and u > total:
            return False


def one(rng, z):
    z = abs(z) / 2
    rate = math.pi**2 / 8 + z * z / 2
    right = math.pi / (2 * rate) * math.exp(-rate * CUT)
    root = math.sqrt(CUT)
    left = 2 * (cdf((CUT * z - 1) / root) * math.exp(-z) + cdf(-(CUT * z + 1) / root) * math.exp(z))
    while True:
        if rng.uniform_open() * (left + right) < right:
            x = CUT + rng.exponential() / rate
        else:
            x = short_candidate(rng, z)
        if accepts(rng, x):
            return x / 4


def draw(seed, stream, z):
    out = np.empty(len(z))
    for begin in range(0, len(z), CHUNK):
        rng = Rng(seed, stream, begin // CHUNK)
        for i in range(begin, min(begin + CHUNK, len(z))):
            out[i] = one(rng, float(z[i]))
    return out
