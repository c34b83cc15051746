"""Ensembles of trees."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "BinnedData": "mlwright.ensemble._boosting.binned_data",
        "BoostingIteration": "mlwright.ensemble._boosting.control",
        "HistGradientBoostingClassifier": "mlwright.ensemble._boosting.classifier",
        "HistGradientBoostingDistributionRegressor": "mlwright.ensemble._boosting.distribution_regressor",
        "HistGradientBoostingQuantileRegressor": "mlwright.ensemble._boosting.quantile_regressor",
        "HistGradientBoostingRegressor": "mlwright.ensemble._boosting.regressor",
    },
)
