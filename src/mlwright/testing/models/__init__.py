"""Small fitted examples of every class that a model file can hold.

The round trips, copies, fuzz and robustness tests run over :func:`fitted_examples`; a registered class without an
example fails the suite.
"""

from collections.abc import Callable
from typing import Any

from mlwright._runtime.errors import MlwrightError
from mlwright.testing.models import bayesian, linear, tables, trees
from mlwright.testing.models.example import Example

__all__ = ["Example", "fitted_examples", "outputs"]


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """What the model says of `X` by each of its prediction methods; a refusal as its text."""
    methods = ("predict", "predict_proba", "decision_function", "transform", "predict_interval")
    return {method: _said(getattr(model, method), X) for method in methods if hasattr(model, method)}


def _said(method: Callable[[Any], Any], X: Any) -> Any:
    try:
        return method(X)
    except (ValueError, MlwrightError) as error:
        return str(error)


def fitted_examples() -> list[Example]:
    """The examples; imports the estimators."""
    makers = (
        *(linear.linear_models, linear.ridge_classifiers, linear.sparse_models, linear.task_models),
        *(linear.robust_models, linear.glms, bayesian.bayesian, bayesian.gaussian_processes),
        *(trees.boosting, trees.bart, trees.imported),
        *(tables.encoders, bayesian.mixtures, tables.clusters, tables.decompositions, tables.pipelines, tables.tabular),
    )
    return [example for make in makers for example in make()]
