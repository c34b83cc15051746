"""What is said where there is no posterior."""

import numpy as np

_TAKEN = {
    "state_space": "X of one column, and a sum of at most four products of one Matern kernel (nu 0.5, 1.5 or 2.5) with "
    "constants, and of WhiteKernel",
    "vecchia": "sums and products of ConstantKernel, WhiteKernel, RBF, Matern (nu 0.5, 1.5, 2.5 or inf) and "
    "RationalQuadratic",
}


def not_positive_definite(kernel):
    """The error of a covariance matrix that has no Cholesky factor: scikit-learn's."""
    return np.linalg.LinAlgError(
        f"The kernel, {kernel}, is not returning a positive definite matrix. Try gradually increasing the 'alpha' "
        "parameter of your GaussianProcessRegressor estimator."
    )


def unsuited(solver, kernel):
    """The error of a solver that is no solver for a kernel or its rows."""
    return ValueError(
        f"solver: got {solver!r} for the kernel {kernel}; expected {_TAKEN[solver]}, rows and length scales between "
        "1e-150 and 1e150; or solver='dense'."
    )


def least_likelihood(kernel, gradient):
    """What a solver's ``likelihood`` answers where the rows have no density."""
    return (-np.inf, np.zeros(len(kernel.theta))) if gradient else -np.inf
