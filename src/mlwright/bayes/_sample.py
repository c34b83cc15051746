"""Draw from the posterior of a density of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np

from mlwright._kernels.density import unconstrain
from mlwright._kernels.sampler import Settings, Target, advance_chains, start_chains
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright.bayes._gradient_check import check_gradient
from mlwright.bayes._posterior import Posterior


@dataclass(frozen=True)
class ChainState:
    """Chains where they have come to, and what runs them. Pickles if the density does; machine code is made anew."""

    density: Any
    data: Mapping[str, Any]
    settings: Settings
    states: np.ndarray
    n_jobs: int | None
    verbose: int

    @cached_property
    def target(self):
        return Target(self.density.compile(self.data))

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "target"}

    def __setstate__(self, state):
        vars(self).update(state)

    def advance(self, draws):
        """``(draws, statistics, state)`` of that many more, after what is left of the warm-up."""
        states = self.states.copy()
        n = draws + max(self.settings.warm_up - int(states[0, 0]), 0)
        reporter = Reporter("sampling", n * len(states), verbose=self.verbose)
        with limit(self.n_jobs):
            out, told = advance_chains(self.target, self.settings, states, n, reporter)
        return out, told, replace(self, states=states)


def sample(
    density,
    data=None,
    *,
    chains=4,
    draws=1000,
    warm_up=1000,
    target_acceptance=0.8,
    max_depth=10,
    init=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
):
    """Draw from a posterior with the no-U-turn sampler.

    Parameters
    ----------
    density : LogDensity
        Made by :func:`mlwright.extend.log_density`.
    data : mapping of str to array-like or number, default=None
        What the density's function takes beside its parameters.
    chains : int, default=4
        Run side by side, one a thread.
    draws, warm_up : int, default=1000
        Of each chain. Step size and scales are learnt in the warm-up, whose draws are not kept.
    target_acceptance : float, default=0.8
        Smaller steps, safer and slower, the closer it is to 1.
    max_depth : int, default=10
        A trajectory has at most ``2 ** max_depth`` steps.
    init : mapping of str to array-like, default=None
        A point to start from, of each parameter on its own scale; or one a chain, along a first axis. None draws
        starts around the middle of the free numbers.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Returns
    -------
    Posterior
        Warns (ConvergenceWarning) where its diagnostics are poor.

    Raises
    ------
    ValueError
        For parameters, data or starts that make no sense; where the gradient is not that of the density (named by its
        coordinate); where the density gives different numbers for the same parameters.
    NumericalError
        If the density is finite at no start, or its function raises.

    References
    ----------
    Hoffman, Gelman (2014), The No-U-Turn Sampler, JMLR 15. Betancourt (2017), arXiv:1701.02434. Scales: Seyboldt,
    Carlson, Carpenter (2026), arXiv:2603.18845.

    Examples
    --------
    >>> from mlwright import bayes
    >>> from mlwright.extend import densities, log_density, positive
    >>> @log_density(rate=positive())
    ... def model(rate, n, total):
    ...     return densities.gamma(rate, 2.0, 1.0) + total * math.log(rate) - n * rate
    >>> import math
    >>> posterior = bayes.sample(model, {"n": 10, "total": 31}, random_state=0)
    >>> posterior["rate"].shape
    (4, 1000)
    >>> bool(abs(posterior["rate"].mean() - 33 / 11) < 0.05)
    True
    """
    _check(chains, draws, warm_up, target_acceptance, max_depth)
    compiled = density.compile(data)
    target = Target(compiled)
    settings = Settings(seed_from(random_state), int(warm_up), float(target_acceptance), int(max_depth))
    check_gradient(target, settings.seed)
    starts = None if init is None else _starts(compiled, init, chains)
    with limit(n_jobs):
        states = start_chains(target, settings, chains, starts)
    data = compiled.owner.data  # as it was when it was compiled, whatever becomes of the caller's
    out, told, state = ChainState(density, data, settings, states, n_jobs, verbose).advance(int(draws))
    posterior = Posterior(compiled.names, compiled.shapes, out, told, state)
    posterior.warn()
    return posterior


def _check(chains, draws, warm_up, target_acceptance, max_depth):
    counts = (("chains", chains, 1, 2**20), ("draws", draws, 1, 2**31), ("warm_up", warm_up, 0, 2**31))
    for name, value, low, high in (*counts, ("max_depth", max_depth, 1, 20)):
        if not isinstance(value, Integral) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name}: got {value!r}, expected an integer from {low} to {high}")
    if not (isinstance(target_acceptance, Real) and 0 < target_acceptance < 1):
        raise ValueError(f"target_acceptance: got {target_acceptance!r}, expected a number between 0 and 1")


def _starts(compiled, init, chains):
    """Free numbers of each chain, of shape (chains, free size), from points on the parameters' own scale."""
    if set(init) != set(compiled.names):
        raise ValueError(
            f"init: got {', '.join(init) or 'nothing'}; expected a value for each of {', '.join(compiled.names)}"
        )
    parts = []
    for name, shape in zip(compiled.names, compiled.shapes, strict=True):
        value = np.asarray(init[name], dtype=np.float64)
        if value.shape not in (shape, (chains, *shape)):
            raise ValueError(f"init: {name} has shape {value.shape}, expected {shape} or {(chains, *shape)}")
        parts.append(np.broadcast_to(value, (chains, *shape)).reshape(chains, -1))
    rows = np.concatenate(parts, axis=1)
    free = [unconstrain(compiled.blocks, row) for row in rows]
    for chain, (_, fits) in enumerate(free):
        if not fits:
            raise ValueError(
                f"init: the point of chain {chain}, {rows[chain].tolist()}, does not satisfy the parameters' "
                "constraints; expected one strictly inside of them"
            )
    return np.array([u for u, _ in free])
