"""What draws from a density are worth: effective draws, gradients, moments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

CHAINS, DRAWS = 4, 1_000


@dataclass
class Drawn:
    """Draws of shape (chains, draws, d), and how many gradients they took after the warm-up; NaN if not told."""

    draws: np.ndarray
    gradients: float


class Draws:
    """``sample(X, y)`` returns a Drawn."""

    def __init__(self, sample: Callable[[Any, Any], Drawn]):
        self.sample = sample

    def fit(self, X, y):
        self.drawn = self.sample(X, y)
        return self


def effective(model: Any) -> float:
    """Bulk effective sample size of the coefficient for which it is least, by one implementation for all."""
    from mlwright.bayes import diagnose

    return float(diagnose(model.drawn.draws)["ess_bulk"].min())


def thousands(model: Any, data: Mapping[str, Any]) -> float:
    return effective(model) / 1_000


def gradients_an_effective_draw(model: Any, data: Mapping[str, Any]) -> float:
    return model.drawn.gradients / effective(model)


def norm_of_means(model: Any, data: Mapping[str, Any]) -> float:
    return float(np.linalg.norm(model.drawn.draws.mean(axis=(0, 1))))


def norm_of_deviations(model: Any, data: Mapping[str, Any]) -> float:
    return float(np.linalg.norm(model.drawn.draws.std(axis=(0, 1))))
