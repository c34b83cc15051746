"""Hamiltonian Monte Carlo around a mode, all chains at once: where a normal approximation does not reach everywhere.

In the columns of the approximation the posterior has about unit variances, so a few leapfrog steps cross it; their size
is drawn anew for each transition, so that no trajectory returns to where it began. Where too few trajectories are
accepted, as in long tails, steps are halved before the draws that are kept. All trajectories have as many steps:
for a log-concave density, chains of the same random numbers come together, so that rows and the same rows as weights
give the same draws to the last digits, which no-U-turn trajectories would not.

Reference: Neal (2011), MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte Carlo, chapter 5.
"""

import itertools

import numpy as np

from mlwright._kernels.rng import normal, uniform
from mlwright._runtime.rng import stream_id
from mlwright.bayes._glm.draws import Draws

_MOMENTUM, _SIZE, _ACCEPT, _START = 7421, 7422, 7423, 7424  # purposes of random numbers
_STEP, _STEPS, _WARM_UP = 0.4, 5, 100
_ENOUGH, _HALVINGS = 0.8, 4  # share of trajectories to be accepted, and how often steps are halved for it
_ITERATIONS = 64  # whose random numbers are drawn at once


def hamiltonian_chains(density, laplace, chains, draws, seed):
    """Draws in the columns of the approximation, from starts around its mode."""
    density.set_map(laplace.mode, laplace.root)
    d = density.size
    u = normal(seed, stream_id(_START), chains * d).reshape(chains, d)
    chances = _chances(seed, chains, d)
    state, n_steps = (u, *density.gradients(u)), _STEPS
    for _ in range(_HALVINGS + 1):
        state, _, accepted = _walk(density, state, n_steps, chances, _WARM_UP)
        if accepted >= _ENOUGH or n_steps == _STEPS << _HALVINGS:
            break
        n_steps *= 2
    _, path, accepted = _walk(density, state, n_steps, chances, draws)
    out = np.stack(path, axis=1)
    return Draws(laplace.points(out.reshape(-1, d)).reshape(out.shape), accepted)


def _chances(seed, chains, d):
    """The random numbers of one iteration after another: momenta, sizes of steps, and what acceptance takes."""
    for block in itertools.count():
        momenta = normal(seed, stream_id(_MOMENTUM, block), _ITERATIONS * chains * d).reshape(-1, chains, d)
        sizes = uniform(seed, stream_id(_SIZE, block), _ITERATIONS * chains).reshape(-1, chains)
        accept = uniform(seed, stream_id(_ACCEPT, block), _ITERATIONS * chains).reshape(-1, chains)
        yield from zip(momenta, sizes, accept, strict=True)


def _walk(density, state, n_steps, chances, n):
    """The state after n iterations, the points of each, and the share of trajectories accepted.

    Trajectories of more steps are as long as others: steps are that much smaller.
    """
    path, accepted = [], 0.0
    for momentum, size, chance in itertools.islice(chances, n):
        step = _STEP * _STEPS / n_steps * (0.5 + size)[:, None]
        state, moved = _transition(density, state, momentum, step, n_steps, chance)
        path.append(state[0])
        accepted += float(moved.mean()) / n
    return state, path, accepted


def _transition(density, state, momentum, step, n_steps, chance):
    """One of each chain; `state` is points, log densities and gradients."""
    u, value, gradient = state
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # what leaves the numbers is not accepted
        p = momentum + 0.5 * step * gradient
        for _ in range(n_steps):
            u = u + step * p
            new_value, gradient = density.gradients(u)
            p = p + step * gradient
        p = p - 0.5 * step * gradient
        gain = new_value - value - 0.5 * ((p * p).sum(axis=1) - (momentum * momentum).sum(axis=1))
        moves = np.log(chance) < gain
    new = (u, new_value, gradient)
    kept = tuple(
        np.where(moves if old.ndim == 1 else moves[:, None], fresh, old) for fresh, old in zip(new, state, strict=True)
    )
    return kept, moves
