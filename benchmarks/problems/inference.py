"""Least squares with standard errors: the model's own, and robust ones."""

from benchmarks import data
from benchmarks.inference import sum_of_errors, sum_of_z
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(20_000 if quick else 1_000_000, 100)


def problem(name: str, title: str, cov_type: str, goal: Goal) -> Problem:
    return Problem(
        name=name,
        title=f"Least squares with {title}, 1,000,000 x 100, float64",
        task="ols_inference",
        data=tall,
        timed="fit",
        libraries=("mlwright", "statsmodels"),
        metrics=(
            Metric("sum of standard errors", sum_of_errors, rtol=1e-7),
            Metric("sum of statistics", sum_of_z, rtol=1e-7),
        ),
        goals={"statsmodels": goal},
        settings={"cov_type": cov_type, "n_groups": 1000},
        rounds=5,
        warm_up=False,
    )


PROBLEMS = (
    problem("ols_errors", "standard errors", "nonrobust", Goal(25, 100)),
    problem("ols_hc1", "robust errors (HC1)", "HC1", Goal(10, 30)),
    problem("ols_cluster", "errors of 1,000 clusters", "cluster", Goal(10, 30)),
)
