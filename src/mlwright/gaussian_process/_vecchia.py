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
from mlwright.gaussian_process._failures import least_likelihood, not_positive_definite, unsuited

_LEAST_PIVOT = 1e-15  # of a variance: below it, what is left of one is rounding; as in vecchia.cpp
_NUGGET = 1e-10  # of a variance: noise of new rows where others are given them, which may be equal or close


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

    @staticmethod
    def fits(observed, kernel):
        return observed.program(kernel) is not None

    def _known(self, kernel):
        known = self.observed.program(kernel)
        if known is None:
            raise unsuited("vecchia", kernel)
        return known

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
        if known is None:
            return least_likelihood(kernel, gradient)
        _, *rows = self._ordered
        definite, value, slopes = vecchia_likelihood(known.program, *rows, with_gradient=gradient)
        if not (definite and np.isfinite(value)):
            return least_likelihood(kernel, gradient)
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
        known = self._known(kernel)
        u, D = _conditionals(kernel, known.program, X, noise, X, near)
        D, least = D + noise, _LEAST_PIVOT * (known.parts.variance + known.parts.white)
        if not (least < D).all():
            raise not_positive_definite(kernel)
        z = (y - np.einsum("im,imt->it", u, y[near])) / D[:, None]
        n, used = len(X), near >= 0
        weights, precision = np.empty_like(y), np.empty(n)
        for t in range(y.shape[1]):
            moved = np.bincount(near[used], (u * z[:, t, None])[used], minlength=n)
            weights[order, t] = z[:, t] - moved
        precision[order] = 1.0 / D + np.bincount(near[used], (u * u / D[:, None])[used], minlength=n)
        return weights, precision

    def predict(self, state, kernel, X, want):
        X, scale = np.ascontiguousarray(X, dtype=np.float64), self._settings.column_scale
        process, _, white = self._known(kernel).parts
        if process is None:  # white noise alone
            m, t = len(X), self.observed.y.shape[1]
            return np.zeros((m, t)), {"mean": None, "variance": np.zeros(m), "covariance": np.zeros((m, m))}[want]
        noise = self.observed.noise + white
        near = nearest_neighbours(self._X / scale, X / scale, min(self._m_predict, len(self._X)))
        u, D = _conditionals(kernel, process, self._X, noise, X, near)
        mean = np.einsum("im,imt->it", u, self.observed.y[near])
        if want == "covariance":
            return mean, _scaled(self._joint(kernel, X, near), D)
        return mean, D if want == "variance" else None

    def _joint(self, kernel, X, near):
        """Covariance of new rows, each given those of the fit that are near, and its neighbours among the new ones
        before it, those far apart first: between others a smooth process is found, beyond them it is lost."""
        n, m, scale = len(self._X), len(X), self._settings.column_scale
        process, variance, white = self._known(kernel).parts
        order = maximin_order(X / scale)
        X, near = X[order], near[order]
        before = earlier_neighbours(X / scale, max(1, min(self._settings.n_neighbors, m - 1)))
        both = np.hstack([near, np.where(before >= 0, before + n, -1)])
        noise = np.concatenate([self.observed.noise + white, np.full(m, _NUGGET * variance)])
        u, D = _conditionals(kernel, process, np.concatenate([self._X, X]), noise, X, both)
        u, covariance = u[:, near.shape[1] :], np.zeros((m, m))
        for i in range(m):
            others = before[i, before[i] >= 0]
            part = u[i, : len(others)]
            row = part @ covariance[others, : i + 1]
            row[i] = max(D[i], 0.0) + part @ row[others]
            covariance[i, : i + 1] = covariance[: i + 1, i] = row
        back = np.argsort(order)
        return covariance[np.ix_(back, back)]


def _conditionals(kernel, program, X, noise, queries, near):
    definite, u, D = vecchia_conditionals(program, X, noise, queries, near)
    if not definite:
        raise not_positive_definite(kernel)
    return u, D


def _scaled(covariance, variance):
    """A covariance with its correlations kept and other variances."""
    own = covariance.diagonal()
    scale = np.sqrt(np.divide(np.maximum(variance, 0.0), own, out=np.zeros(len(own)), where=own > 0.0))
    return covariance * np.multiply.outer(scale, scale)
