"""Gibbs chains of the logistic model, by Pólya-Gamma variables.

Reference: Polson, Scott, Windle (2013), Bayesian inference for logistic models using Polya-Gamma latent variables.
JASA 108.
"""

import numpy as np

from mlwright._kernels import glm_density as gd
from mlwright._kernels.glm import Table
from mlwright._kernels.linalg import as_design
from mlwright._kernels.polya_gamma import sample_logistic
from mlwright._kernels.rng import normal
from mlwright._runtime.progress import Reporter
from mlwright.bayes._glm.draws import Draws

_START = 7443  # stream


def polya_gamma_chains(problem, laplace, chains, draws, warm_up, seed, verbose):
    """Draws of the posterior, from starts around its mode."""
    table = Table(as_design(problem.X), problem.shift, problem.scale, problem.y, problem.w, problem.offset)
    starts = laplace.points(normal(seed, _START, chains * problem.size).reshape(chains, -1))
    reporter = Reporter("sampling", (warm_up + draws) * chains, verbose=verbose)
    theta = sample_logistic(
        table, problem.fit_intercept, problem.prior.scale**-2.0, starts, seed, warm_up, draws, reporter
    )
    return Draws(theta, 1.0)


def require_polya_gamma(problem, name):
    """ValueError for a model that has no such sampler."""
    law, w = problem.law, problem.w
    if (law.name, law.link) != ("binomial", "logit") or problem.prior.shape != gd.NORMAL or problem.terms:
        raise ValueError(
            f"{name}: got method='polya_gamma', expected the binomial family with the logit link, normal priors and no "
            "group effects; use method='auto'."
        )
    if w is not None and (w != np.floor(w)).any():
        row = int(np.flatnonzero(w != np.floor(w))[0])
        raise ValueError(
            f"{name}: sample_weight is {w[row]:g} in row {row}, expected whole numbers with method='polya_gamma'; use "
            "method='auto'."
        )
