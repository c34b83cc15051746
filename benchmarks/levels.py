"""Libraries that fit one quantile at a time: a model a level, in a loop."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class EachLevel:
    """``fit_one(level, X, y)`` returns a function that predicts that level."""

    def __init__(self, fit_one: Callable[[float, Any, Any], Callable[[Any], Any]], levels: Sequence[float]):
        self.fit_one, self.levels = fit_one, levels

    def fit(self, X, y):
        self.predictors = [self.fit_one(level, X, y) for level in self.levels]

    def predict(self, X):
        return np.column_stack([predict(X) for predict in self.predictors])
