"""Twin of ``mlwright._kernels.count_mixture``: probabilities added up from 0 on."""

import math

import numpy as np


def log_probability(k, mean, dispersion):
    if dispersion == 0.0:
        return (k * math.log(mean) if k else 0.0) - mean - math.lgamma(k + 1.0)
    size = 1.0 / dispersion
    constant = math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1.0)
    return constant + (k * math.log(dispersion * mean) if k else 0.0) - (k + size) * math.log1p(dispersion * mean)


def probability(k, mean, dispersion):
    return float(k == 0) if mean == 0.0 else math.exp(log_probability(k, mean, dispersion))


def quantile(means, dispersions, level):
    share, k = 0.0, -1
    while share < level:
        k += 1
        share += sum(map(probability, [k] * len(means), means, dispersions)) / len(means)
    return k


def quantiles(means, dispersions, levels):
    dispersions = np.zeros(means.shape[1]) if dispersions is None else dispersions
    table = [[quantile(row, dispersions.tolist(), level) for level in levels] for row in means.tolist()]
    return np.array(table, dtype=np.float64).reshape(-1, len(levels))
