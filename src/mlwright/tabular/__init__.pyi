from mlwright.tabular._baseline import BaselineClassifier, BaselineRegressor
from mlwright.tabular._classifier import TabularClassifier
from mlwright.tabular._importance import permutation_importances
from mlwright.tabular._irls import IRLSClassifier
from mlwright.tabular._regressor import TabularRegressor

__all__ = [
    "BaselineClassifier",
    "BaselineRegressor",
    "IRLSClassifier",
    "TabularClassifier",
    "TabularRegressor",
    "permutation_importances",
]
