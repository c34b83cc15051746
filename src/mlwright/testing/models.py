"""Small fitted examples of every class that a model file can hold.

The round trips, copies, fuzz and robustness tests run over :func:`fitted_examples`; a registered class without an
example fails the suite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Example:
    """A fitted model and data that it predicts or transforms.

    Parameters
    ----------
    name : str
        The class's name in `mlwright.io.registry`, and what is special about this example after a colon.
    make : callable
        Returns the fitted model, the same one each time.
    X : object
        What its `predict`, `predict_proba` or `transform` take.
    """

    name: str
    make: Callable[[], Any]
    X: Any

    @property
    def registered_name(self) -> str:
        return self.name.partition(":")[0]


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """What the model says of `X`: the result of each of its prediction methods, by the method's name."""
    methods = ("predict", "predict_proba", "decision_function", "transform")
    return {method: getattr(model, method)(X) for method in methods if hasattr(model, method)}


def fitted_examples() -> list[Example]:
    """The examples; imports the estimators."""
    from sklearn.pipeline import Pipeline

    rng = np.random.RandomState(0)
    X = rng.standard_normal((40, 3))
    return [
        Example("sklearn.pipeline.Pipeline:passthrough", lambda: Pipeline([("pass", "passthrough")]).fit(X), X),
    ]
