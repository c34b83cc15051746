"""Draws from the posterior of coefficients: mean + V diag(alpha e + lambda)^(-1/2) z, plus what V leaves out."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright._kernels.linalg import affine_map
from mlwright._kernels.rng import normal
from mlwright._runtime.rng import seed_from

_ALONG, _ACROSS = 0, 1  # streams


def gaussian_draws(model, n_samples, random_state):
    """Coefficients of shape (n_samples, p) and the intercepts that go with them, from a fitted BayesianRidge."""
    check_is_fitted(model)
    if not isinstance(n_samples, Integral) or isinstance(n_samples, bool) or n_samples < 1:
        raise ValueError(f"n_samples: got {n_samples!r}, expected an integer of at least 1.")
    seed = seed_from(random_state)
    basis, (p, k) = model._basis, model._basis.shape
    alpha, lam, mean = float(model.alpha_), float(model.lambda_), model.coef_.astype(np.float64)
    z = normal(seed, _ALONG, n_samples * k).reshape(n_samples, k) / np.sqrt(alpha * model._values + lam)
    coef = affine_map(z, basis, mean)
    if k < p:
        across = normal(seed, _ACROSS, n_samples * p).reshape(n_samples, p) / np.sqrt(lam)
        along = affine_map(across, basis.T, np.zeros(k))
        coef += across - affine_map(along, basis, np.zeros(p))
    centre = model.X_offset_.astype(np.float64)
    intercept = float(model.intercept_) - ((coef - mean) * centre).sum(axis=1)
    return coef, intercept if model.fit_intercept else np.zeros(n_samples)
