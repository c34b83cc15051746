"""Gaussian processes: covariances by small programs, and what is computed from them; see ``gp/kernel.hpp``."""

from typing import NamedTuple

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

#: Names of functions and of what joins two, in the order of ``gp::Op``.
FUNCTIONS = (
    "constant", "white", "rbf", "matern12", "matern32", "matern52", "rational_quadratic", "add", "multiply",
)  # fmt: skip
_CODES = {name: code for code, name in enumerate(FUNCTIONS)}


class Program(NamedTuple):
    """A covariance function in postfix order.

    Attributes
    ----------
    steps : tuple of (str, int)
        Names from ``FUNCTIONS`` and how many parameters each has: a length scale, or one a column.
    parameters : float64 array of shape (n_parameters,)
        As they are, not their logarithms; positive.
    """

    steps: tuple
    parameters: np.ndarray

    def coded(self):
        return [(_CODES[name], n) for name, n in self.steps], layout.vector(self.parameters)


@kernel(
    native="gp.covariance",
    twin="gp:covariance",
    strategy="gp:program_and_rows",
    tolerance=Tolerance(rtol=1e-12, atol=1e-13),
)
def covariance(program, X, noise):
    """The upper triangle of the covariance matrix of rows, `noise` added to its diagonal; what is below is zero.

    Parameters
    ----------
    program : Program
    X : float64 array of shape (n, d)
    noise : float64 array of shape (n,)

    Returns
    -------
    float64 array of shape (n, n)
    """
    X = layout.vector(X)
    out = np.zeros((len(X), len(X)))
    core.gp.covariance(*program.coded(), X, layout.vector(noise), out)
    return out


@kernel(
    native="gp.cross_covariance",
    twin="gp:cross_covariance",
    strategy="gp:program_and_two_sets",
    tolerance=Tolerance(rtol=1e-12, atol=1e-13),
)
def cross_covariance(program, X, Z, same=False):
    """Covariances of the rows of X with those of Z.

    Parameters
    ----------
    program : Program
    X, Z : float64 arrays of shape (n, d) and (m, d)
    same : bool
        Whether row i of both is the same row, so that white noise counts.

    Returns
    -------
    float64 array of shape (n, m)
    """
    X, Z = layout.vector(X), layout.vector(Z)
    out = np.empty((len(X), len(Z)))
    core.gp.cross_covariance(*program.coded(), X, Z, same, out)
    return out


@kernel(
    native="gp.covariance_gradient",
    twin="gp:covariance_gradient",
    strategy="gp:program_and_weights",
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
)
def covariance_gradient(program, X, precision, weights):
    """``sum_ij (sum_t a_it a_jt - n_targets P_ij) dk(x_i, x_j) / dlog(theta) / 2``, by parameter.

    Parameters
    ----------
    program : Program
    X : float64 array of shape (n, d)
    precision : float64 array of shape (n, n)
        P; only its upper triangle is read.
    weights : float64 array of shape (n, n_targets)
        a.

    Returns
    -------
    float64 array of shape (n_parameters,)
    """
    arrays = (layout.vector(a) for a in (X, precision, weights))
    return core.gp.covariance_gradient(*program.coded(), *arrays)
