"""Tables to checked models: candidates are cross-validated, compared with the naive baseline, and the best is kept."""

from mlwright.tabular._baseline import BaselineClassifier, BaselineRegressor
from mlwright.tabular._estimators import TabularClassifier, TabularRegressor
from mlwright.tabular._importance import permutation_importances
from mlwright.tabular._irls import IRLSClassifier

__all__ = [
    "BaselineClassifier",
    "BaselineRegressor",
    "IRLSClassifier",
    "TabularClassifier",
    "TabularRegressor",
    "permutation_importances",
]
