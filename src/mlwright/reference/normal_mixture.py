"""Twin of ``mlwright._kernels.normal_mixture``: roots of the distribution function, found by halving a bracket."""

import math
from statistics import NormalDist

import numpy as np


def below(x, mean, sds):
    return sum(0.5 * math.erfc((m - x) / (s * math.sqrt(2))) for m, s in zip(mean, sds, strict=True)) / len(mean)


def quantile(mean, sds, level):
    ends = mean + sds * NormalDist().inv_cdf(level)
    low, high = ends.min(), ends.max()
    while low < (middle := 0.5 * (low + high)) < high:
        if below(middle, mean, sds) > level:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def quantiles(means, sds, levels):
    sds = np.broadcast_to(sds, means.shape)
    table = [[quantile(*components, level) for level in levels] for components in zip(means, sds, strict=True)]
    return np.array(table).reshape(-1, len(levels))
