"""Histogram gradient boosting: a large numeric table."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def numeric(quick: bool):
    return data.particles(20_000 if quick else 1_000_000, n_test=20_000 if quick else 100_000)


TREES = {"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1}
EQUAL_LOG_LOSS = (Metric("held-out log loss", metrics.log_loss, rtol=1e-3),)

PROBLEMS = (
    Problem(
        name="boosting",
        title="Boosting, 1,000,000 x 28, 100 trees of 31 leaves: fit",
        task="boosted_classifier",
        data=numeric,
        timed="fit",
        libraries=("mlwright", "sklearn", "lightgbm", "xgboost"),
        metrics=EQUAL_LOG_LOSS,
        goals={"sklearn": Goal(1.5, 4)},
        settings=TREES,
        warm_up=False,
    ),
)
