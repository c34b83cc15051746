"""LightGBM with gradients of a few bits: its fastest mode, at its defaults for it (4 levels, no renewal of leaves)."""

from collections.abc import Mapping
from typing import Any

from lightgbm import LGBMClassifier

from benchmarks.libraries.lightgbm import trees


def boosted_classifier(settings: Mapping[str, Any]):
    return LGBMClassifier(**trees(settings), use_quantized_grad=True)


MODELS = {"boosted_classifier": boosted_classifier}
