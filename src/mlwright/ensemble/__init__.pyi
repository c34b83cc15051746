from mlwright.ensemble._boosting.binned_data import BinnedData
from mlwright.ensemble._boosting.classifier import HistGradientBoostingClassifier
from mlwright.ensemble._boosting.control import BoostingIteration
from mlwright.ensemble._boosting.distribution_regressor import HistGradientBoostingDistributionRegressor
from mlwright.ensemble._boosting.quantile_regressor import HistGradientBoostingQuantileRegressor
from mlwright.ensemble._boosting.regressor import HistGradientBoostingRegressor

__all__ = [
    "BinnedData",
    "BoostingIteration",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingDistributionRegressor",
    "HistGradientBoostingQuantileRegressor",
    "HistGradientBoostingRegressor",
]
