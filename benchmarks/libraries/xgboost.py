"""XGBoost with the same trees: histogram method, grown by loss to the same leaves, no L2 penalty on leaves."""

from collections.abc import Mapping
from typing import Any

from xgboost import XGBClassifier, XGBRegressor

from benchmarks.machine import THREADS


def trees(settings: Mapping[str, Any], min_child_weight: float = 1e-3) -> dict[str, Any]:
    """It bounds the Hessian of a leaf, not its rows; for squared errors the two are the same, and 20 is everyone's."""
    return {
        "n_estimators": settings["n_trees"],
        "max_leaves": settings["n_leaves"],
        "learning_rate": settings["learning_rate"],
        "grow_policy": "lossguide",
        "max_depth": 0,
        "tree_method": "hist",
        "max_bin": 255,
        "reg_lambda": 0.0,
        "min_child_weight": min_child_weight,
        "enable_categorical": True,
        "n_jobs": THREADS,
    }


MODELS = {
    "boosted_classifier": lambda settings: XGBClassifier(**trees(settings)),
    "table_classifier": lambda settings: XGBClassifier(**trees(settings, min_child_weight=2.0)),
    "table_regressor": lambda settings: XGBRegressor(**trees(settings, min_child_weight=20.0)),
}
