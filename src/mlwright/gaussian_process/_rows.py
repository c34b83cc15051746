"""What a Gaussian process is conditioned on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlwright.gaussian_process._program import is_table, program_of


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
        """The kernel's program on these rows, or None: see :mod:`mlwright.gaussian_process._program`."""
        return program_of(kernel, self.X.shape[1]) if self._is_table else None

    @cached_property
    def _is_table(self):
        return is_table(self.X)


def log_density(y, weights, half_log_det):
    """Of all targets under one covariance matrix K: y of shape (n, t), weights ``K^-1 y``."""
    n, t = y.shape
    return -0.5 * float(np.einsum("it,it->", y, weights)) - t * (half_log_det + 0.5 * n * np.log(2.0 * np.pi))


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
