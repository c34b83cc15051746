"""ArviZ 0.23: its functions on whole arrays, with its Numba shortcuts off, which fail with NumPy 2.4."""

from collections.abc import Mapping
from typing import Any

import arviz
import numpy as np

from benchmarks.told import Told

Settings = Mapping[str, Any]


def diagnostics(settings: Settings):
    arviz.utils.Numba.disable_numba()

    def of(X):
        draws = arviz.convert_to_dataset({"x": X})
        told = {"rhat": arviz.rhat(draws)}
        told |= {f"ess_{kind}": arviz.ess(draws, method=kind) for kind in ("bulk", "tail")}
        return {name: np.asarray(value["x"]) for name, value in told.items()}

    return Told(of)


MODELS = {"diagnostics": diagnostics}
