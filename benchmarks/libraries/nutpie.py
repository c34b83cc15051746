"""nutpie at its defaults, on the C function that mlwright compiled: its own path for compiled models of PyMC."""

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
from numba import types

from benchmarks.density import CHAINS, DRAWS, Drawn, Draws
from benchmarks.logistic_density import data_of, logistic
from benchmarks.machine import THREADS

Settings = Mapping[str, Any]
_POINTER = types.CPointer(types.float64)


@numba.cfunc(types.intc(types.uintp, types.uintp, _POINTER, _POINTER, types.voidptr))
def as_they_are(d, n, x, out, data):
    for i in range(n):
        out[i] = x[i]
    return 0


def _model(compiled, d):
    from nutpie import _lib
    from nutpie.sample import CompiledModel

    class Model(CompiledModel):
        n_dim, shapes, coords = d, {"b": (d,)}, {}

        def _make_sampler(self, settings, init_mean, cores, progress_type, store):
            sizes = {"number": d}
            model = _lib.PyMcModel(
                _lib.LogpFunc(compiled.address, compiled.data_address, compiled),
                _lib.ExpandFunc(d, d, as_they_are.address, compiled.data_address, compiled),
                _lib.PyVariable.new_variables(["b"], ["float64"], [(d,)], sizes, {"b": ("number",)}),
                d,
                sizes,
                {"number": np.arange(d)},
                lambda seed: np.zeros(d),
                None,
            )
            return _lib.PySampler.from_pymc(settings, cores, model, progress_type, store)

    return Model(dims={})


def density(settings: Settings, low_rank: bool = False):
    import nutpie

    def sample(X, y):
        model = _model(logistic.compile(data_of(X, y)), X.shape[1])
        trace = nutpie.sample(
            model,
            draws=DRAWS,
            chains=CHAINS,
            cores=THREADS,
            seed=1,
            progress_bar=False,
            low_rank_modified_mass_matrix=low_rank,
        )
        return Drawn(trace.posterior["b"].to_numpy(), float(trace.sample_stats["n_steps"].sum()))

    return Draws(sample)


MODELS = {"density": density}
