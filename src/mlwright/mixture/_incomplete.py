"""Expectations over what is missing.

Given a component, the missing part z of a centred row with observed part x is normal: its mean is ``x @ slope``, with
``slope = inverse(C_oo) C_om``, and its covariance ``C_mm - C_mo slope`` is the same for all rows of a pattern. So the
moments of the observed parts, which one native pass gives, are all that is needed of the rows (Ghahramani and Jordan
1994, Supervised learning from incomplete data via an EM approach).
"""

from typing import NamedTuple

import numpy as np

from mlwright._kernels import mixture as kernels
from mlwright.mixture._covariances import inverse_of_lower
from mlwright.mixture._moments import Moments

_LOG_2_PI = np.log(2.0 * np.pi)


class Pattern(NamedTuple):
    """Rows of which the same columns are observed.

    Attributes
    ----------
    index : int array
        Their numbers.
    observed, missing : int arrays
        Columns.
    X : array of shape (len(index), len(observed))
    w : array of shape (len(index),), or None
    """

    index: np.ndarray
    observed: np.ndarray
    missing: np.ndarray
    X: np.ndarray
    w: np.ndarray | None


def patterns_of(X, w):
    """The patterns of NaN in X, in the order of their first rows."""
    masks, first, of_row = np.unique(np.isnan(X), axis=0, return_index=True, return_inverse=True)
    return [_pattern(X, w, masks[i], np.flatnonzero(of_row == i)) for i in np.argsort(first)]


def _pattern(X, w, mask, index):
    observed = np.flatnonzero(~mask)
    return Pattern(index, observed, np.flatnonzero(mask), X[np.ix_(index, observed)], None if w is None else w[index])


def pattern_pass(pattern, gaussians, **wants):
    """Moments of the completed rows of a pattern about the means, and the pass over what is observed of them.

    Parameters
    ----------
    pattern : Pattern
    gaussians : Gaussians
        Of full covariances; its offsets hold the logarithms of determinants.

    Returns
    -------
    moments : Moments
        With full squares. The entropy is that of the responsibilities and of what is missing.
    found : Pass
    """
    observed = pattern.observed
    factors = _observed_factors(gaussians.covariances, observed)
    # What is missing is integrated out: the determinant of the observed block takes the place of the whole.
    part = -2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constants = gaussians.offsets + 0.5 * (gaussians.log_determinants - part) - 0.5 * len(observed) * _LOG_2_PI
    found = _observed_pass(pattern, gaussians.means[:, observed], factors, constants, wants)
    missing, mass = pattern.missing, found.mass
    lift, left = _regressions(gaussians.covariances, factors, pattern)
    sums = (lift @ found.sums[:, :, None])[:, :, 0]
    squares = lift @ found.squares @ np.swapaxes(lift, 1, 2)
    squares[:, missing[:, None], missing] += mass[:, None, None] * left
    of_missing = len(missing) * (1.0 + _LOG_2_PI) + np.linalg.slogdet(left)[1]
    entropy = found.entropy + 0.5 * float(mass @ of_missing)
    return Moments(gaussians.means, found.mass, sums, squares, found.log_likelihood, entropy), found


def _observed_factors(covariances, observed):
    block = covariances[:, observed[:, None], observed]
    return inverse_of_lower(np.linalg.cholesky(block)) if len(observed) else block


def _observed_pass(pattern, means, factors, constants, wants):
    if len(pattern.observed):
        return kernels.expect(pattern.X, pattern.w, "full", means, factors, constants, **wants)
    # Rows of which nothing is known: one column of zeros in their place.
    k = len(means)
    nothing, zeros = np.zeros((len(pattern.X), 1)), np.zeros((k, 1))
    found = kernels.expect(nothing, pattern.w, "full", zeros, np.ones((k, 1, 1)), constants, **wants)
    return found._replace(sums=np.zeros((k, 0)), squares=np.zeros((k, 0, 0)))


def _regressions(covariances, factors, pattern):
    """By component: what completes a centred observed part, (d, o), and the covariance left of the missing part."""
    observed, missing = pattern.observed, pattern.missing
    half = np.swapaxes(factors, 1, 2) @ covariances[:, observed[:, None], missing]
    lift = np.zeros((*covariances.shape[:2], len(observed)))
    lift[:, observed, np.arange(len(observed))] = 1.0
    lift[:, missing] = np.swapaxes(factors @ half, 1, 2)
    return lift, covariances[:, missing[:, None], missing] - np.swapaxes(half, 1, 2) @ half
