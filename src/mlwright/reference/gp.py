"""Gaussian processes, one formula a line (Rasmussen and Williams 2006, chapters 4 and 5)."""

import numpy as np

_DISTANCE = {
    "rbf": lambda s: np.exp(-0.5 * s),
    "matern12": lambda s: np.exp(-np.sqrt(s)),
    "matern32": lambda s: (1.0 + np.sqrt(3.0 * s)) * np.exp(-np.sqrt(3.0 * s)),
    "matern52": lambda s: (1.0 + np.sqrt(5.0 * s) + 5.0 * s / 3.0) * np.exp(-np.sqrt(5.0 * s)),
}
_SLOPE = {  # -2 d value / d s
    "rbf": lambda s: np.exp(-0.5 * s),
    "matern12": lambda s: np.where(s > 0.0, np.exp(-np.sqrt(s)) / np.sqrt(np.where(s > 0.0, s, 1.0)), 0.0),
    "matern32": lambda s: 3.0 * np.exp(-np.sqrt(3.0 * s)),
    "matern52": lambda s: 5.0 / 3.0 * (1.0 + np.sqrt(5.0 * s)) * np.exp(-np.sqrt(5.0 * s)),
}


def kernel_and_gradient(program, X, Z, same):
    """Values of shape (n, m) and derivatives by the logarithms of parameters, of shape (n_parameters, n, m)."""
    stack, parameters = [], list(program.parameters)
    squares = (X[:, None, :] - Z[None, :, :]) ** 2
    ones = np.ones((len(X), len(Z)))
    for name, n in program.steps:
        if name in ("add", "multiply"):
            (right, d_right), (left, d_left) = stack.pop(), stack.pop()
            value = left + right if name == "add" else left * right
            slopes = d_left + d_right if name == "add" else [d * right for d in d_left] + [left * d for d in d_right]
            stack.append((value, slopes))
            continue
        mine, parameters = parameters[:n], parameters[n:]
        stack.append(_function(name, mine, squares, ones, same))
    ((value, slopes),) = stack
    return value, np.array(slopes)


def _function(name, parameters, squares, ones, same):
    if name in ("constant", "white"):
        value = parameters[0] * (ones if name == "constant" else same * np.eye(*ones.shape))
        return value, [value]
    if name == "rational_quadratic":
        alpha, scale = parameters
        s = squares.sum(axis=2) / scale**2
        base = 1.0 + s / (2.0 * alpha)
        value = base**-alpha
        return value, [value * (s / (2.0 * base) - alpha * np.log(base)), value * s / base]
    parts = squares / np.square(parameters)
    s = parts.sum(axis=2)
    slope = _SLOPE[name](s)
    by_scale = [slope * s] if len(parameters) == 1 else [slope * parts[:, :, k] for k in range(len(parameters))]
    return _DISTANCE[name](s), by_scale


def covariance(program, X, noise):
    """See ``mlwright._kernels.gp.covariance``."""
    return np.triu(kernel_and_gradient(program, X, X, True)[0]) + np.diag(noise)


def cross_covariance(program, X, Z, same=False):
    """See ``mlwright._kernels.gp.cross_covariance``."""
    return kernel_and_gradient(program, X, Z, same)[0]


def covariance_gradient(program, X, precision, weights):
    """See ``mlwright._kernels.gp.covariance_gradient``."""
    P = np.triu(precision) + np.triu(precision, 1).T
    inner = weights @ weights.T - weights.shape[1] * P
    return 0.5 * np.einsum("ij,kij->k", inner, kernel_and_gradient(program, X, X, True)[1])
