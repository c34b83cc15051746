"""The Vecchia approximation: each row given its nearest neighbours among the rows before it, in an order of its own."""

from functools import cached_property

import numpy as np

from mlwright._kernels.gp_vecchia import (
    earlier_neighbours,
    maximin_order,
    nearest_neighbours,
    vecchia_conditionals,
    vecchia_likelihood,
)
from mlwright.gaussian_process._rows import not_positive_definite


def column_scale(kernel, n_columns):
    """What columns are divided by where distances decide who is whose neighbour: the first length scales, one a column,
    that the kernel starts with, or ones."""
    for name, value in sorted(kernel.get_params().items()):
        if name.rpartition("__")[2] == "length_scale" and np.ndim(value) == 1 and len(value) == n_columns:
            return np.array(value, dtype=np.float64)
    return np.ones(n_columns)


class VecchiaSolver:
    """See :mod:`mlwright.gaussian_process._solvers` for what a solver offers."""

    def __init__(self, observed, settings):
        self.observed = observed
        self._settings = settings
        self._X = np.ascontiguousarray(observed.X, dtype=np.float64)
        self._m = max(1, min(settings.n_neighbors, len(self._X) - 1))
        self._m_predict = 2 * settings.n_neighbors  # rows of the fit are on all sides of a new one

    @cached_property
    def _ordered(self):
        """The order, and rows, targets, noise and neighbours in it."""
        scaled = self._X / self._settings.column_scale
        if self._settings.ordering == "maximin":
            order = maximin_order(scaled)
        else:
            order = np.argsort(scaled.sum(axis=1), kind="stable")
        near = earlier_neighbours(scaled[order], self._m)
        return order, self._X[order], self.observed.y[order], self.observed.noise[order], near

    def likelihood(self, kernel, gradient=False):
        known = self.observed.program(kernel)
        _, *rows = self._ordered
        definite, value, slopes = vecchia_likelihood(known.program, *rows, with_gradient=gradient)
        if not (definite and np.isfinite(value)):
            return (-np.inf, np.zeros(len(kernel.theta))) if gradient else -np.inf
        return (value, slopes[known.free]) if gradient else value

    def state(self, kernel):
        return {"_weights": self.left_out(None, kernel)[0]}

    def extended(self, state, n_old, kernel):
        return self.state(kernel)

    def likelihood_of(self, state, kernel):
        return self.likelihood(kernel)

    def left_out(self, state, kernel):
        """From the factors of the precision matrix: ``P = (I - U)' D^-1 (I - U)``."""
        order, X, y, noise, near = self._ordered
        u, D = self._conditionals(kernel, X, noise, X, near)
        D = D + noise
        z = (y - np.einsum("im,imt->it", u, y[near])) / D[:, None]
        n, used = len(X), near >= 0
        weights, precision = np.empty_like(y), np.empty(n)
        for t in range(y.shape[1]):
            moved = np.bincount(near[used], (u * z[:, t, None])[used], minlength=n)
            weights[order, t] = z[:, t] - moved
        precision[order] = 1.0 / D + np.bincount(near[used], (u * u / D[:, None])[used], minlength=n)
        return weights, precision

    def _conditionals(self, kernel, X, noise, queries, near):
        program = self.observed.program(kernel).program
        definite, u, D = vecchia_conditionals(program, X, noise, queries, near)
        if not definite:
            raise not_positive_definite(kernel)
        return u, D

    def predict(self, state, kernel, X, want):
        X, scale = np.ascontiguousarray(X, dtype=np.float64), self._settings.column_scale
        near = nearest_neighbours(self._X / scale, X / scale, min(self._m_predict, len(self._X)))
        u, D = self._conditionals(kernel, self._X, self.observed.noise, X, near)
        mean = np.einsum("im,imt->it", u, self.observed.y[near])
        if want == "covariance":
            return mean, self._correlations(kernel, X) * np.sqrt(np.multiply.outer(D, D))
        return mean, D if want == "variance" else None

    def _correlations(self, kernel, X):
        """Of new rows, each given its neighbours among the rows of the fit and the new rows before it."""
        n, m, scale = len(self._X), len(X), self._settings.column_scale
        rows = np.concatenate([self._X, X])
        near = earlier_neighbours(rows / scale, self._m_predict)[n:]
        noise = np.concatenate([self.observed.noise, np.zeros(m)])
        u, D = self._conditionals(kernel, rows, noise, X, near)
        covariance = np.zeros((m, m))
        for i in range(m):
            new = near[i] >= n
            row = u[i, new] @ covariance[near[i, new] - n, : i + 1]
            row[i] = D[i] + u[i, new] @ row[near[i, new] - n]
            covariance[i, : i + 1] = covariance[: i + 1, i] = row
        deviation = np.sqrt(covariance.diagonal())
        return covariance / np.multiply.outer(deviation, deviation)
