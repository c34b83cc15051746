"""Draws from the posterior of coefficients: mean + V diag(alpha e + lambda)^(-1/2) z, plus what V leaves out."""

import numpy as np

from mlwright._kernels.linalg import affine_map
from mlwright._kernels.rng import normal

_ALONG, _ACROSS = 0, 1  # streams


def gaussian_steps(model, n_samples, seed):
    """Draws of ``coef - coef_``, of shape (n_samples, p), from a fitted BayesianRidge."""
    basis, (p, k) = model._basis, model._basis.shape
    alpha, lam = float(model.alpha_), float(model.lambda_)
    z = normal(seed, _ALONG, n_samples * k).reshape(n_samples, k) / np.sqrt(alpha * model._values + lam)
    steps = affine_map(z, basis, np.zeros(p))
    if k < p:
        across = normal(seed, _ACROSS, n_samples * p).reshape(n_samples, p) / np.sqrt(lam)
        along = affine_map(across, basis.T, np.zeros(k))
        steps += across - affine_map(along, basis, np.zeros(p))
    return steps
