"""Quantiles, outliers, and an epoch of stochastic gradient descent on text."""

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem

LEVELS = tuple(k / 10 for k in range(1, 10))
EPSILON, ALPHA = 1.35, 1e-4


def table(quick: bool):
    return data.linear(2_000 if quick else 20_000, 20)


def spoilt(quick: bool):
    """One row in ten is far off, on one side."""
    rows = data.linear(20_000 if quick else 500_000, 50)
    far = np.random.default_rng(1).random(len(rows["y"])) < 0.1
    rows["y"][far] += 50.0 * (1.0 + rows["X"][far, 0])
    return rows


def text(quick: bool, *, n_test: int = 5_000) -> dict[str, Any]:
    """Rows of some sixty words out of 47,000, frequent words first: the shape of a collection of news."""
    n, p = (5_000 if quick else 300_000) + n_test, 47_000
    rng = np.random.default_rng(0)
    count = rng.poisson(60, n) + 5
    word = np.minimum((p * rng.random(count.sum()) ** 3).astype(np.int32), p - 1)
    X = sparse.csr_matrix((rng.random(count.sum()), word, np.append(0, np.cumsum(count))), shape=(n, p))
    X.sum_duplicates()
    y = (X @ rng.standard_normal(p) + rng.standard_normal(n) > 0.0).astype(np.int64)
    return {"X": X[:-n_test], "y": y[:-n_test], "X_test": X[-n_test:], "y_test": y[-n_test:]}


def pinball_of_the_fit(model: Any, rows: metrics.Data) -> float:
    """The objective: mean pinball loss over levels and the rows that were fitted."""
    return metrics.mean_pinball_loss(LEVELS)(model, {"X_test": rows["X"], "y_test": rows["y"]})


def huber_objective(model: Any, rows: metrics.Data) -> float:
    size, sigma = np.abs(rows["y"] - rows["X"] @ model.coef_ - model.intercept_), model.scale_
    beyond = size > EPSILON * sigma
    loss = (size[~beyond] ** 2).sum() / sigma + (2.0 * EPSILON * size[beyond] - EPSILON**2 * sigma).sum()
    return float(len(size) * sigma + loss + ALPHA * model.coef_ @ model.coef_)


PROBLEMS = (
    Problem(
        name="linear_quantiles",
        title="Linear quantile regression, 20,000 x 20, nine levels: fit",
        task="linear_quantiles",
        data=table,
        timed="fit",
        # Not scikit-learn, whose linear programs take more than half a minute a level: it has the next one.
        libraries=("mlwright", "statsmodels_quantreg"),
        metrics=(Metric("objective", pinball_of_the_fit, rtol=1e-6),),
        goals={"statsmodels_quantreg": Goal(10, 50)},
        settings={"quantiles": LEVELS},
        rounds=3,
    ),
    Problem(
        name="linear_quantiles_5k",
        title="Linear quantile regression, 5,000 x 20, nine levels: fit",
        task="linear_quantiles",
        data=lambda quick: data.linear(1_000 if quick else 5_000, 20),
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(Metric("objective", pinball_of_the_fit, rtol=1e-6),),
        goals={"sklearn": Goal(50, 1000)},
        settings={"quantiles": LEVELS},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="huber",
        title="Huber regression, 500,000 x 50, one row in ten far off: fit",
        task="huber",
        data=spoilt,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(Metric("objective", huber_objective, rtol=1e-6),),
        goals={"sklearn": Goal(3, 10)},
        settings={"epsilon": EPSILON, "alpha": ALPHA},
        rounds=3,
    ),
    Problem(
        name="sgd_text",
        title="Logistic SGD, one epoch, sparse text 300,000 x 47,000: fit",
        task="sgd_classifier",
        data=text,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(Metric("accuracy", metrics.accuracy, atol=0.01),),
        goals={"sklearn": Goal(3, 6)},
        settings={"loss": "log_loss", "average": True},
    ),
)
