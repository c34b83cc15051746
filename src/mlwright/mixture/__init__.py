"""Mixtures of Gaussians, by maximum likelihood and by variational inference."""

from mlwright.mixture._bayesian_gaussian_mixture import BayesianGaussianMixture
from mlwright.mixture._gaussian_mixture import GaussianMixture

__all__ = ["BayesianGaussianMixture", "GaussianMixture"]
