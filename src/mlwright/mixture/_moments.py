"""Sufficient statistics of a mixture's components, and what a covariance type makes of them."""

from dataclasses import dataclass

import numpy as np

#: Keeps a component without rows from dividing by zero, as scikit-learn does.
_LEAST_MASS = 10 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Moments:
    """Moments of the rows of each component about its centre.

    Attributes
    ----------
    centres : array of shape (k, d)
    mass : array of shape (k,)
        Sum of the weighted responsibilities.
    sums : array of shape (k, d)
    squares : array of shape (k, d, d), (d, d) or (k, d)
        Full; pooled over the components, for tied covariances; diagonal, for diagonal and spherical ones.
    log_likelihood, entropy : float
        Of the responsibilities that the moments were made with.
    """

    centres: np.ndarray
    mass: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    log_likelihood: float = 0.0
    entropy: float = 0.0

    def about(self, centres, covariance_type):
        """The same moments about other centres."""
        step = self.centres - centres
        across = _outer(self.sums, step, covariance_type)
        squares = self.squares + across + _outer(self.mass[:, None] * step, step, covariance_type)
        squares += np.swapaxes(across, -1, -2) if covariance_type in ("full", "tied") else across
        sums = self.sums + self.mass[:, None] * step
        return Moments(centres, self.mass, sums, squares, self.log_likelihood, self.entropy)

    def plus(self, other):
        """The sum of moments about the same centres."""
        return Moments(
            self.centres,
            self.mass + other.mass,
            self.sums + other.sums,
            self.squares + other.squares,
            self.log_likelihood + other.log_likelihood,
            self.entropy + other.entropy,
        )


def _outer(a, b, covariance_type):
    """Products of vectors (k, d) in the shape of `Moments.squares`."""
    if covariance_type == "full":
        return a[:, :, None] * b[:, None, :]
    return a.T @ b if covariance_type == "tied" else a * b


def estimates(moments, covariance_type, reg_covar):
    """Masses, means and covariances of the components, as scikit-learn defines them.

    Returns
    -------
    mass : array of shape (k,)
    means : array of shape (k, d)
    covariances : array of shape (k, d, d), (d, d), (k, d) or (k,)
    """
    mass = moments.mass + _LEAST_MASS
    shift = moments.sums / mass[:, None]
    left = moments.squares - _outer(moments.sums, shift, covariance_type)
    if covariance_type == "full":
        covariances = left / mass[:, None, None] + reg_covar * np.eye(left.shape[-1])
    elif covariance_type == "tied":
        covariances = left / mass.sum() + reg_covar * np.eye(len(left))
    else:
        covariances = left / mass[:, None] + reg_covar
    if covariance_type == "spherical":
        covariances = covariances.mean(axis=1)
    return mass, moments.centres + shift, covariances
