"""Draws of the noise's variance."""

import numpy as np

from mlwright._kernels.rng import gamma

_LEAST = (
    1e-100  # so that draws stay finite where next to nothing is known of the noise: nearly all of the law is beyond
)


def drawn_variances(seed, stream, shape, rate, n):
    """From InverseGamma(shape, rate), `rate` a number or an array of shape (n,)."""
    return rate / np.maximum(gamma(seed, stream, shape, n), _LEAST)
