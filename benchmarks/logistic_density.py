"""One log density, compiled once by Numba to a C function that every sampler calls."""

import numpy as np

from mlwright.extend import log_density, real


@log_density(b=real("columns"), gradient="own")
def logistic(b, X, y, columns, gradient):
    """Logistic regression with a normal prior of deviation 2.5, and its gradient."""
    total = 0.0
    for j in range(len(b)):
        total -= 0.08 * b[j] * b[j]
        gradient[j] = -0.16 * b[j]
    for i in range(len(y)):
        eta = 0.0
        for j in range(len(b)):
            eta += X[i, j] * b[j]
        small = np.exp(-abs(eta))
        chance = 1.0 / (1.0 + small) if eta > 0.0 else small / (1.0 + small)
        total += y[i] * eta - max(eta, 0.0) - np.log1p(small)
        slope = y[i] - chance
        for j in range(len(b)):
            gradient[j] += slope * X[i, j]
    return total


def data_of(X, y):
    return {"X": X, "y": y, "columns": np.zeros(X.shape[1])}
