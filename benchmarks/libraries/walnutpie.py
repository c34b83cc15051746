"""walnutpie at its defaults: it ends when its chains agree, on the C function that mlwright compiled."""

import ctypes
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
        # Its data argument is handed over by reference: an object that lies where the data are.
        data = ctypes.c_char.from_address(compiled.data_address)
        chains = walnuts_pyfunc(
            (logp_cfunc_type(compiled.address), data),
            num_params=X.shape[1],
            num_chains=CHAINS,
            seed=1,
            max_sampling_iter=DRAWS,
        )
        shortest = min(len(chain) for chain in chains)  # ESS is of chains of one length
        return Drawn(np.array([np.asarray(chain)[:shortest] for chain in chains]), np.nan)

    return Draws(sample)


MODELS = {"density": density}
