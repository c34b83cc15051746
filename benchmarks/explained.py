"""A model whose predictions are SHAP values: fitted before the clock, explained on it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class Explained:
    """``explainer_of(fitted model)`` gives what turns rows into SHAP values of shape (n, p) or (n, p + 1)."""

    def __init__(self, model: Any, explainer_of: Callable[[Any], Callable[[Any], np.ndarray]]):
        self.model, self.explainer_of = model, explainer_of

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Explained":
        self.explain = self.explainer_of(self.model.fit(X, y))
        return self

    def predict(self, X: Any) -> np.ndarray:
        self.values = self.explain(X)
        return self.values


def mean_attribution(n_features: int) -> Callable[[Explained, Mapping[str, Any]], float]:
    """Mean magnitude of the values that were timed last."""

    def mean(model: Explained, data: Mapping[str, Any]) -> float:
        return float(np.abs(np.asarray(model.values, dtype=np.float64)[:, :n_features]).mean())

    return mean
