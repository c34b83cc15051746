"""Twin of ``mlwright._kernels.horseshoe``: shares of coefficients under the horseshoe, with the same random numbers.

The density of r = 1 - s, ``(1 - r)^(-1/2) exp(-e r) / (1 - (1 - q) r)``, is enclosed by pieces: of constants and of
``1 / u^2`` in ``u = sqrt(s)`` near s = 0, and by chords of its logarithm, which is convex, beyond. And the plain Gibbs
sampler of Makalic and Schmidt (2016), A simple sampler for the horseshoe estimator, IEEE Signal Processing Letters 23,
whose chains are others and whose posterior must be the same.
"""

import math

import numpy as np

from mlwright.reference.rng import CHUNK, Rng

RATIO = 4.0


def bend(x, q, upper_half):
    """The logarithm of the density but for its linear part."""
    rest = 1 + (q - 1) * x if upper_half else q + (1 - q) * x
    return -0.5 * math.log((1 - x if upper_half else x) * rest * rest)


def chord(low, high, q, e, upper_half):
    """A piece: its ends, the logarithm but for the linear part there, the slope, the mass, which half."""
    at = bend(low, q, upper_half), bend(high, q, upper_half)
    length = high - low
    slope = at[1] - at[0] + (-e if upper_half else e) * length
    at_low = at[0] + e * (-low if upper_half else low - 1)
    top, steep = math.exp(max(at_low, at_low + slope)), abs(slope)
    mass = length * top * (-math.expm1(-steep) / steep if steep else 1)
    return low, high, *at, slope, mass, upper_half


def chords(near, q, e):
    low = near
    while low < 0.5:
        yield chord(low, min(low * RATIO, 0.5), q, e, False)
        low *= RATIO
    low = 0.0
    while low < 0.5:
        high = min((RATIO * (1 + (q - 1) * low) - 1) / (q - 1), 0.5) if q > 1 else 0.5
        yield chord(low, high, q, e, True)
        low = high


def part_of(slope, u):
    """Of an exponential on (0, 1), by inversion from its higher end."""
    steep = abs(slope)
    t = min(-math.log1p(u * math.expm1(-steep)) / steep, 1.0) if steep else u
    return 1 - t if slope > 0 else t


def one(rng, q, e):
    near = 0.5 / e if e > 1 else 0.5
    end, scale = math.sqrt(near), 2 * math.exp(e * (near - 1))
    flat_end = min(math.sqrt(q / (1 - q)), end) if q < 0.5 else end
    bottom = min(q, q + (1 - q) * flat_end**2)
    flat = scale * flat_end / bottom
    steep = scale * (1 / flat_end - 1 / end) / (1 - q) if flat_end < end else 0.0
    pieces = list(chords(near, q, e))
    while True:
        place = rng.uniform() * (flat + steep + sum(piece[5] for piece in pieces))
        if place < flat + steep:
            if place < flat:
                u = rng.uniform_open() * flat_end
                most = 1 / bottom
            else:
                u = 1 / (1 / end + rng.uniform_open() * (1 / flat_end - 1 / end))
                most = 1 / ((1 - q) * u * u)
            if rng.uniform() < math.exp(e * (u * u - near)) / (q + (1 - q) * u * u) / most:
                return 1 - u * u
            continue
        place -= flat + steep
        i = 0
        while i + 1 < len(pieces) and place >= pieces[i][5]:
            place -= pieces[i][5]
            i += 1
        low, high, bend_low, bend_high, slope, _, upper_half = pieces[i]
        part = part_of(slope, rng.uniform_open())
        x = low + part * (high - low)
        if rng.uniform() < math.exp(bend(x, q, upper_half) - bend_low - part * (bend_high - bend_low)):
            return x if upper_half else 1 - x


def draw_shrunk(seed, stream, q, e):
    out = np.empty(len(q))
    for begin in range(0, len(q), CHUNK):
        rng = Rng(seed, stream, begin // CHUNK)
        for i in range(begin, min(begin + CHUNK, len(q))):
            out[i] = one(rng, float(q[i]), float(e[i]))
    return out


def gibbs(X, y, shape, rate, global_scale, slab_precision, chains, draws, seed):
    """Coefficients, the noise's variance and the global scale, as ``sample_horseshoe`` gives them."""
    rng = np.random.default_rng(seed)
    n_columns, gram, cross = X.shape[1], X.T @ X, X.T @ y
    coef, variance, scale = np.empty((chains, draws, n_columns)), np.empty((chains, draws)), np.empty((chains, draws))
    for chain in range(chains):
        local, aux, tau2 = np.ones(n_columns), np.ones(n_columns), global_scale**2
        for i in range(draws):
            lower = np.linalg.cholesky(gram + np.diag(1 / (tau2 * local) + slab_precision))
            half = np.linalg.solve(lower, cross)
            s2 = (rate + 0.5 * (y @ y - half @ half)) / rng.gamma(shape)
            b = np.linalg.solve(lower.T, half + np.sqrt(s2) * rng.standard_normal(n_columns))
            square = b * b / (2 * s2)
            local = (1 / aux + square / tau2) / rng.exponential(size=n_columns)
            aux = (1 + 1 / local) / rng.exponential(size=n_columns)
            tau_aux = (global_scale**-2 + 1 / tau2) / rng.exponential()
            tau2 = (1 / tau_aux + (square / local).sum()) / rng.gamma(0.5 * (n_columns + 1))
            coef[chain, i], variance[chain, i], scale[chain, i] = b, s2, np.sqrt(tau2)
    return coef, variance, scale
