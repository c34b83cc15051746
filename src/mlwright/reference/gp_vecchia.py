"""Vecchia approximations of Gaussian processes, row by row (Katzfuss and Guinness 2021)."""

import numpy as np

from mlwright.reference.gp import kernel_and_gradient


def _squares(X, Z):
    """Squared distances, columns added in their order."""
    total = np.zeros((len(X), len(Z)))
    for k in range(X.shape[1]):
        total += (X[:, None, k] - Z[None, :, k]) ** 2
    return total


def maximin_order(X):
    """See ``mlwright._kernels.gp_vecchia.maximin_order``."""
    centre = np.zeros(X.shape[1])
    for row in X:
        centre += row / len(X)
    nearest, order = np.full(len(X), np.inf), []
    new = int(_squares(centre[None, :], X)[0].argmin())
    while len(order) < len(X):
        order.append(new)
        nearest = np.minimum(nearest, _squares(X[new : new + 1], X)[0])
        nearest[new] = -1.0
        new = int(nearest.argmax())
    return np.array(order, dtype=np.int64)


def earlier_neighbours(X, m):
    """See ``mlwright._kernels.gp_vecchia.earlier_neighbours``."""
    return np.array([_nearest(X[:i], X[i], m) for i in range(len(X))]).reshape(len(X), m)


def nearest_neighbours(X, queries, m):
    """See ``mlwright._kernels.gp_vecchia.nearest_neighbours``."""
    return np.array([_nearest(X, query, m) for query in queries]).reshape(len(queries), m)


def _nearest(X, query, m):
    near = np.argsort(_squares(query[None, :], X)[0], kind="stable")[:m]
    return np.concatenate([near, np.full(m - len(near), -1)])


def _conditional(program, X, noise, query, near):
    """u, D, and the matrices that they come from with their derivatives."""
    near = near[near >= 0]
    rows = np.vstack([X[near], query])
    C, slopes = kernel_and_gradient(program, rows, rows, True)
    inside = C[:-1, :-1] + np.diag(noise[near])
    u = np.linalg.solve(inside, C[:-1, -1]) if len(near) else np.zeros(0)
    return near, u, C[-1, -1] - u @ C[:-1, -1], inside, slopes


def vecchia_likelihood(program, X, y, noise, neighbours, *, with_gradient=True):
    """See ``mlwright._kernels.gp_vecchia.vecchia_likelihood``."""
    value, gradient = 0.0, np.zeros(len(program.parameters))
    for i, query in enumerate(X):
        near, u, D, inside, slopes = _conditional(program, X, noise, query, neighbours[i])
        D += noise[i]
        e = y[i] - u @ y[near]
        w = np.linalg.solve(inside, y[near]) if len(near) else np.zeros((0, y.shape[1]))
        value -= 0.5 * np.sum(np.log(2.0 * np.pi * D) + e * e / D)
        for k, slope in enumerate(slopes):
            dC, dc, dself = slope[:-1, :-1], slope[:-1, -1], slope[-1, -1]
            de, dD = -(dc @ w - u @ dC @ w), dself - 2.0 * u @ dc + u @ dC @ u
            gradient[k] -= 0.5 * np.sum(dD / D - e * e * dD / D**2 + 2.0 * e * de / D)
    return True, value, gradient if with_gradient else np.empty(0)


def vecchia_conditionals(program, X, noise, queries, neighbours):
    """See ``mlwright._kernels.gp_vecchia.vecchia_conditionals``."""
    out, D = np.zeros(neighbours.shape), np.zeros(len(queries))
    for i, query in enumerate(queries):
        near, u, D[i], *_ = _conditional(program, X, noise, query, neighbours[i])
        out[i, : len(near)] = u
    return True, out, D
