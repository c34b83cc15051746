"""Ordinary and ridge least squares: a tall table, and the latency of a small one."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(20_000 if quick else 1_000_000, 100)


def small(quick: bool):
    return data.linear(500, 10, n_test=500)


def equal_objective(alpha: float) -> tuple[Metric, ...]:
    """The minimum is unique here, so objective, coefficients and R2 must all agree."""
    return (
        Metric("objective", metrics.penalised_squares(alpha), rtol=1e-9),
        Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-7),
        Metric("R2", metrics.r2, atol=1e-8),
    )


PROBLEMS = (
    Problem(
        name="ols",
        title="Least squares, 1,000,000 x 100, float64: fit",
        task="least_squares",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn", "sklearnex"),
        metrics=equal_objective(0.0),
        goals={"sklearn": Goal(8, 20), "sklearnex": Goal(1, 2)},
    ),
    Problem(
        name="ridge",
        title="Ridge, 1,000,000 x 100, float64: fit",
        task="ridge",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn", "sklearnex"),
        metrics=equal_objective(1.0),
        goals={"sklearn": Goal(2.5, 6)},
        settings={"alpha": 1.0},
    ),
    Problem(
        name="ridge_small",
        title="Ridge, 500 x 10, float64: fit + predict",
        task="ridge",
        data=small,
        timed="fit_predict",
        libraries=("mlwright", "sklearn", "sklearnex"),
        metrics=equal_objective(1.0),
        goals={"sklearn": Goal(2, 6)},
        settings={"alpha": 1.0},
        rounds=15,
    ),
)
