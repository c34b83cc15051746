"""Hamiltonian Monte Carlo around a mode, all chains at once: where a normal approximation does not reach everywhere.

In the columns of the approximation the posterior has about unit variances, so a few leapfrog steps cross it; their size
is drawn anew for each transition, so that no trajectory returns to where it began. All trajectories have as many steps:
for a log-concave density, chains of the same random numbers come together, so that rows and the same rows as weights
give the same draws to the last digits, which no-U-turn trajectories would not.

Reference: Neal (2011), MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo, chapter 5.
"""

import numpy as np

from mlwright._kernels.rng import normal, uniform
from mlwright._runtime.rng import stream_id
from mlwright.bayes._glm.draws import Draws

_MOMENTUM, _SIZE, _ACCEPT, _START = 7421, 7422, 7423, 7424  # purposes of random numbers
_STEP, _STEPS, _WARM_UP = 0.4, 5, 100
_ITERATIONS = 64  # whose random numbers are drawn at once


def hamiltonian_chains(density, laplace, chains, draws, seed):
    """Draws in the columns of the approximation, from starts around its mode."""
    density.set_map(laplace.mode, laplace.root)
    d = density.size
    u = normal(seed, stream_id(_START), chains * d).reshape(chains, d)
    state = (u, *density.gradients(u))
    out, accepted = np.empty((chains, draws, d)), 0.0
    for iteration in range(_WARM_UP + draws):
        block, at = divmod(iteration, _ITERATIONS)
        if at == 0:
            momenta = normal(seed, stream_id(_MOMENTUM, block), _ITERATIONS * chains * d).reshape(-1, chains, d)
            sizes = uniform(seed, stream_id(_SIZE, block), _ITERATIONS * chains).reshape(-1, chains)
            chances = uniform(seed, stream_id(_ACCEPT, block), _ITERATIONS * chains).reshape(-1, chains)
        step = _STEP * (0.5 + sizes[at])[:, None]
        state, moved = _transition(density, state, momenta[at], step, chances[at])
        if iteration >= _WARM_UP:
            out[:, iteration - _WARM_UP] = state[0]
            accepted += moved.mean() / draws
    return Draws(laplace.points(out.reshape(-1, d)).reshape(out.shape), float(accepted))


def _transition(density, state, momentum, step, chance):
    """One of each chain; `state` is points, log densities and gradients."""
    u, value, gradient = state
    p = momentum + 0.5 * step * gradient
    for _ in range(_STEPS):
        u = u + step * p
        new_value, gradient = density.gradients(u)
        p = p + step * gradient
    p = p - 0.5 * step * gradient
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = new_value - value - 0.5 * ((p * p).sum(axis=1) - (momentum * momentum).sum(axis=1))
        moves = np.log(chance) < gain
    new = (u, new_value, gradient)
    kept = tuple(
        np.where(moves if old.ndim == 1 else moves[:, None], fresh, old) for fresh, old in zip(new, state, strict=True)
    )
    return kept, moves
