"""LightGBM with the same trees: leaves, bins, learning rate and minimum leaf of the problem."""

from collections.abc import Mapping
from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor

from benchmarks.libraries.lightgbm_source import importer
from benchmarks.machine import THREADS


def trees(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``force_row_wise``: the faster of its histogram layouts here (9.4 s against 11.4 s), and it need not try both."""
    return {
        "n_estimators": settings["n_trees"],
        "num_leaves": settings["n_leaves"],
        "learning_rate": settings["learning_rate"],
        "max_bin": 255,
        "min_child_samples": 20,
        "n_jobs": THREADS,
        "force_row_wise": True,
        "verbose": -1,
    }


class Validated:
    """A fit on the first rows that scores the last ``settings["n_validation"]`` after each tree."""

    def __init__(self, settings: Mapping[str, Any]):
        self.n = settings["n_validation"]
        self.model = LGBMClassifier(**trees(settings))

    def fit(self, X, y):
        self.model.fit(X[: -self.n], y[: -self.n], eval_set=[(X[-self.n :], y[-self.n :])])

    def predict_proba(self, X):
        return self.model.predict_proba(X)


def explained(settings: Mapping[str, Any]):
    from benchmarks.explained import Explained

    return Explained(
        LGBMRegressor(**trees(settings)), lambda model: lambda X: model.booster_.predict(X, pred_contrib=True)
    )


#: scikit-learn's names of parameters to LightGBM's.
NAMES = {
    "max_iter": "n_estimators",
    "max_leaf_nodes": "num_leaves",
    "min_samples_leaf": "min_child_samples",
    "l2_regularization": "reg_lambda",
}


def boosting_search(settings: Mapping[str, Any]):
    """One fit a process: faster here than a fit a thread (by 13 %) and than threads inside fits."""
    from sklearn.model_selection import GridSearchCV

    model = LGBMClassifier(max_bin=255, n_jobs=1, force_row_wise=True, verbose=-1)
    grid = {NAMES.get(name, name): values for name, values in settings["grid"].items()}
    return GridSearchCV(model, grid, scoring="neg_log_loss", n_jobs=THREADS)


MODELS = {
    "imported_regressor": importer(lambda model, _: model.booster_.predict),  # shorter than the estimator's way in
    "boosting_search": boosting_search,
    "explained_regressor": explained,
    "boosted_classifier": lambda settings: LGBMClassifier(**trees(settings)),
    # Many columns: the other histogram layout is the faster.
    "boosted_regressor": lambda settings: LGBMRegressor(
        **trees(settings) | {"force_row_wise": False, "force_col_wise": True}
    ),
    "boosted_validated": Validated,
    "categorical_classifier": lambda settings: LGBMClassifier(**trees(settings)),
    # Pandas categories are its categorical features by default.
    "table_classifier": lambda settings: LGBMClassifier(**trees(settings)),
    "table_regressor": lambda settings: LGBMRegressor(**trees(settings)),
}
