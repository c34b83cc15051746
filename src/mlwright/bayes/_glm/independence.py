"""Markov chains that take their candidates from the normal approximation at the mode, all drawn at once.

Candidates come from a Student's t with the mode's curvature, and are accepted or not by Metropolis and Hastings: the
chain's law is the posterior itself, however rough the approximation. The shape k of the importance ratios' tail says
whether the candidates reach everywhere (Vehtari et al. 2024).

References
----------
Tierney (1994), Markov chains for exploring posterior distributions. Annals of Statistics 22 (independence chains).
Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling. JMLR 25(72).
"""

import numpy as np
from scipy import special

from mlwright._kernels.rng import chi_square, normal, uniform
from mlwright._kernels.sampler import pareto_smoothed
from mlwright._runtime.errors import NumericalError
from mlwright.bayes._glm.draws import Draws

_CANDIDATES, _FREEDOM, _ACCEPT = 7401, 7402, 7403  # streams
_BURN_IN = 20


def independence_chains(problem, density, laplace, chains, draws, seed):
    """Draws of the posterior, with the k-hat and the evidence that the candidates' ratios tell.

    `density` must be of points themselves: without a map.
    """
    d, m = len(laplace.mode), chains * (draws + _BURN_IN)
    freedom = max(20.0, 5.0 * d)  # tails that bound the ratios, at little cost where the posterior is normal
    z = normal(seed, _CANDIDATES, m * d).reshape(m, d)
    z /= np.sqrt(chi_square(seed, _FREEDOM, freedom, m) / freedom)[:, None]
    theta = laplace.points(z)
    log_candidate = (
        special.gammaln(0.5 * (freedom + d)) - special.gammaln(0.5 * freedom) - 0.5 * d * np.log(np.pi * freedom)
        - laplace.log_det - 0.5 * (freedom + d) * np.log1p((z * z).sum(axis=1) / freedom)
    )  # fmt: skip
    ratio = density.values(theta) + problem.log_constant - log_candidate
    top = ratio.max()
    if not np.isfinite(top):
        raise NumericalError(
            "posterior: no candidate has a finite density; expected columns and targets of usual size."
        )
    k_hat = float(pareto_smoothed(-np.maximum(ratio - top, -700.0)[None, :])[0, 2])
    at, acceptance = _walk(ratio.reshape(chains, -1), uniform(seed, _ACCEPT, m).reshape(chains, -1))
    rows = at[:, _BURN_IN:] + np.arange(chains)[:, None] * (m // chains)
    return Draws(theta[rows], acceptance, k_hat, float(top + np.log(np.exp(ratio - top).mean())))


def _walk(ratio, u):
    """Which candidate each chain is at after each step, and the share accepted."""
    chains, n = ratio.shape
    at, here, accepted = np.empty((chains, n), dtype=np.int64), np.zeros(chains, dtype=np.int64), 0
    everyone = np.arange(chains)
    with np.errstate(divide="ignore"):
        threshold = np.log(u)
    for step in range(n):
        moves = threshold[:, step] < ratio[:, step] - ratio[everyone, here]
        here = np.where(moves, step, here)
        accepted += int(moves.sum())
        at[:, step] = here
    return at, accepted / (chains * n)
