"""LightGBM with the same trees: leaves, bins, learning rate and minimum leaf of the problem."""

from collections.abc import Mapping
from typing import Any

from lightgbm import LGBMClassifier

from benchmarks.machine import THREADS


def boosted_classifier(settings: Mapping[str, Any]) -> LGBMClassifier:
    """``force_row_wise`` was the faster of its two histogram layouts for this shape, and spares it trying both."""
    return LGBMClassifier(
        n_estimators=settings["n_trees"],
        num_leaves=settings["n_leaves"],
        learning_rate=settings["learning_rate"],
        max_bin=255,
        min_child_samples=20,
        n_jobs=THREADS,
        force_row_wise=True,
        verbose=-1,
    )


MODELS = {"boosted_classifier": boosted_classifier}
