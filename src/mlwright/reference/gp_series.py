"""Gaussian processes of one column, by their covariance matrices (Rasmussen and Williams 2006, chapter 2)."""

import numpy as np

_MATERN = {
    1: lambda r: (np.exp(-r), r * np.exp(-r)),
    2: lambda r: ((1.0 + r) * np.exp(-r), r * r * np.exp(-r)),
    3: lambda r: ((1.0 + r + r * r / 3.0) * np.exp(-r), r * r * (1.0 + r) / 3.0 * np.exp(-r)),
}


def _matrix(terms, t, z):
    """The covariance matrix of t with z, and its derivatives by log(variance) and log(length) of each term in turn."""
    gap, slopes = np.abs(t[:, None] - z), []
    for states, variance, length in terms:
        value, by_length = np.ones_like(gap), np.zeros_like(gap)
        if states:
            value, by_length = _MATERN[states](np.sqrt(2.0 * states - 1.0) * gap / length)
        slopes += [variance * value, variance * by_length]
    return sum(slopes[::2]), slopes


def _observed(terms, t, y, noise, observed):
    seen = np.asarray(observed, bool)
    K, slopes = _matrix(terms, t[seen], t[seen])
    return seen, K + np.diag(noise[seen]), slopes


def series_likelihood(terms, t, y, noise, observed, *, with_gradient=True):
    """See ``mlwright._kernels.gp_series.series_likelihood``."""
    seen, K, slopes = _observed(terms, t, y, noise, observed)
    y = y[seen]
    P, T = np.linalg.inv(K), y.shape[1]
    a = P @ y
    value = -0.5 * np.sum(y * a) - 0.5 * T * (np.linalg.slogdet(K)[1] + len(y) * np.log(2.0 * np.pi))
    inner = a @ a.T - T * P
    slopes = [*slopes, np.eye(len(y))]
    return True, value, np.array([0.5 * np.sum(inner * s) for s in slopes]) if with_gradient else np.empty(0)


def series_left_out(terms, t, y, noise, observed, *, with_gradient=True):
    """See ``mlwright._kernels.gp_series.series_left_out``."""
    seen, K, _ = _observed(terms, t, y, noise, observed)
    P, weights, precision = np.linalg.inv(K), np.zeros_like(y), np.zeros(len(t))
    weights[seen], precision[seen] = P @ y[seen], P.diagonal()
    return True, weights, precision


def series_moments(terms, t, y, noise, observed, *, with_gradient=True):
    """See ``mlwright._kernels.gp_series.series_moments``."""
    seen, K, _ = _observed(terms, t, y, noise, observed)
    cross = _matrix(terms, t, t[seen])[0]
    gain = cross @ np.linalg.inv(K)
    return True, gain @ y[seen], _matrix(terms, t, t)[0].diagonal() - np.sum(gain * cross, axis=1)


def series_covariance(terms, t, y, noise, observed, *, with_gradient=True):
    """See ``mlwright._kernels.gp_series.series_covariance``."""
    seen, K, _ = _observed(terms, t, y, noise, observed)
    new = t[~seen]
    cross = _matrix(terms, new, t[seen])[0]
    return True, _matrix(terms, new, new)[0] - cross @ np.linalg.inv(K) @ cross.T
