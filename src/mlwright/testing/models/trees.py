"""Examples of models of trees."""

from functools import cache, partial
from typing import Any

import numpy as np

from mlwright.testing.models.example import Example, numbers


def boosting() -> list[Example]:
    from mlwright.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingDistributionRegressor,
        HistGradientBoostingQuantileRegressor,
        HistGradientBoostingRegressor,
    )

    X = numbers(60)
    X[::7, 1] = np.nan
    score = np.nan_to_num(X).sum(axis=1)
    small = {"max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 5, "random_state": 0}
    return [
        Example("ensemble.HistGradientBoostingRegressor", partial(HistGradientBoostingRegressor, **small), X, score),
        Example(
            "ensemble.HistGradientBoostingRegressor:quantile",
            partial(HistGradientBoostingRegressor, loss="quantile", quantile=0.7, early_stopping=True, **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingQuantileRegressor",
            partial(HistGradientBoostingQuantileRegressor, (0.05, 0.5, 0.95), **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingDistributionRegressor",
            partial(HistGradientBoostingDistributionRegressor, **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:binary",
            partial(HistGradientBoostingClassifier, early_stopping=True, **small),
            X,
            np.where(score > 0, "high", "low"),
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:multiclass",
            partial(HistGradientBoostingClassifier, **small),
            X,
            np.digitize(score, [-1.0, 1.0]),
        ),
        *_boosting_categories(small),
    ]


def _boosting_categories(small: dict[str, Any]) -> list[Example]:
    """Models that hold categories: as sets of codes, as words, and ordered where there are too many for a set."""
    from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    coded = _coded()
    words = np.array([[float(row[0]), f"level {int(row[3])}"] for row in coded], dtype=object)
    many = np.column_stack([numbers(600, 1), np.arange(600) % 300])
    regressor = partial(HistGradientBoostingRegressor, **small)
    return [
        Example(
            "ensemble.HistGradientBoostingRegressor:categories",
            partial(regressor, categorical_features=[3]),
            coded,
            coded[:, 0] + (coded[:, 3] % 2),
        ),
        Example(
            "ensemble.HistGradientBoostingRegressor:many",
            partial(regressor, categorical_features=[1]),
            many,
            many[:, 0] + many[:, 1] % 7,
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:words",
            partial(HistGradientBoostingClassifier, categorical_features=[1], **small),
            words,
            np.where(coded[:, 3] % 2 + coded[:, 0] > 0.5, "high", "low"),
        ),
    ]


def bart() -> list[Example]:
    from mlwright.bayes import BARTClassifier, BARTRegressor

    X = _coded()
    X[::7, 1] = np.nan
    score = np.nan_to_num(X[:, :3]).sum(axis=1)
    small = {"n_trees": 3, "burn_in": 5, "draws": 3, "chains": 2, "random_state": 0, "categorical_features": [3]}
    return [
        Example("bayes.BARTRegressor", partial(BARTRegressor, **small), X, score),
        Example(
            "bayes.BARTRegressor:scored",
            partial(BARTRegressor, compute_loo=True, k=100.0, **small | {"categorical_features": None, "draws": 100}),
            numbers(),
            score[:40],
        ),
        Example("bayes.BARTRegressor:noise", partial(BARTRegressor, n_variance_trees=2, **small), X, score),
        Example(
            "bayes.BARTClassifier:scored",
            partial(BARTClassifier, compute_loo=True, k=100.0, **small | {"draws": 100}),
            X,
            np.where(score > 0, "high", "low"),
        ),
        Example("bayes.BARTClassifier", partial(BARTClassifier, **small), X, np.where(score > 0, "high", "low")),
        Example("bayes.BARTClassifier:classes", partial(BARTClassifier, **small), X, np.digitize(score, [-1.0, 1.0])),
    ]


def imported() -> list[Example]:
    """Models of scikit-learn's; they come fitted."""
    from mlwright.deploy import from_model

    names = ["deploy.ImportedClassifier:forest", "deploy.ImportedRegressor:categories"]
    return [Example(name, lambda name=name: from_model(_sources()[name]), _coded(), None) for name in names]


def _coded() -> np.ndarray:
    return np.column_stack([numbers(60), np.arange(60) % 5])


@cache
def _sources() -> dict[str, Any]:
    """What the imported models come from, fitted once."""
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

    X = _coded()
    score = X[:, :3].sum(axis=1)
    small = {"max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 5, "random_state": 0}
    forest = RandomForestClassifier(3, max_depth=3, random_state=0)
    boosting = HistGradientBoostingRegressor(loss="poisson", categorical_features=[3], **small)
    return {
        "deploy.ImportedClassifier:forest": forest.fit(X, np.digitize(score, [-1.0, 1.0])),
        "deploy.ImportedRegressor:categories": boosting.fit(X, np.exp(score) + X[:, 3]),
    }
