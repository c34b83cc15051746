"""Hamiltonian Monte Carlo around a mode, all chains at once: where a normal approximation does not reach everywhere.

In the columns of the approximation the posterior has about unit variances, so a few leapfrog steps cross it; their size
is drawn anew for each transition, so that no trajectory returns to where it began.

Reference: Neal (2011), MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo, chapter 5.
"""

import numpy as np

from mlwright._kernels import loss
from mlwright._kernels.rng import normal, uniform
from mlwright._runtime.rng import stream_id

_MOMENTUM, _SIZE, _ACCEPT, _START = 7421, 7422, 7423, 7424  # purposes of random numbers
_STEP, _STEPS, _WARM_UP = 0.4, 5, 100
_ITERATIONS = 64  # whose random numbers are drawn at once


class Target:
    """The log density and its gradient of points u, ``theta = mode + root u``, for several chains at once."""

    def __init__(self, likelihood, precision, laplace):
        self.likelihood, self.laplace = likelihood, laplace
        Z = (likelihood.X - likelihood.shift) * likelihood.scale
        design = np.column_stack([Z, np.ones(len(Z))]) if likelihood.fit_intercept else Z
        self.design, self.start = design @ laplace.root, design @ laplace.mode
        self.precision = np.append(precision, 0.0)[: len(laplace.mode)]

    def __call__(self, u):
        """Log densities of shape (chains,), gradients and points of shape (chains, d)."""
        rows, theta = self.likelihood, self.laplace.mode + u @ self.laplace.root.T
        eta = self.start[:, None] + self.design @ u.T
        y = rows.y[:, None]
        values = loss.value(rows.loss.name, np.broadcast_to(y, eta.shape).ravel(), eta.ravel(), rows.loss.parameter)
        with np.errstate(over="ignore"):
            slope = rows.mean(eta) - y  # of the loss, both links being canonical
        values = values.reshape(eta.shape)
        if rows.w is not None:
            values, slope = values * rows.w[:, None], slope * rows.w[:, None]
        prior = theta * self.precision
        value = -values.sum(axis=0) - 0.5 * (prior * theta).sum(axis=1)
        return value, -(slope.T @ self.design) - prior @ self.laplace.root, theta


def hamiltonian_chains(likelihood, precision, laplace, chains, draws, seed):
    """Points of shape (chains, draws, d), and the share of transitions accepted."""
    target, d = Target(likelihood, precision, laplace), len(laplace.mode)
    u = normal(seed, stream_id(_START), chains * d).reshape(chains, d)
    state = (u, *target(u))
    out, accepted = np.empty((chains, draws, d)), 0.0
    for iteration in range(_WARM_UP + draws):
        block, at = divmod(iteration, _ITERATIONS)
        if at == 0:
            momenta = normal(seed, stream_id(_MOMENTUM, block), _ITERATIONS * chains * d).reshape(-1, chains, d)
            sizes = uniform(seed, stream_id(_SIZE, block), _ITERATIONS * chains).reshape(-1, chains)
            chances = uniform(seed, stream_id(_ACCEPT, block), _ITERATIONS * chains).reshape(-1, chains)
        step = _STEP * (0.5 + sizes[at])[:, None]
        state, moved = _transition(target, state, momenta[at], step, chances[at])
        if iteration >= _WARM_UP:
            out[:, iteration - _WARM_UP] = state[3]
            accepted += moved.mean() / draws
    return out, float(accepted)


def _transition(target, state, momentum, step, chance):
    """One of each chain; `state` is points, log densities, gradients and points in the prior's columns."""
    u, value, gradient, _ = state
    p = momentum + 0.5 * step * gradient
    for _ in range(_STEPS):
        u = u + step * p
        new_value, gradient, theta = target(u)
        p = p + step * gradient
    p = p - 0.5 * step * gradient
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = new_value - value - 0.5 * ((p * p).sum(axis=1) - (momentum * momentum).sum(axis=1))
        moves = np.log(chance) < gain
    new = (u, new_value, gradient, theta)
    kept = tuple(
        np.where(moves if old.ndim == 1 else moves[:, None], fresh, old) for fresh, old in zip(new, state, strict=True)
    )
    return kept, moves
