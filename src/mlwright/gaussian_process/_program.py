"""scikit-learn's kernels as programs for the native code; kernels that it does not know stay scikit-learn's."""

from dataclasses import dataclass

import numpy as np
from sklearn.gaussian_process import kernels

from mlwright._kernels.gp import Program

_MATERN = {0.5: "matern12", 1.5: "matern32", 2.5: "matern52", np.inf: "rbf"}
_JOINS = {kernels.Sum: "add", kernels.Product: "multiply"}


@dataclass(frozen=True)
class KernelProgram:
    """A kernel that native code evaluates.

    Attributes
    ----------
    program : Program
    free : bool array of shape (n_parameters,)
        Which parameters are in ``kernel.theta``: its order is theirs.
    """

    program: Program
    free: np.ndarray


def program_of(kernel, n_columns):
    """The program of a kernel; None where a part of it is another class, a user's subclass included, or a parameter is
    not positive and finite.

    Raises
    ------
    ValueError
        scikit-learn's, for length scales that are not one a column.
    """
    steps, parameters, free = [], [], []
    if not _append(kernel, n_columns, steps, parameters, free):
        return None
    values = np.array(parameters)
    if not ((values > 0.0) & np.isfinite(values)).all():
        return None
    return KernelProgram(Program(tuple(steps), values), np.array(free))


def _append(kernel, d, steps, parameters, free):
    if type(kernel) in _JOINS:
        known = all(_append(part, d, steps, parameters, free) for part in (kernel.k1, kernel.k2))
        steps.append((_JOINS[type(kernel)], 0))
        return known
    name = _name(kernel)
    if name is None:
        return False
    values = [np.atleast_1d(getattr(kernel, h.name)).astype(float) for h in kernel.hyperparameters]
    _require_scales(values[-1], d)
    steps.append((name, sum(len(value) for value in values)))
    for value, hyperparameter in zip(values, kernel.hyperparameters, strict=True):
        parameters.extend(value)
        free.extend([not hyperparameter.fixed] * len(value))
    return True


def _name(kernel):
    if type(kernel) is kernels.Matern:
        return _MATERN.get(kernel.nu)
    names = {
        kernels.ConstantKernel: "constant",
        kernels.WhiteKernel: "white",
        kernels.RBF: "rbf",
        kernels.RationalQuadratic: "rational_quadratic",
    }
    return names.get(type(kernel))


def _require_scales(value, d):
    if len(value) not in (1, d):
        raise ValueError(f"Anisotropic kernel must have the same number of dimensions as data ({len(value)}!={d})")
