"""Priors of coefficients: what the native density takes, and the constants that it leaves out."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from mlwright._kernels import glm_density as gd

SHAPES = {
    "normal": gd.NORMAL,
    "student_t": gd.STUDENT_T,
    "cauchy": gd.STUDENT_T,
    "laplace": gd.LAPLACE,
    "horseshoe": gd.HORSESHOE,
}


@dataclass(frozen=True)
class Prior:
    """Of the coefficients of standardised columns.

    Attributes
    ----------
    shape : int
        Of ``_kernels.glm_density``.
    scale : array of shape (p,)
    freedom, global_scale, slab : float
    """

    shape: int
    scale: np.ndarray
    freedom: float = 0.0
    global_scale: float = 1.0
    slab: float = 0.0

    @property
    def smooth(self):
        """Whether a posterior may be normal around its mode."""
        return self.shape in (gd.NORMAL, gd.STUDENT_T)

    @property
    def log_constant(self):
        """What the native density leaves out of the log prior."""
        p = len(self.scale)
        if self.shape == gd.HORSESHOE:
            half_cauchy = np.log(2.0 / np.pi)
            return -0.5 * p * np.log(2.0 * np.pi) + (p + 1) * half_cauchy - np.log(self.global_scale)
        each = {
            gd.NORMAL: lambda: -0.5 * np.log(2.0 * np.pi),
            gd.STUDENT_T: lambda: log_student_constant(self.freedom),
            gd.LAPLACE: lambda: -np.log(2.0),
        }[self.shape]()
        return float(p * each - np.log(self.scale).sum())

    def coefficients(self, z, hyper):
        """What free numbers (m, p) and hyperparameters (m, p + 1) stand for."""
        if self.shape != gd.HORSESHOE:
            return z
        product = np.exp(np.minimum(hyper[:, :-1] + hyper[:, -1:], 300.0))
        return z * self.scale * (product / np.sqrt(1.0 + (product / self.slab) ** 2) if self.slab else product)


def log_student_constant(freedom):
    """Of Student's t density at 0."""
    if np.isinf(freedom):
        return -0.5 * np.log(2.0 * np.pi)
    return special.gammaln(0.5 * (freedom + 1.0)) - special.gammaln(0.5 * freedom) - 0.5 * np.log(np.pi * freedom)


def log_half_constant(freedom, scale):
    """Of a half-Student-t density of that scale."""
    return float(np.log(2.0 / scale) + log_student_constant(freedom))
