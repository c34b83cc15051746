"""Ensembles of trees."""

from mlwright.ensemble._binned_data import BinnedData
from mlwright.ensemble._hist_gradient_boosting import HistGradientBoostingClassifier, HistGradientBoostingRegressor

__all__ = ["BinnedData", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor"]
