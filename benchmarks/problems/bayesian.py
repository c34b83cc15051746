"""Bayesian ridge regression (evidence maximisation), n > p and p > n."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(5_000 if quick else 100_000, 200)


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

PROBLEMS = (
    Problem(
        name="bayesian_ridge_tall",
        title="BayesianRidge, 100,000 x 200: fit",
        task="bayesian_ridge",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_POSTERIOR,
        goals={"sklearn": Goal(6, 20)},
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
        goals={"sklearn": Goal(20, 200)},
        settings={"tol": 1e-6},
    ),
)
