"""Draws from the posterior of coefficients: mean + V diag(alpha e + lambda)^(-1/2) z, plus what V leaves out."""

import numpy as np

from mlwright._kernels.linalg import affine_map
from mlwright._kernels.rng import normal

_ALONG, _ACROSS = 0, 1  # streams


def gaussian_steps(basis, precisions, lam, n_samples, seed):
    """Draws of shape (n_samples, p) about zero.

    Parameters
    ----------
    basis : array of shape (p, k)
        Eigenvectors, along which the precisions are those of `precisions`; across them it is `lam`.
    precisions : array of shape (k,)
    lam : float
    n_samples, seed : int
    """
    p, k = basis.shape
    z = normal(seed, _ALONG, n_samples * k).reshape(n_samples, k) / np.sqrt(precisions)
    steps = affine_map(z, basis, np.zeros(p))
    if k < p:
        across = normal(seed, _ACROSS, n_samples * p).reshape(n_samples, p) / np.sqrt(lam)
        along = affine_map(across, basis.T, np.zeros(k))
        steps += across - affine_map(along, basis, np.zeros(p))
    return steps
