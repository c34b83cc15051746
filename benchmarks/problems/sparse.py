"""Indicator columns: a wide one-hot table in compressed form."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def indicators(quick: bool):
    return data.indicators(20_000 if quick else 200_000, n_test=5_000 if quick else 50_000)


PROBLEMS = (
    Problem(
        name="one_hot",
        title="Boosting, 200,000 x 10,000 one-hot (99.5 % zeros), 100 trees of 31 leaves: fit",
        task="boosted_classifier",
        data=indicators,
        timed="fit",
        libraries=("mlwright", "lightgbm"),
        metrics=(Metric("held-out log loss", metrics.log_loss, rtol=1e-3),),
        goals={"lightgbm": Goal(1.2, 3)},
        settings={"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1},
        warm_up=False,
    ),
)
