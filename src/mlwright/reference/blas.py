"""Twins of ``mlwright._kernels.blas``."""

import numpy as np


def solve_spd(a, b):
    a = np.asarray(a, dtype=np.float64)
    lower = np.tril(a)
    return np.linalg.solve(lower + np.tril(a, -1).T, np.asarray(b, dtype=np.float64))
