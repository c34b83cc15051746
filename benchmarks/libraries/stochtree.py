"""stochtree: BART at its defaults, chains of as many sweeps as ours.

Nodes that are grown from the root look at as many variables as ours do, the square root of all.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Settings = Mapping[str, Any]


class _Draws:
    """Its fitted model with draws as the metrics ask for them: of shape (draws, rows)."""

    def __init__(self, settings: Settings):
        self._settings = settings

    def fit(self, X, y):
        from stochtree import BARTModel

        s = self._settings
        forest = {"num_trees": s["n_trees"]}
        if s["grow_from_root"]:  # by default all are looked at in each node: thrice the time
            forest["num_features_subsample"] = math.isqrt(X.shape[1] - 1) + 1
        self._model = BARTModel()
        self._model.sample(
            X_train=X,
            y_train=y,
            num_gfr=s["grow_from_root"],
            num_burnin=s["burn_in"],
            num_mcmc=s["draws"],
            general_params={"random_seed": 1, "keep_gfr": s["draws"] == 0},
            mean_forest_params=forest,
        )
        return self

    def draws(self, X):
        return np.asarray(self._model.predict(X, type="posterior", terms="y_hat")).T

    def noise(self):
        return np.sqrt(np.ravel(self._model.global_var_samples))


def bart(settings: Settings):
    return _Draws(settings)


MODELS = {"bart": bart}
