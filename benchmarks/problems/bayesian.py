"""Bayesian ridge regression (evidence maximisation), n > p and p > n; a precision for every coefficient."""

import numpy as np

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(5_000 if quick else 100_000, 200)


def relevant(quick: bool):
    """One column in five matters."""
    rows = data.linear(1_000 if quick else 10_000, 50 if quick else 500)
    rng = np.random.default_rng(1)
    w = np.where(np.arange(rows["X"].shape[1]) % 5 == 0, rng.standard_normal(rows["X"].shape[1]), 0.0)
    for part in ("", "_test"):
        rows["y" + part] = rows["X" + part] @ w + 3.0 + rng.standard_normal(len(rows["X" + part]))
    return rows


def wide(quick: bool):
    return data.factors(100 if quick else 500, 500 if quick else 5_000)


# Both iterate to the fixed point of the evidence; with a tight tolerance they must land on the same one.
EQUAL_POSTERIOR = (
    Metric("noise precision", metrics.noise_precision, rtol=1e-4),
    Metric("weight precision", metrics.weight_precision, rtol=1e-4),
    Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-4),
    Metric("R2", metrics.r2, atol=1e-5),
    Metric("mean predictive deviation", metrics.mean_predictive_deviation, rtol=1e-4),
)

EQUAL_RELEVANCE = (
    Metric("noise precision", metrics.noise_precision, rtol=1e-6),
    Metric("columns kept", lambda model, rows: float(np.count_nonzero(model.coef_)), rtol=0.0),
    Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-6),
    Metric("R2", metrics.r2, atol=1e-8),
    Metric("mean predictive deviation", metrics.mean_predictive_deviation, rtol=1e-6),
)

PROBLEMS = (
    Problem(
        name="bayesian_ridge_tall",
        title="BayesianRidge, 100,000 x 200: fit",
        task="bayesian_ridge",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_POSTERIOR,
        goals={"sklearn": Goal(8, 20)},
        settings={"tol": 1e-6},
    ),
    Problem(
        name="bayesian_ridge_wide",
        title="BayesianRidge, 500 x 5,000: fit",
        task="bayesian_ridge",
        data=wide,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_POSTERIOR,
        goals={"sklearn": Goal(50, 200)},
        settings={"tol": 1e-6},
    ),
    Problem(
        name="ard",
        title="ARDRegression, 10,000 x 500: fit",
        task="ard",
        data=relevant,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_RELEVANCE,
        goals={"sklearn": Goal(10, 40)},
        rounds=3,
    ),
)
