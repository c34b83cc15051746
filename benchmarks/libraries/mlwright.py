"""Ours, at its defaults."""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]


def least_squares(settings: Settings):
    from mlwright.linear_model import LinearRegression

    return LinearRegression()


def ridge(settings: Settings):
    from mlwright.linear_model import Ridge

    return Ridge(alpha=settings["alpha"])


def bayesian_ridge(settings: Settings):
    from mlwright.linear_model import BayesianRidge

    return BayesianRidge(tol=settings["tol"])


def boosted_classifier(settings: Settings):
    """The same settings as scikit-learn's."""
    from mlwright.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=settings["n_trees"],
        max_leaf_nodes=settings["n_leaves"],
        learning_rate=settings["learning_rate"],
        max_bins=255,
        early_stopping=False,
        random_state=0,
    )


MODELS = {
    "least_squares": least_squares,
    "ridge": ridge,
    "bayesian_ridge": bayesian_ridge,
    "boosted_classifier": boosted_classifier,
}
