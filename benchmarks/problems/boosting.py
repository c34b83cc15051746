"""Histogram gradient boosting: a large numeric table, its predictions, and two real tables with categories."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def numeric(quick: bool):
    return data.particles(20_000 if quick else 1_000_000, n_test=20_000 if quick else 100_000)


def many_to_predict(quick: bool):
    return data.particles(20_000 if quick else 100_000, n_test=20_000 if quick else 1_000_000)


def adult(quick: bool):
    return data.split_table("adult_train", "income")


def california(quick: bool):
    return data.split_table("california", "median_house_value")


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
    Problem(
        name="boosting_predict",
        title="Boosting, 1,000,000 x 28, 100 trees of 31 leaves: predict_proba",
        task="boosted_classifier",
        data=many_to_predict,
        timed="predict",
        libraries=("mlwright", "sklearn", "lightgbm", "xgboost"),
        metrics=(
            Metric("held-out log loss", metrics.log_loss, rtol=3e-3),
        ),  # of 100,000 fitted rows, so they scatter more
        settings=TREES,
    ),
    Problem(
        name="adult",
        title="Adult (24,421 x 14, 8 categorical): fit + predict",
        task="table_classifier",
        data=adult,
        timed="fit_predict",
        libraries=("mlwright", "sklearn", "lightgbm", "xgboost"),
        metrics=(Metric("held-out log loss", metrics.log_loss, rtol=1e-2),),
        settings=TREES,
        tables=("adult_train",),
    ),
    Problem(
        name="california",
        title="California (15,480 x 9, 1 categorical): fit + predict",
        task="table_regressor",
        data=california,
        timed="fit_predict",
        libraries=("mlwright", "sklearn", "lightgbm", "xgboost"),
        metrics=(Metric("held-out R2", metrics.r2, atol=1e-2),),
        settings=TREES,
        tables=("california",),
    ),
)
