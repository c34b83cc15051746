"""A fit with the standard errors of its coefficients, as one model: what is timed where inference is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class WithErrors:
    """``errors_of(X, y) -> (parameters, standard errors)``, the intercept first; both are kept."""

    def __init__(self, errors_of: Callable[[Any, Any], tuple[np.ndarray, np.ndarray]]):
        self.errors_of = errors_of

    def fit(self, X: np.ndarray, y: np.ndarray) -> "WithErrors":
        self.params, self.std_errors = self.errors_of(X, y)
        return self


def clusters(n: int, n_groups: int) -> np.ndarray:
    """Groups that are spread over all rows."""
    return np.arange(n) % n_groups


def sum_of_errors(model: WithErrors, data: Mapping[str, Any]) -> float:
    """One number that moves when any standard error does."""
    return float(np.abs(np.asarray(model.std_errors, dtype=np.float64)).sum())


def sum_of_z(model: WithErrors, data: Mapping[str, Any]) -> float:
    """Sum of absolute statistics: estimates over standard errors."""
    return float(np.abs(np.asarray(model.params) / np.asarray(model.std_errors)).sum())
