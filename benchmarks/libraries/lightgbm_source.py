"""The model that the prediction problems import: every library fits the same one, outside the clock."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor

from benchmarks.machine import THREADS


def fit_source(settings: Mapping[str, Any], X: np.ndarray, y: np.ndarray) -> LGBMRegressor:
    """LightGBM's regressor on 0/1 targets; ``deterministic``, so that every process gets the same trees."""
    model = LGBMRegressor(
        n_estimators=settings["n_trees"],
        num_leaves=settings["n_leaves"],
        learning_rate=settings["learning_rate"],
        n_jobs=THREADS,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )
    return model.fit(X, y)


class Imported:
    """An estimator whose fit is LightGBM's and whose prediction is the library's.

    Parameters
    ----------
    settings : mapping
    convert : callable
        ``convert(fitted LGBMRegressor, n_features) -> function of X``.
    """

    def __init__(self, settings: Mapping[str, Any], convert: Callable[[LGBMRegressor, int], Callable[[Any], Any]]):
        self.settings, self.convert = settings, convert

    def fit(self, X, y):
        self.predict = self.convert(fit_source(self.settings, X, y), X.shape[1])
        return self


def importer(convert: Callable[[LGBMRegressor, int], Callable[[Any], Any]]) -> Callable[[Mapping[str, Any]], Imported]:
    """A builder for ``MODELS``."""
    return lambda settings: Imported(settings, convert)
