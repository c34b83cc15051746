"""What is asked of the posterior of a Gaussian process besides its moments: laws, draws, rows left out."""

import numpy as np
from scipy.linalg import cholesky, eigh

from mlwright._bayesian.laws import StudentLaw
from mlwright._bayesian.loo import keep_loo
from mlwright._kernels.rng import normal

_ROUNDING = 1e-10  # of the greatest variance: what a covariance may be indefinite by


def root_of(covariance):
    """R with ``R' R = covariance``, also where rounding made it slightly indefinite."""
    scale = float(covariance.diagonal().max(initial=0.0))
    if scale <= 0.0:
        return np.zeros_like(covariance)
    try:
        return cholesky(covariance, check_finite=False)
    except np.linalg.LinAlgError:
        values, vectors = eigh(covariance, check_finite=False)
        if values[0] < -_ROUNDING * scale * len(values):
            raise
        return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


def draws(mean, covariance, scale, n_samples, seed, stream):
    """Of shape (n_samples, m, t), about a mean of shape (m, t); `covariance` is of targets divided by `scale`."""
    m, t = mean.shape
    unit = normal(seed, stream, n_samples * m * t).reshape(n_samples * t, m)
    steps = (unit @ root_of(covariance)).reshape(n_samples, t, m)
    return mean + scale * steps.transpose(0, 2, 1)


def leave_out(model, y, weights, precision, centre, scale, single):
    """Set ``loo_predictions_`` and the scores: row i given all others is normal, about ``y_i - a_i / P_ii``.

    Parameters
    ----------
    model : object
    y, weights : float64 arrays of shape (n, t)
        Normalised targets, and a = P y.
    precision : float64 array of shape (n,)
        The diagonal of ``P = K^-1``.
    centre, scale : float64 arrays of shape (t,)
        Of the targets.
    single : bool
        Whether y came with one dimension.
    """
    mean = centre + scale * (y - weights / precision[:, None])
    deviation = np.sqrt(1.0 / precision)[:, None] * scale
    law = StudentLaw(mean, deviation)
    model.loo_predictions_ = mean[:, 0].copy() if single else mean
    keep_loo(model, law.log_density(centre + scale * y).sum(axis=1))
