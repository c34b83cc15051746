"""Passes over the rows of a mixture of Gaussians; see ``mixture/gaussian.hpp``."""

from typing import NamedTuple

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_NOTHING = np.empty(0)


class Pass(NamedTuple):
    """What a pass found: sums over rows, and of each row what was asked for.

    Attributes
    ----------
    log_likelihood : float
        Sum of the weighted log densities.
    entropy : float
        ``-sum_i w_i sum_k r_ik log(r_ik)`` of the responsibilities r.
    mass : array of shape (k,)
        Sum of the weighted responsibilities.
    sums : array of shape (k, d)
        Of the rows less the component's centre.
    squares : array of shape (k, d, d), (k, d) or (0,)
        Of products of these, for full and for diagonal covariances; empty for tied ones.
    log_density : array of shape (n,), or (0,) if not asked for
    responsibility : array of shape (n, k), or (0,) if not asked for
    """

    log_likelihood: float
    entropy: float
    mass: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    log_density: np.ndarray = _NOTHING
    responsibility: np.ndarray = _NOTHING


def _optional(a):
    return None if a is None else layout.vector(a)


def _shaped(answer, covariance, d, *rows):
    log_likelihood, entropy, mass, sums, squares = answer
    k = len(mass)
    shape = {"full": (k, d, d), "diagonal": (k, d), "tied": (0,)}[covariance]
    return Pass(log_likelihood, entropy, mass, sums.reshape(k, d), squares.reshape(shape), *rows)


@kernel(
    native="mixture.expect",
    twin="mixture:expect",
    strategy="mixture:rows_and_components",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def expect(X, w, covariance, means, factors, constants, *, moments=True, rows=False):
    """Log densities and responsibilities under a mixture, and the moments of the components about their means.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Finite.
    w : float64 array of shape (n,), optional
        Not negative.
    covariance : {"full", "tied", "diagonal"}
    means : float64 array of shape (k, d)
    factors : float64 array of shape (k, d, d), (d, d) or (k, d)
        Upper triangles U of precisions ``U U'``, of each component or of all; square roots of diagonal precisions.
    constants : float64 array of shape (k,)
        ``log p(x, k) = constants[k] - |U' (x - means[k])|^2 / 2``.
    moments : bool
        Without them the pass is shorter; ``sums`` and ``squares`` are zero then.
    rows : bool
        Whether to return the log density and the responsibilities of each row.

    Returns
    -------
    Pass
    """
    X, means, constants = layout.vector(X), layout.vector(means), layout.vector(constants)
    n, d = X.shape
    log_density = np.empty(n) if rows else None
    responsibility = np.empty((n, len(constants))) if rows else None
    answer = core.mixture.expect(
        X, _optional(w), covariance, means, layout.vector(factors), constants, log_density, responsibility, moments
    )
    return _shaped(answer, covariance, d, *((log_density, responsibility) if rows else ()))


@kernel(
    native="mixture.moments_of",
    twin="mixture:moments_of",
    strategy="mixture:rows_and_responsibilities",
    tolerance=Tolerance(rtol=1e-11, atol=1e-9),
)
def moments_of(X, w, responsibility, covariance, centres):
    """The moments of given responsibilities about given centres.

    Parameters
    ----------
    X, w, covariance
        As in :func:`expect`.
    responsibility : float64 array of shape (n, k)
    centres : float64 array of shape (k, d)

    Returns
    -------
    Pass
        Its log-likelihood and entropy are zero.
    """
    X = layout.vector(X)
    answer = core.mixture.moments_of(X, _optional(w), layout.vector(responsibility), covariance, layout.vector(centres))
    return _shaped(answer, covariance, X.shape[1])
