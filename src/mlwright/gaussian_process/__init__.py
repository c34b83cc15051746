"""Gaussian processes."""

from mlwright.gaussian_process._regressor import GaussianProcessRegressor

__all__ = ["GaussianProcessRegressor"]
