"""Tables to checked models: candidates are cross-validated, compared with the naive baseline, and the best is kept."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "BaselineClassifier": "mlwright.tabular._baseline",
        "BaselineRegressor": "mlwright.tabular._baseline",
        "IRLSClassifier": "mlwright.tabular._irls",
        "TabularClassifier": "mlwright.tabular._classifier",
        "TabularRegressor": "mlwright.tabular._regressor",
        "permutation_importances": "mlwright.tabular._importance",
    },
)
