"""CatBoost with its own symmetric trees, of depth 6: the form it is fastest and, on these tables, best with."""

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostClassifier, CatBoostRegressor

from benchmarks.machine import THREADS


class Classifier(CatBoostClassifier):
    """Takes its categorical columns from pandas' dtypes, as every library here does."""

    def fit(self, X, y):
        names = [name for name in X if X[name].dtype == "category"]
        return super().fit(X, y, cat_features=names)


def trees(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "iterations": settings["n_trees"],
        "depth": 6,
        "learning_rate": settings["learning_rate"],
        "thread_count": THREADS,
        "verbose": 0,
        "allow_writing_files": False,
    }


def regressor(settings: Mapping[str, Any]):
    """Depth 5, which is 32 leaves, and 254 borders: a model of the size of the others' 31 leaves and 255 bins."""
    return CatBoostRegressor(**trees(settings) | {"depth": 5, "border_count": 254})


MODELS = {
    "boosted_regressor": regressor,
    "categorical_classifier": lambda settings: Classifier(**trees(settings)),
}
