"""Draws of posteriors: how many they are worth, and posterior means to compare; the same code for every library."""

import numpy as np


def effective_draws(model, rows) -> float:
    """The least bulk effective sample size of all parameters; ``model.draws()`` has shape (chains, draws, parameters).

    Rank-normalised and of split chains: Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Bayesian Analysis 16.
    """
    from mlwright.bayes import diagnose

    return float(np.min(diagnose(model.draws())["ess_bulk"]))


def worst_rhat(model, rows) -> float:
    """The largest R-hat of all parameters: chains that do not agree are worth nothing."""
    from mlwright.bayes import diagnose

    return float(np.max(diagnose(model.draws())["rhat"]))


def scaled_norm_of_means(model, rows) -> float:
    """Of the posterior means, each in units of its posterior standard deviation."""
    flat = model.draws().reshape(-1, model.draws().shape[-1])
    return float(np.linalg.norm(flat.mean(axis=0) / flat.std(axis=0)))


def mean_deviation(model, rows) -> float:
    """The mean posterior standard deviation."""
    flat = model.draws().reshape(-1, model.draws().shape[-1])
    return float(flat.std(axis=0).mean())
