"""Factors of covariances by type.

A factor U is upper triangular, with ``U U'`` the precision; for diagonal and spherical covariances it is the square
root of the precision. It is what scikit-learn calls ``precisions_cholesky_``.
"""

import numpy as np
from scipy.linalg import solve_triangular

TYPES = ("full", "tied", "diag", "spherical")
_SMALL = 64
#: What the kernel calls each type.
NATIVE = {"full": "full", "tied": "tied", "diag": "diagonal", "spherical": "diagonal"}


def shape_of(covariance_type, k, d):
    """Of covariances, precisions and factors."""
    return {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}[covariance_type]


def factor_of_covariances(covariances, covariance_type, name):
    """The factors of the precisions.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    if covariance_type in ("diag", "spherical"):
        if not (covariances > 0.0).all():
            raise _ill_defined(name)
        return 1.0 / np.sqrt(covariances)
    try:
        lower = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise _ill_defined(name) from None
    return inverse_of_lower(lower)


def inverse_of_lower(lower):
    """Transposed inverses of lower triangles, one or several.

    Small ones by substitution for all components at once: BLAS would wake its threads, which then spin on the cores
    that the next pass over the rows needs.
    """
    d = lower.shape[-1]
    if d > _SMALL:
        if lower.ndim == 3:
            return np.stack([inverse_of_lower(one) for one in lower])
        return np.ascontiguousarray(solve_triangular(lower, np.eye(d), lower=True).T)
    inverse = np.zeros_like(lower)
    for j in range(d):
        inverse[..., j, j] = 1.0
        inverse[..., j, :] -= np.einsum("...i,...ij->...j", lower[..., j, :j], inverse[..., :j, :])
        inverse[..., j, :] /= lower[..., j, j, None]
    return np.ascontiguousarray(np.swapaxes(inverse, -1, -2))


def _ill_defined(name):
    return ValueError(
        f"{name}: fitting the mixture model failed because some components have ill-defined empirical covariance (for "
        "instance caused by singleton or collapsed samples); expected positive definite ones; decrease n_components, "
        "increase reg_covar, or scale the input data."
    )


def factor_of_precisions(precisions, covariance_type):
    """The factors of given precisions.

    Raises
    ------
    numpy.linalg.LinAlgError
        If one is not positive definite.
    """
    if covariance_type in ("diag", "spherical"):
        return np.sqrt(precisions)
    # U U' of a matrix is the Cholesky factor of it with rows and columns reversed, reversed.
    return np.ascontiguousarray(np.linalg.cholesky(precisions[..., ::-1, ::-1])[..., ::-1, ::-1])


def precisions_of(factors, covariance_type):
    """The precisions of factors."""
    if covariance_type in ("full", "tied"):
        return factors @ np.swapaxes(factors, -1, -2)
    return factors**2


def covariances_of(factors, covariance_type):
    """The covariances of factors."""
    if covariance_type in ("full", "tied"):
        inverse = np.linalg.inv(factors)
        return np.swapaxes(inverse, -1, -2) @ inverse
    return 1.0 / factors**2


def log_determinants(factors, covariance_type, d):
    """Of the factors: of each component, or of all of them."""
    if covariance_type in ("full", "tied"):
        return np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.log(factors).sum(axis=1) if covariance_type == "diag" else d * np.log(factors)


def native_factors(factors, covariance_type, d):
    """As the kernel reads them."""
    return np.repeat(factors[:, None], d, axis=1) if covariance_type == "spherical" else factors


def full_covariances(covariances, covariance_type, k, d):
    """One matrix a component, whatever the type: shape (k, d, d)."""
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.broadcast_to(covariances, (k, d, d))
    diagonal = covariances if covariance_type == "diag" else np.repeat(covariances[:, None], d, axis=1)
    return diagonal[:, :, None] * np.eye(d)
