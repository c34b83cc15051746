"""What a Gaussian process is conditioned on."""

from dataclasses import dataclass

import numpy as np

from mlwright.gaussian_process._program import program_of


@dataclass(frozen=True)
class Observed:
    """Training rows.

    Attributes
    ----------
    X : array or list of length n
        As kernels take it.
    y : float64 array of shape (n, n_targets)
        Normalised.
    noise : float64 array of shape (n,)
        Added to the diagonal of the covariance matrix: the estimator's ``alpha``.
    """

    X: object
    y: np.ndarray
    noise: np.ndarray

    def program(self, kernel):
        """The kernel's program, or None: see :func:`~mlwright.gaussian_process._program.program_of`."""
        return program_of(kernel, self.X.shape[1]) if is_table(self.X) else None


def is_table(X):
    """Whether X is rows of numbers: what native code reads."""
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "fiu"


def log_density(y, weights, half_log_det):
    """Of all targets under one covariance matrix K: y of shape (n, t), weights ``K^-1 y``."""
    n, t = y.shape
    return -0.5 * float(np.einsum("it,it->", y, weights)) - t * (half_log_det + 0.5 * n * np.log(2.0 * np.pi))


def not_positive_definite(kernel):
    """The error of a covariance matrix that has no Cholesky factor: scikit-learn's."""
    return np.linalg.LinAlgError(
        f"The kernel, {kernel}, is not returning a positive definite matrix. Try gradually increasing the 'alpha' "
        "parameter of your GaussianProcessRegressor estimator."
    )


@dataclass(frozen=True)
class Settings:
    """Of an approximation by neighbours.

    Attributes
    ----------
    n_neighbors : int
    ordering : {"maximin", "coordinate"}
    column_scale : float64 array of shape (d,)
        What columns are divided by where distances are taken.
    """

    n_neighbors: int
    ordering: str
    column_scale: np.ndarray
