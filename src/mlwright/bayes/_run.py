"""What every function that draws has in common: starts, chains and their state, the posterior that comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from mlwright._kernels.density import unconstrain
from mlwright._kernels.sampler import Settings, Target, advance_chains
from mlwright._runtime.progress import Reporter
from mlwright._runtime.threads import limit
from mlwright.bayes._posterior import Posterior

_LIMITS = {
    "chains": (1, 2**20),
    "draws": (1, 2**31),
    "warm_up": (0, 2**31),
    "max_depth": (1, 20),
    "n_steps": (1, 2**20),
}


@dataclass(frozen=True)
class ChainState:
    """Chains where they have come to, and what runs them. Pickles if the density does; machine code is made anew."""

    density: Any
    data: Mapping[str, Any]
    settings: Settings
    states: np.ndarray
    n_jobs: int | None
    verbose: int
    k_hat: float | None = None

    @cached_property
    def target(self):
        return Target(self.density.compile(self.data, value_only=self.settings.method == "elliptical"))

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "target"}

    def __setstate__(self, state):
        vars(self).update(state)

    def advance(self, draws):
        """``(draws, statistics, state)`` of that many more, after what is left of the warm-up."""
        check_counts(draws=draws)
        states = self.states.copy()
        n = int(draws) + max(self.settings.warm_up - int(states[0, 0]), 0)
        reporter = Reporter("sampling", n * len(states), verbose=self.verbose)
        with limit(self.n_jobs):
            out, told = advance_chains(self.target, self.settings, states, n, reporter)
        return out, told, replace(self, states=states)


def compiled_density(density, data, name="density", **options):
    """The compiled density; TypeError for what is none, a plain function above all."""
    if not hasattr(density, "compile"):
        raise TypeError(
            f"{name}: got {density!r}, expected a density made by mlwright.extend.log_density, which declares the "
            "function's parameters: @log_density(name=real())"
        )
    return density.compile(data, **options)


def drawn(compiled, state, draws):
    """The posterior of that many draws; warns where they are poor."""
    out, told, state = state.advance(draws)
    posterior = Posterior(compiled.names, compiled.shapes, out, told, state)
    posterior.warn(stacklevel=4)
    return posterior


def check_counts(**values):
    """ValueError unless each is an integer within its limits."""
    for name, value in values.items():
        low, high = _LIMITS[name]
        if not isinstance(value, Integral) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name}: got {value!r}, expected an integer from {low} to {high}")


def free_starts(compiled, init, chains):
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
