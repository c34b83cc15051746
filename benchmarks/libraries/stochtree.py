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
        n_variance_trees = s.get("n_variance_trees", 0)
        self._model = BARTModel()
        self._model.sample(
            X_train=X,
            y_train=y,
            num_gfr=s["grow_from_root"],
            num_burnin=s["burn_in"],
            num_mcmc=s["draws"],
            # Trees of the variance are all of it, as ours.
            general_params={
                "random_seed": 1,
                "keep_gfr": s["draws"] == 0,
                "sample_sigma2_global": not n_variance_trees,
            },
            mean_forest_params=forest,
            variance_forest_params={"num_trees": n_variance_trees},
        )
        return self

    def draws(self, X):
        return np.asarray(self._model.predict(X, type="posterior", terms="y_hat")).T

    def noise(self, X):
        if self._settings.get("n_variance_trees", 0):
            return np.sqrt(np.asarray(self._model.predict(X, type="posterior", terms="variance_forest")).T)
        return np.sqrt(np.ravel(self._model.global_var_samples))[:, None]


def bart(settings: Settings):
    return _Draws(settings)


MODELS = {"bart": bart}
