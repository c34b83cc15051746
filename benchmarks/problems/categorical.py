"""Histogram gradient boosting on categorical columns of many levels."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem
from benchmarks.problems.boosting import TREES


def many_levels(quick: bool):
    return data.shops(20_000 if quick else 500_000, n_test=20_000 if quick else 100_000)


PROBLEMS = (
    Problem(
        name="categorical",
        title="Boosting, 500,000 x (10 numeric + 10 categorical of up to 50,000 levels), 100 trees: fit",
        task="categorical_classifier",
        data=many_levels,
        timed="fit",
        libraries=("mlwright", "lightgbm", "catboost"),
        metrics=(Metric("held-out log loss", metrics.log_loss, rtol=2e-3, may_be_lower=True),),
        goals={"lightgbm": Goal(1.5, 4), "catboost": Goal(3, 10)},
        settings=TREES,
        rounds=3,
        warm_up=False,
    ),
)
