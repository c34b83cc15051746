"""Mixtures of Gaussians, one formula a line (Bishop 2006, section 9.2)."""

import numpy as np


def expect(X, w, covariance, means, factors, constants, *, moments=True, rows=False):
    """See ``mlwright._kernels.mixture.expect``."""
    weight = np.ones(len(X)) if w is None else w
    components = zip(means, [factors] * len(means) if covariance == "tied" else factors, constants, strict=True)
    joint = np.stack([c - 0.5 * _squared_distance(X - m, covariance, f) for m, f, c in components], axis=1)
    most = joint.max(axis=1)
    log_density = most + np.log(np.exp(joint - most[:, None]).sum(axis=1))
    log_share = joint - log_density[:, None]
    share = np.exp(log_share)
    entropy = -np.sum(weight[:, None] * np.where(share == 0.0, 0.0, share * log_share))
    sums = moments_of(X, w, share if moments else np.zeros_like(share), covariance, means)[2:5]
    of_rows = (log_density, share) if rows else (np.empty(0), np.empty(0))
    return (np.sum(weight * log_density), entropy, *sums, *of_rows)


def moments_of(X, w, responsibility, covariance, centres):
    """See ``mlwright._kernels.mixture.moments_of``."""
    r = responsibility if w is None else responsibility * w[:, None]
    z = X[:, None, :] - centres
    squares = {
        "full": lambda: np.einsum("nk,nki,nkj->kij", r, z, z),
        "diagonal": lambda: np.einsum("nk,nki->ki", r, z**2),
        "tied": lambda: np.empty(0),
    }[covariance]()
    return 0.0, 0.0, r.sum(axis=0), np.einsum("nk,nki->ki", r, z), squares, np.empty(0), np.empty(0)


def _squared_distance(z, covariance, factor):
    return np.sum((z * factor if covariance == "diagonal" else z @ np.triu(factor)) ** 2, axis=1)
