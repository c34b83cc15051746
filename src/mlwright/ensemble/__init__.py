"""Ensembles of trees."""

from mlwright.ensemble._binned_data import BinnedData
from mlwright.ensemble._boosting_control import BoostingIteration
from mlwright.ensemble._distribution_regressor import HistGradientBoostingDistributionRegressor
from mlwright.ensemble._hist_gradient_boosting import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.ensemble._quantile_regressor import HistGradientBoostingQuantileRegressor

__all__ = [
    "BinnedData",
    "BoostingIteration",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingDistributionRegressor",
    "HistGradientBoostingQuantileRegressor",
    "HistGradientBoostingRegressor",
]
