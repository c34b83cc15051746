"""Symmetric positive definite systems from fold statistics: equilibrated, with a condition estimate.

Reference: Higham (2002), Accuracy and Stability of Numerical Algorithms, sections 7.3 (scaling) and 15.3 (condition
estimation).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

LARGEST_PENALTY = 1e305  # of scaled columns; sums with it and what it divides are numbers


@dataclass(frozen=True, slots=True)
class Problem:
    """Normal equations of least squares in scaled columns.

    Attributes
    ----------
    gram : array of shape (p, p)
    cross : array of shape (p, t)
    square : array of shape (t,)
        Sums of squares of the targets; zero for those without spread.
    x_scale, y_scale : arrays of shape (p,) and (t,)
        ``coef * y_scale / x_scale`` are the coefficients in these columns.
    active : bool array of shape (p,)
        False for columns without spread, whose coefficients are zero.
    """

    gram: np.ndarray
    cross: np.ndarray
    square: np.ndarray
    x_scale: np.ndarray
    y_scale: np.ndarray
    active: np.ndarray

    @classmethod
    def of(cls, statistics, fit_intercept):
        p = statistics.n_features
        second, scale = statistics.moments(fit_intercept)
        diagonal = second.diagonal()
        spread = statistics.spread() if fit_intercept else diagonal
        square = np.where(spread[p:] > 0.0, diagonal[p:], 0.0)
        return cls(second[:p, :p], second[:p, p:], square, scale[:p], scale[p:], np.asarray(spread[:p] > 0.0))

    def to_coef(self, b):
        """Coefficients of the original columns, of shape (t, p), from those of the scaled ones, of shape (p, t)."""
        return (b * self.x_scale[:, None]).T / self.y_scale[:, None]


@dataclass(frozen=True, slots=True)
class Factor:
    """Cholesky factor of ``D (A + penalty) D`` with unit diagonal.

    Attributes
    ----------
    lower : array of shape (p, p), Fortran order
    d : array of shape (p,)
        Diagonal of D; zero for columns left out.
    condition : float
        Estimate of the factored matrix's condition number in the 1-norm; infinite where it is not positive definite.
    """

    lower: np.ndarray
    d: np.ndarray
    condition: float

    @classmethod
    def of(cls, gram, active, penalty=None):
        """Factor `gram` plus ``diag(penalty)``, leaving out the columns that are not active."""
        diagonal = gram.diagonal() if penalty is None else gram.diagonal() + np.minimum(penalty, LARGEST_PENALTY)
        with np.errstate(divide="ignore", invalid="ignore"):
            d = np.where(active & (diagonal > 0.0), 1.0 / np.sqrt(diagonal), 0.0)
        scaled = gram * np.multiply.outer(d, d)
        np.fill_diagonal(scaled, 1.0)
        norm = np.abs(scaled).sum(axis=0).max(initial=0.0)
        lower, info = lapack.dpotrf(scaled, lower=1, clean=1, overwrite_a=0)
        if info != 0:
            return cls(lower, d, np.inf)
        reciprocal, _ = lapack.dpocon(lower, norm, uplo="L")
        return cls(lower, d, 1.0 / reciprocal if reciprocal > 0.0 else np.inf)

    def solve(self, right):
        """Solve for right-hand sides of shape (p, t)."""
        solution, _ = lapack.dpotrs(self.lower, right * self.d[:, None], lower=1)
        return solution * self.d[:, None]

    def inverse_root(self):
        """W with ``W W'`` the inverse (on the columns kept): upper triangular, scaled."""
        inverse, _ = lapack.dtrtri(self.lower, lower=1)
        return (inverse * self.d).T
