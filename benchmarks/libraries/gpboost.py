"""GPBoost: Vecchia's approximation at its defaults (a random order), of as many neighbours as ours."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.machine import THREADS

Settings = Mapping[str, Any]


class _Process:
    """Its model with the methods that the metrics call."""

    def __init__(self, settings: Settings):
        self._settings = settings

    def fit(self, X, y):
        import gpboost

        self._model = gpboost.GPModel(
            gp_coords=X,
            cov_function="matern",
            cov_fct_shape=1.5,
            likelihood="gaussian",
            gp_approx="vecchia",
            num_neighbors=self._settings["n_neighbors"],
            num_parallel_threads=THREADS,
        )
        self._model.fit(y=y)
        return self

    def predict(self, X, return_std=False):
        told = self._model.predict(gp_coords_pred=X, predict_var=return_std, predict_response=True)
        return (told["mu"], np.sqrt(told["var"])) if return_std else told["mu"]


MODELS = {"gaussian_process_by_neighbours": _Process}
