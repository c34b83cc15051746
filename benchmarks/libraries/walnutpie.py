"""walnutpie on the C function that mlwright compiled: its warm-up ends when it will, its draws are as many as ours."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.density import CHAINS, DRAWS, Drawn, Draws
from benchmarks.logistic_density import data_of, logistic

Settings = Mapping[str, Any]


def density(settings: Settings):
    from walnutpie import walnuts_pyfunc
    from walnutpie._ffi import logp_cfunc_type

    def sample(X, y):
        compiled = logistic.compile(data_of(X, y))
        chains = walnuts_pyfunc(
            (logp_cfunc_type(compiled.address), compiled.data_address),
            num_params=X.shape[1],
            num_chains=CHAINS,
            seed=1,
            min_sampling_iter=DRAWS,
            max_sampling_iter=DRAWS,
        )
        return Drawn(np.array([np.asarray(chain) for chain in chains]), np.nan)

    return Draws(sample)


MODELS = {"density": density}
