"""Gaussian processes of one column as state-space models; see ``gp/state_space.hpp``.

A term is (states, variance, length): 0 states for a constant, 1, 2 and 3 for Matern 1/2, 3/2 and 5/2.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

#: Most terms of a sum.
MOST_TERMS = 4


def _series(t, y, noise, observed):
    return layout.vector(t), layout.vector(y), layout.vector(noise), np.require(observed, np.uint8, "CA")


@kernel(
    native="gp.series_likelihood",
    twin="gp_series:series_likelihood",
    strategy="gp_series:terms_and_series",
    tolerance=Tolerance(rtol=1e-8, atol=1e-7),
)
def series_likelihood(terms, t, y, noise, observed, *, with_gradient=True):
    """Log density of the observed rows under a sum of terms and independent noise.

    Parameters
    ----------
    terms : list of (int, float, float)
        States, variance and length of each; at most ``MOST_TERMS``.
    t : float64 array of shape (n,)
        Not falling.
    y : float64 array of shape (n, n_targets)
    noise : float64 array of shape (n,)
        Variances.
    observed : bool array of shape (n,)
    with_gradient : bool

    Returns
    -------
    positive_definite : bool
        Up to rounding; the others mean nothing if not.
    value : float
    gradient : float64 array of shape (2 n_terms + 1,), or (0,)
        By log(variance) and log(length) of each term in turn, then by a number added to the noise of all rows.
    """
    return core.gp.series_likelihood(list(terms), *_series(t, y, noise, observed), with_gradient)


@kernel(
    native="gp.series_left_out",
    twin="gp_series:series_left_out",
    strategy="gp_series:terms_and_series",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def series_left_out(terms, t, y, noise, observed, *, with_gradient=True):
    """What predicts each observed row by all others; zero at rows that are not observed.

    Parameters
    ----------
    terms, t, y, noise, observed
        As in :func:`series_likelihood`.
    with_gradient : bool
        Of no account here.

    Returns
    -------
    positive_definite : bool
    weights : float64 array of shape (n, n_targets)
        ``K^-1 y``.
    precision : float64 array of shape (n,)
        The diagonal of ``K^-1``.
    """
    series = _series(t, y, noise, observed)
    weights, precision = np.zeros(series[1].shape), np.zeros(len(series[0]))
    return core.gp.series_left_out(list(terms), *series, weights, precision), weights, precision


@kernel(
    native="gp.series_moments",
    twin="gp_series:series_moments",
    strategy="gp_series:terms_and_series",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def series_moments(terms, t, y, noise, observed, *, with_gradient=True):
    """Posterior moments of the process at all rows, given the observed ones.

    Parameters
    ----------
    terms, t, y, noise, observed, with_gradient
        As in :func:`series_left_out`.

    Returns
    -------
    positive_definite : bool
    mean : float64 array of shape (n, n_targets)
    variance : float64 array of shape (n,)
    """
    series = _series(t, y, noise, observed)
    mean, variance = np.zeros(series[1].shape), np.zeros(len(series[0]))
    return core.gp.series_moments(list(terms), *series, mean, variance), mean, variance


@kernel(
    native="gp.series_covariance",
    twin="gp_series:series_covariance",
    strategy="gp_series:terms_and_series",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def series_covariance(terms, t, y, noise, observed, *, with_gradient=True):
    """Joint covariance of the process at the rows that are not observed, given those that are.

    Parameters
    ----------
    terms, t, y, noise, observed, with_gradient
        As in :func:`series_left_out`.

    Returns
    -------
    positive_definite : bool
    covariance : float64 array of shape (m, m)
    """
    series = _series(t, y, noise, observed)
    m = len(series[3]) - int(np.count_nonzero(series[3]))
    out = np.zeros((m, m))
    return core.gp.series_covariance(list(terms), *series, out), out
