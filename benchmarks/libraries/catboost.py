"""CatBoost with its own symmetric trees, of depth 6: the form it is fastest and, on these tables, best with."""

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostClassifier

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


MODELS = {"categorical_classifier": lambda settings: Classifier(**trees(settings))}
