"""Covariances of rows under any kernel, by native code where it knows the kernel; the one door to white noise."""

import numpy as np

from mlwright._kernels.gp import cross_covariance
from mlwright._runtime.errors import NumericalError
from mlwright.gaussian_process._program import program_on

_ROWS_AT_ONCE = 32  # of a kernel of which only the diagonal of k(X, X) is wanted


def between(kernel, X, Z, same=False):
    """Covariances of rows: k(X, Z), or with `same` those of rows with themselves, white noise included."""
    known = program_on(kernel, X, Z)
    if known is not None:
        return cross_covariance(known.program, X, Z, same)
    try:
        return np.asarray(kernel(X) if same else kernel(X, Z), dtype=np.float64)
    except OverflowError as error:  # of Python's own numbers: an exponent
        raise NumericalError(f"kernel: {kernel} overflows; expected parameters of usual size.") from error


def own_variances(kernel, X):
    """Variances of the process at rows, and of the white noise that the kernel adds there, each of shape (n,)."""
    known = program_on(kernel, X)
    if known is not None:
        return np.full(len(X), known.parts.variance), np.full(len(X), known.parts.white)
    parts = (X[i : i + _ROWS_AT_ONCE] for i in range(0, len(X), _ROWS_AT_ONCE))
    process = np.concatenate([np.asarray(kernel(rows, rows), dtype=np.float64).diagonal() for rows in parts])
    return process, np.maximum(kernel.diag(X) - process, 0.0)  # two sets of rows share no noise
