"""What is asked of the posterior of a Gaussian process: moments, draws, rows left out."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, eigh

from mlwright._bayesian.laws import StudentLaw
from mlwright._bayesian.loo import keep_loo
from mlwright._kernels.rng import normal
from mlwright.gaussian_process._covariances import own_variances

_ROUNDING = 1e-10  # of the variance before any row was seen: what a covariance may be indefinite by


@dataclass(frozen=True)
class Posterior:
    """The process given the rows of a fit, in the units of its targets: shape (t,) of `centre` and `scale`.

    Solvers know the process alone; noise of observations is added here, and nowhere else: the kernel's white noise, and
    what a caller gives as `noise`.
    """

    solver: object
    kernel: object
    state: dict
    centre: np.ndarray
    scale: np.ndarray

    def mean(self, X):
        """Of shape (m, t)."""
        return self._in_units(self.solver.predict(self.state, self.kernel, X, "mean")[0])

    def deviations(self, X, noise=0.0, warn=False):
        """Means and standard deviations of observations, each of shape (m, t); `warn` as scikit-learn does."""
        mean, variance = self.solver.predict(self.state, self.kernel, X, "variance")
        noise = noise + own_variances(self.kernel, X)[1]
        if warn and (variance + noise < 0.0).any():
            warnings.warn("Predicted variances smaller than 0. Setting those variances to 0.", stacklevel=3)
        return self._in_units(mean), np.sqrt(np.maximum(variance, 0.0) + noise)[:, None] * self.scale

    def covariance(self, X, noise=0.0):
        """Means of observations of shape (m, t), and their joint covariance of shape (m, m, t)."""
        mean, covariance = self.solver.predict(self.state, self.kernel, X, "covariance")
        covariance[np.diag_indices_from(covariance)] += noise + own_variances(self.kernel, X)[1]
        return self._in_units(mean), covariance[:, :, None] * self.scale**2

    def draws(self, X, n_samples, seed, stream, noise=None):
        """Observations of shape (n_samples, m, t); without any `noise`, the process itself."""
        mean, covariance = self.solver.predict(self.state, self.kernel, X, "covariance")
        variance, white = own_variances(self.kernel, X)
        if noise is not None:
            covariance[np.diag_indices_from(covariance)] += noise + white
        m, t = mean.shape
        unit = normal(seed, stream, n_samples * m * t).reshape(n_samples * t, m)
        steps = (unit @ root_of(covariance, variance.max(initial=0.0))).reshape(n_samples, t, m)
        return self._in_units(mean) + self.scale * steps.transpose(0, 2, 1)

    def _in_units(self, mean):
        return self.centre + self.scale * mean


def root_of(covariance, prior):
    """R with ``R' R = covariance``, also where rounding made it slightly indefinite.

    Rounding has the size of the variance before any row was seen, `prior`, not that of what is left of it.
    """
    if not covariance.any():
        return np.zeros_like(covariance)
    try:
        return cholesky(covariance, check_finite=False)
    except np.linalg.LinAlgError:
        values, vectors = eigh(covariance, check_finite=False)
        if values[0] < -_ROUNDING * max(prior, values[-1]) * len(values):
            raise
        return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


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
