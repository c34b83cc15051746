"""From a problem to draws of its posterior, by the method that suits it."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from mlwright._kernels.glm_density import GlmDensity
from mlwright._kernels.rng import normal
from mlwright._kernels.sampler import STATISTICS, Settings, Target, advance_chains, start_chains
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import stream_id
from mlwright.bayes._glm.draws import Draws
from mlwright.bayes._glm.gibbs import polya_gamma_chains, require_polya_gamma
from mlwright.bayes._glm.hamiltonian import hamiltonian_chains
from mlwright.bayes._glm.independence import independence_chains
from mlwright.bayes._glm.laplace import find_mode, starting_map
from mlwright.bayes._glm.nearest import at_mode, nearest_candidates

_LAPLACE, _START = 7411, 7424  # streams
_GOOD_K, _NEAR = 0.5, 0.85  # k-hat up to and acceptance from which on independence chains mix well in the tails, too
_POOR_K = 0.7
_MOST_CURVED = 400  # coefficients and effects up to which their curvature is looked at
_SPREAD, _NEARER = 0.5, 40  # of the starts, and how often those without a density are halved
_ACCEPTANCE, _CAREFUL = 0.9, 0.95  # aimed at; the latter with scales of effects, where densities bend sharply


def draw_posterior(problem, method, chains, draws, warm_up, seed, name, verbose=0):
    """Draws by ``"laplace"``, ``"nuts"``, ``"polya_gamma"``, or ``"auto"``: independence chains where they do, else
    Hamiltonian ones.
    """
    if method == "polya_gamma":
        require_polya_gamma(problem, name)
    density = GlmDensity(problem.model)
    normal_enough = problem.prior.smooth and not problem.terms
    if method == "laplace" and not normal_enough:
        raise ValueError(
            f"{name}: got method='laplace', expected 'nuts' or 'auto' with group effects and with Laplace's and "
            "horseshoe priors: their posteriors are not near to a normal law around a mode."
        )
    if not normal_enough:
        rough = _conditional_map(problem, density, name)
        return nuts_chains(density, rough, chains, draws, warm_up, seed, verbose, _CAREFUL)
    laplace = find_mode(problem, density, name)
    density.clear_map()
    candidates = at_mode(laplace) if method == "laplace" else nearest_candidates(problem, laplace)
    found = independence_chains(problem, density, candidates, chains, draws, seed)
    if method == "laplace":
        return _laplace_draws(laplace, found, seed, name)
    if method == "auto" and found.acceptance >= _NEAR and found.k_hat <= _GOOD_K:
        return found
    if method == "polya_gamma":
        exact = polya_gamma_chains(problem, laplace, chains, draws, warm_up, seed, verbose)
    elif method == "auto" and problem.is_plain:
        exact = hamiltonian_chains(density, laplace, chains, draws, seed)
    else:
        exact = nuts_chains(density, laplace, chains, draws, warm_up, seed, verbose)
    return replace(exact, k_hat=found.k_hat, log_evidence=found.log_evidence)


def _laplace_draws(laplace, found, seed, name):
    if found.k_hat > _POOR_K:
        warnings.warn(
            f"{name}: the posterior is far from its normal approximation (k-hat {found.k_hat:.2f}, expected at most "
            f"{_POOR_K}); draw from the posterior itself, with another method",
            ConvergenceWarning,
            stacklevel=6,
        )
    shape = found.theta.shape
    z = normal(seed, _LAPLACE, found.theta.size).reshape(-1, shape[2])
    return replace(found, theta=laplace.points(z).reshape(shape), acceptance=1.0)


def _conditional_map(problem, density, name):
    """By the curvature in coefficients and effects at given scales, where those are not too many."""
    linear = problem.places["scales"].start
    if problem.terms and problem.prior.smooth and linear <= _MOST_CURVED:
        return find_mode(problem, density, name, linear)
    return starting_map(problem, name)


def nuts_chains(density, laplace, chains, draws, warm_up, seed, verbose, target_acceptance=_ACCEPTANCE):
    """The no-U-turn sampler in the columns of the approximation, from starts around its mode."""
    density.set_map(laplace.mode, laplace.root)
    target, settings = Target(density), Settings(seed, warm_up, target_acceptance)
    states = start_chains(target, settings, chains, _starts(density, chains, seed))
    reporter = Reporter("sampling", (warm_up + draws) * chains, verbose=verbose)
    u, told = advance_chains(target, settings, states, warm_up + draws, reporter)
    statistics = dict(zip(STATISTICS, np.moveaxis(told, 2, 0), strict=True))
    theta = laplace.points(u.reshape(-1, density.size))
    kept = {name: statistics[name] for name in ("diverging", "energy")}
    return Draws(theta.reshape(u.shape), float(statistics["acceptance"].mean()), statistics=kept)


def _starts(density, chains, seed):
    """Around the mode; nearer to it where scores would leave what the link takes, so that there is no density."""
    u = _SPREAD * normal(seed, stream_id(_START), chains * density.size).reshape(chains, -1)
    for _ in range(_NEARER):
        outside = ~np.isfinite(density.gradients(u)[0])
        if not outside.any():
            break
        u[outside] *= 0.5
    return u
