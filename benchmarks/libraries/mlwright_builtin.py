"""Ours with its built-in losses: what a loss of the user's, compiled by Numba, is measured against."""

from collections.abc import Mapping
from typing import Any


def own_loss(settings: Mapping[str, Any]):
    from benchmarks.libraries.mlwright import boosted_regressor

    return boosted_regressor(settings).set_params(loss=settings["loss"])


MODELS = {"own_loss": own_loss}
