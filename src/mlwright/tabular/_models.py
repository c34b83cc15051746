"""The estimators that candidates are made of, in one place."""

from mlwright._kernels.simd import expit, softplus
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.linear_model import BayesianRidge, Ridge

__all__ = [
    "BayesianRidge",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "Ridge",
    "expit",
    "softplus",
]
