"""How far draws of Markov chains can be trusted; equal to ArviZ's numbers (0.23)."""

import numpy as np

from mlwright._kernels.sampler import DIAGNOSTICS
from mlwright._kernels.sampler import diagnose as _diagnose

__all__ = ["bfmi", "diagnose"]


def diagnose(draws):
    """Rank-normalised R-hat, effective sample sizes and Monte Carlo errors.

    Parameters
    ----------
    draws : array-like of shape (n_chains, n_draws, ...)
        Draws of one quantity, or of many along further axes.

    Returns
    -------
    dict of str to ndarray of shape (...)
        ``mean``, ``sd``, ``rhat`` (1 where chains agree; above 1.01 they do not yet), ``ess_bulk``, ``ess_tail`` (of
        the 5 % and 95 % quantiles), ``ess_mean``, ``ess_sd``, and the Monte Carlo errors ``mcse_mean`` and
        ``mcse_sd``. NaN where a quantity is not finite or has fewer than four draws a chain;
        ``rhat`` also for a single chain.

    Raises
    ------
    TypeError
        For what is no array of numbers, such as the draws of several parameters by name.
    ValueError
        For an array of fewer than two dimensions, or one without chains or draws.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Rank-normalization, folding, and localization: an improved
    R-hat for assessing convergence of MCMC. Bayesian Analysis 16(2).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import diagnose
    >>> draws = np.random.default_rng(0).standard_normal((4, 500))
    >>> bool(diagnose(draws)["rhat"] < 1.01)
    True
    >>> bool(diagnose(draws + np.arange(4)[:, None])["rhat"] > 1.5)
    True
    """
    try:
        x = np.asarray(draws, dtype=np.float64)
    except (TypeError, ValueError, KeyError) as error:
        raise TypeError(
            f"draws: got {type(draws).__name__}, expected an array of numbers of shape (n_chains, n_draws, ...): of a "
            "posterior, posterior['name']"
        ) from error
    if x.ndim < 2 or 0 in x.shape[:2]:
        raise ValueError(f"draws: got an array of shape {x.shape}, expected (n_chains, n_draws, ...), none of them 0")
    columns = _diagnose(x.reshape(*x.shape[:2], -1))
    return {name: columns[:, i].reshape(x.shape[2:])[()] for i, name in enumerate(DIAGNOSTICS)}


def bfmi(energy):
    """Bayesian fraction of missing information of each chain: below 0.3, momenta explore the energies too slowly.

    Parameters
    ----------
    energy : array-like of shape (n_chains, n_draws)
        ``posterior.statistics["energy"]``.

    Returns
    -------
    ndarray of shape (n_chains,)
        NaN for fewer than two draws or a constant energy.

    References
    ----------
    Betancourt (2016), Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo. arXiv:1604.00695.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import bfmi
    >>> bfmi(np.random.default_rng(0).standard_normal((2, 400))).round()
    array([2., 2.])
    """
    energy = np.asarray(energy, dtype=np.float64)
    if energy.ndim != 2:
        raise ValueError(f"energy: got an array of shape {energy.shape}, expected (n_chains, n_draws)")
    if energy.shape[1] < 2:
        return np.full(len(energy), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):  # of an improper density
        variance = energy.var(axis=1, ddof=1)
        step = np.square(np.diff(energy, axis=1)).mean(axis=1)
        return np.divide(step, variance, out=np.full_like(step, np.nan), where=variance > 0)
