"""Probabilities of classes that are told apart one after another, from one sum of trees a stage.

``P(y = c | none of those before) = Phi(f_c)``; of two classes the second is the one that f speaks for, as everywhere.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr


def probabilities(sums):
    """Of every class under every draw: shape (draws, rows, n_classes), from a list of sums (draws, rows)."""
    if len(sums) == 1:
        second = ndtr(sums[0])
        return np.stack([1.0 - second, second], axis=-1)
    left, out = np.ones_like(sums[0]), []
    for f in sums:
        out.append(left * ndtr(f))
        left = left * ndtr(-f)
    return np.stack([*out, left], axis=-1)


def log_likelihood(sums, places):
    """Of the classes at `places` under every draw: shape (draws, rows)."""
    if len(sums) == 1:
        return log_ndtr(np.where(places == 1, sums[0], -sums[0]))
    total = np.zeros_like(sums[0])
    for c, f in enumerate(sums):
        total += np.where(places < c, 0.0, log_ndtr(np.where(places == c, f, -f)))
    return total


class ProbabilityLaw:
    """Posterior law of the probabilities at rows, a block of them at a time."""

    def __init__(self, n, blocks, n_classes):
        self._n, self._blocks, self._n_classes = n, blocks, n_classes

    def quantiles(self, levels):
        out = np.empty((self._n, self._n_classes, len(levels)))
        for rows, p in self._blocks:
            out[rows] = np.moveaxis(np.quantile(p, levels, axis=0), 0, -1)
        return out
