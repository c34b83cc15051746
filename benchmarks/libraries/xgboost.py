"""XGBoost with the same trees: histogram method, grown by loss to the same leaves, no L2 penalty on leaves."""

from collections.abc import Mapping
from typing import Any

from xgboost import DMatrix, XGBClassifier, XGBRegressor

from benchmarks.machine import THREADS


def trees(settings: Mapping[str, Any], min_child_weight: float = 1e-3) -> dict[str, Any]:
    """It bounds the Hessian of a leaf, not its rows; for squared errors the two are the same, and 20 is everyone's."""
    return {
        "n_estimators": settings["n_trees"],
        "max_leaves": settings["n_leaves"],
        "learning_rate": settings["learning_rate"],
        "grow_policy": "lossguide",
        "max_depth": 0,
        "tree_method": "hist",
        "max_bin": 255,
        "reg_lambda": 0.0,
        "min_child_weight": min_child_weight,
        "enable_categorical": True,
        "n_jobs": THREADS,
    }


class Validated:
    """A fit on the first rows that scores the last ``settings["n_validation"]`` after each tree."""

    def __init__(self, settings: Mapping[str, Any]):
        self.n = settings["n_validation"]
        self.model = XGBClassifier(**trees(settings, min_child_weight=2.0))

    def fit(self, X, y):
        self.model.fit(X[: -self.n], y[: -self.n], eval_set=[(X[-self.n :], y[-self.n :])], verbose=False)

    def predict_proba(self, X):
        return self.model.predict_proba(X)


def explained(settings: Mapping[str, Any]):
    from benchmarks.explained import Explained

    model = XGBRegressor(**trees(settings, min_child_weight=20.0))
    return Explained(model, lambda fitted: lambda X: fitted.get_booster().predict(X, pred_contribs=True))


#: Rows to explain, in its own form.
PREPARE = {"explained_regressor": lambda data: {**data, "X_test": DMatrix(data["X_test"])}}


def quantile_regressor(settings: Mapping[str, Any]):
    """All levels in one model, a tree a level and iteration."""
    quantiles = {"objective": "reg:quantileerror", "quantile_alpha": list(settings["quantiles"])}
    return XGBRegressor(**trees(settings, min_child_weight=20.0), **quantiles)


MODELS = {
    "quantile_regressor": quantile_regressor,
    "explained_regressor": explained,
    "boosted_classifier": lambda settings: XGBClassifier(**trees(settings)),
    "boosted_regressor": lambda settings: XGBRegressor(**trees(settings, min_child_weight=20.0)),
    "boosted_validated": Validated,
    "table_classifier": lambda settings: XGBClassifier(**trees(settings, min_child_weight=2.0)),
    "table_regressor": lambda settings: XGBRegressor(**trees(settings, min_child_weight=20.0)),
}
