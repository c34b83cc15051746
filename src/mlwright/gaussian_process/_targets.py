"""Targets in and out of the units that the process is fitted in, their noise, and moments before any fit."""

import warnings

import numpy as np
from sklearn.gaussian_process.kernels import RBF, ConstantKernel


def normalise(y, wanted):
    """Centre and scale of shape (t,), and y in their units; zero and one unless `wanted`."""
    n_targets = y.shape[1] if y.ndim > 1 else 1
    if not wanted:
        return np.zeros(n_targets), np.ones(n_targets), y
    table = y.reshape(len(y), -1).astype(np.float64)
    centre, scale = table.mean(axis=0), table.std(axis=0)
    scale[scale <= 10.0 * np.finfo(np.float64).eps * np.abs(table).max(axis=0, initial=0.0)] = 1.0  # a constant
    return centre, scale, ((table - centre) / scale).reshape(y.shape).astype(y.dtype, copy=False)


def require_noise(alpha, n):
    """alpha as one number a row.

    Raises
    ------
    ValueError
        For another length than that of y, or numbers that are negative or not finite.
    """
    noise = np.asarray(alpha, dtype=np.float64)
    if noise.ndim > 1 or (noise.ndim == 1 and len(noise) not in (1, n)):
        raise ValueError(
            f"alpha must be a scalar or an array with same number of entries as y. ({noise.shape[0]} != {n})"
        )
    if not (np.isfinite(noise).all() and (noise >= 0.0).all()):
        raise ValueError("alpha: got numbers that are negative or not finite, expected variances of the noise.")
    return np.array(np.broadcast_to(noise, (n,)))


def spread(variance, scale, noise=0.0):
    """Variances by target of shape (m, t), from those of normalised targets; rounding may have made some negative."""
    if (variance < 0.0).any():
        warnings.warn("Predicted variances smaller than 0. Setting those variances to 0.", UserWarning, stacklevel=4)
    return (np.maximum(variance, 0.0) + noise)[:, None] * scale**2


def prior_moments(kernel, n_targets, X, want):
    """What an unfitted model predicts: scikit-learn's answer."""
    if kernel is None:
        kernel = ConstantKernel(1.0, "fixed") * RBF(1.0, "fixed")
    n_targets = 1 if n_targets is None else n_targets
    mean = np.zeros((len(X), n_targets)).squeeze()
    if want == "mean":
        return mean
    second = kernel(X) if want == "covariance" else np.sqrt(kernel.diag(X))
    return mean, np.repeat(second[..., None], n_targets, axis=-1) if n_targets > 1 else second
