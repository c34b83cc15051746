"""The components of a mixture as a pass over rows needs them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlwright.mixture._covariances import full_covariances, log_determinants, native_factors

_LOG_2_PI = np.log(2.0 * np.pi)


@dataclass(frozen=True)
class Gaussians:
    """``log p(x, k) = offsets[k] + log N(x; means[k], covariance k)``.

    Attributes
    ----------
    covariance_type : str
    means : array of shape (k, d)
    covariances, factors : arrays, see ``_covariances``
    offsets : array of shape (k,)
        Logarithms of weights, and whatever else variational inference adds.
    """

    covariance_type: str
    means: np.ndarray
    covariances: np.ndarray
    factors: np.ndarray
    offsets: np.ndarray

    @property
    def constants(self):
        """Shape (k,): what the kernel calls so."""
        return self._offsets_and_determinants() - 0.5 * self.means.shape[1] * _LOG_2_PI

    @property
    def native_factors(self):
        return native_factors(self.factors, self.covariance_type, self.means.shape[1])

    @cached_property
    def log_determinants(self):
        """Shape (k,): of full covariances."""
        return np.linalg.slogdet(self.covariances)[1]

    def in_full(self):
        """The same with a covariance matrix for every component."""
        k, d = self.means.shape
        covariances = full_covariances(self.covariances, self.covariance_type, k, d)
        return Gaussians("full", self.means, covariances, np.empty(0), self._offsets_and_determinants())

    def _offsets_and_determinants(self):
        return self.offsets + log_determinants(self.factors, self.covariance_type, self.means.shape[1])
