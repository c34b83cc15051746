"""Markov chains and what tells how far to trust them."""

from dataclasses import dataclass, field

import numpy as np

from mlwright._kernels.density import sizes
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

DIAGNOSTICS = ("mean", "sd", "rhat", "ess_bulk", "ess_tail", "ess_mean", "ess_sd", "mcse_mean", "mcse_sd")
STATISTICS = tuple(core.sampler.STATISTICS)


@kernel(
    native="sampler.diagnose",
    twin="diagnostics:diagnose",
    strategy="diagnostics:chains",
    tolerance=Tolerance(1e-9, 1e-12),
)
def diagnose(draws):
    """Columns of diagnostics, in the order of ``DIAGNOSTICS``, one row for each column of draws.

    Parameters
    ----------
    draws : array of shape (n_chains, n_draws, n_columns)

    Returns
    -------
    array of shape (n_columns, 9)
    """
    draws = np.ascontiguousarray(draws, dtype=np.float64)
    out = np.empty((draws.shape[2], len(DIAGNOSTICS)))
    core.sampler.diagnose(draws, out)
    return out


@kernel(
    native="sampler.pareto_smoothed",
    twin="psis:pareto_smoothed",
    strategy="diagnostics:log_likelihoods",
    tolerance=Tolerance(1e-8, 1e-9),
)
def pareto_smoothed(log_likelihood, efficiency=1.0):
    """Columns log density left out, log mean density and k-hat, one row for each row of log likelihoods.

    Parameters
    ----------
    log_likelihood : array of shape (n_rows, n_draws)
    efficiency : float
        Effective draws per draw.

    Returns
    -------
    array of shape (n_rows, 3)
    """
    log_likelihood = np.ascontiguousarray(log_likelihood, dtype=np.float64)
    out = np.empty((len(log_likelihood), 3))
    core.sampler.pareto_smoothed(log_likelihood, efficiency, out)
    return out


class Target:
    """A compiled density as the native samplers take it.

    Parameters
    ----------
    compiled : CompiledDensity
    """

    def __init__(self, compiled):
        self.compiled = compiled
        self.native = core.sampler.Model(compiled.address, compiled.data_address, compiled.blocks)
        self.size, self.free_size = sizes(compiled.blocks)

    def evaluate(self, u):
        """``(log density, gradient in u, x)`` at free numbers u, Jacobian included; -inf where it is undefined."""
        gradient, x = np.zeros(self.free_size), np.empty(self.size)
        value = core.sampler.evaluate(self.native, np.ascontiguousarray(u, dtype=np.float64), gradient, x)
        return value, gradient, x


METHODS = ("nuts", "hmc", "independence", "elliptical")
_NONE = np.empty(0)


@dataclass(frozen=True)
class Settings:
    """How chains are run; ``seed`` decides every random number of theirs.

    Attributes
    ----------
    method : one of ``METHODS``
    max_depth : int
        Of nuts: at most ``2 ** max_depth`` steps.
    n_steps : int
        Of hmc, on average.
    finds_directions : bool
        Whether dynamics learn directions beside scales.
    mean, root : arrays of shape (d,) and (d,) or (d, d)
        Of a normal law of free numbers, by its deviations or a lower triangle: candidates of independence, the prior of
        elliptical, where dynamics start. Empty: none.
    """

    seed: int
    warm_up: int
    target_acceptance: float = 0.8
    max_depth: int = 10
    method: str = "nuts"
    n_steps: int = 16
    finds_directions: bool = False
    mean: np.ndarray = field(default_factory=_NONE.copy)
    root: np.ndarray = field(default_factory=_NONE.copy)

    @property
    def native(self):
        options = vars(self) | {"method": METHODS.index(self.method)}
        for name in ("mean", "root"):
            options[name] = np.ascontiguousarray(options[name], dtype=np.float64)
        return core.sampler.Settings(options)


def log_ratios(target, settings, n):
    """Of n candidates of the settings' law: log density less the law's, but for a constant; -inf where undefined."""
    out = np.empty(n)
    core.sampler.log_ratios(target.native, settings.native, out)
    return out


def start_chains(target, settings, n_chains, starts=None):
    """States of that many chains at their starts; `starts` of shape (n_chains, free size), or drawn."""
    native = settings.native
    states = np.zeros((n_chains, core.sampler.state_size(target.free_size, native)))
    given = np.empty(0) if starts is None else np.ascontiguousarray(starts, dtype=np.float64)
    core.sampler.initialise(target.native, native, given, states)
    return states


def advance_chains(target, settings, states, n, reporter):
    """Advance every chain by n iterations, in place.

    Returns
    -------
    draws : array of shape (n_chains, n_kept, size)
    statistics : array of shape (n_chains, n_kept, 7)
        In the order of ``STATISTICS``. Kept are the iterations beyond the warm-up.
    """
    before = int(states[0, 0])
    kept = max(before + n - max(before, settings.warm_up), 0)
    draws = np.empty((len(states), kept, target.size))
    statistics = np.empty((len(states), kept, len(STATISTICS)))
    core.sampler.sample(
        target.native, settings.native, n, states, draws, statistics, reporter.native, reporter.interval
    )
    return draws, statistics
