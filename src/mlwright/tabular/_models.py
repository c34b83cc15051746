"""The estimators that candidates are made of, in one place."""

from scipy.special import expit

from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.linear_model import BayesianRidge, Ridge

__all__ = ["BayesianRidge", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "Ridge", "expit"]
