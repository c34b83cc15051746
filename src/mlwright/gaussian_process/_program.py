"""scikit-learn's kernels as programs for the native code; kernels that it does not know stay scikit-learn's."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sklearn.gaussian_process import kernels

from mlwright._kernels.gp import Program

_MATERN = {0.5: "matern12", 1.5: "matern32", 2.5: "matern52", np.inf: "rbf"}
_JOINS = {kernels.Sum: "add", kernels.Product: "multiply"}
_FARTHEST = 1e150  # native code squares distances: rows and lengths beyond, and lengths below 1 / this, have no squares


class Parts(NamedTuple):
    """A program as a process and white noise.

    Attributes
    ----------
    process : Program or None
        Without white noise; None where nothing is left.
    variance, white : float
        Of the process, and of the noise.
    """

    process: Program | None
    variance: float
    white: float


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

    @cached_property
    def parts(self):
        stack, used, values = [], 0, self.program.parameters
        for name, n in self.program.steps:
            mine, used = values[used : used + n], used + n
            if name in ("add", "multiply"):
                right, left = stack.pop(), stack.pop()
                stack.append(_joined(name, left, right))
            elif name == "white":
                stack.append(Parts(None, 0.0, float(mine[0])))
            else:
                stack.append(Parts(Program(((name, n),), mine), float(mine[0]) if name == "constant" else 1.0, 0.0))
        return stack[0]


def _joined(name, a, b):
    """Parts of the sum or product of two kernels."""
    processes = [part.process for part in (a, b) if part.process is not None]
    if name == "multiply":
        both = Parts(None, a.variance * b.variance, a.variance * b.white + a.white * (b.variance + b.white))
        if len(processes) < 2:
            return both
    else:
        both = Parts(None, a.variance + b.variance, a.white + b.white)
        if len(processes) < 2:
            return both._replace(process=processes[0] if processes else None)
    steps = (*processes[0].steps, *processes[1].steps, (name, 0))
    return both._replace(process=Program(steps, np.concatenate([part.parameters for part in processes])))


def program_on(kernel, *sets):
    """The program of a kernel on sets of rows, or None where it or they are not what native code reads."""
    return program_of(kernel, sets[0].shape[1]) if all(map(is_table, sets)) else None


def is_table(X):
    """Whether X is rows of numbers whose distances have squares."""
    if not (isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "fiu"):
        return False
    return X.size == 0 or max(float(X.max()), -float(X.min())) <= _FARTHEST


def program_of(kernel, n_columns):
    """The program of a kernel; None where a part of it is another class, a user's subclass included, or a parameter is
    not positive and finite, or a length has no square.

    Raises
    ------
    ValueError
        scikit-learn's, for length scales that are not one a column.
    """
    steps, parameters = [], []
    if not _append(kernel, n_columns, steps, parameters):
        return None
    values, free, lengths = (np.array(column) for column in zip(*parameters, strict=True))
    if not ((values > 0.0) & np.isfinite(values)).all():
        return None
    if not ((values[lengths] >= 1.0 / _FARTHEST) & (values[lengths] <= _FARTHEST)).all():
        return None
    return KernelProgram(Program(tuple(steps), values), free)


def _append(kernel, d, steps, parameters):
    """Parameters are (value, whether it is free, whether it is a length)."""
    if type(kernel) in _JOINS:
        known = all(_append(part, d, steps, parameters) for part in (kernel.k1, kernel.k2))
        steps.append((_JOINS[type(kernel)], 0))
        return known
    name = _name(kernel)
    if name is None:
        return False
    values = [np.atleast_1d(getattr(kernel, h.name)).astype(float) for h in kernel.hyperparameters]
    _require_scales(values[-1], d)
    steps.append((name, sum(len(value) for value in values)))
    for value, hyperparameter in zip(values, kernel.hyperparameters, strict=True):
        length = hyperparameter.name == "length_scale"
        parameters.extend((number, not hyperparameter.fixed, length) for number in value)
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
