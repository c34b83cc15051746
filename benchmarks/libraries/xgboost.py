"""XGBoost with the same trees: histogram method, grown by loss to the same leaves, no L2 penalty on leaves."""

from collections.abc import Mapping
from typing import Any

from xgboost import XGBClassifier

from benchmarks.machine import THREADS


def boosted_classifier(settings: Mapping[str, Any]) -> XGBClassifier:
    return XGBClassifier(
        n_estimators=settings["n_trees"],
        max_leaves=settings["n_leaves"],
        learning_rate=settings["learning_rate"],
        grow_policy="lossguide",
        max_depth=0,
        tree_method="hist",
        max_bin=255,
        reg_lambda=0.0,
        min_child_weight=1e-3,
        n_jobs=THREADS,
    )


MODELS = {"boosted_classifier": boosted_classifier}
