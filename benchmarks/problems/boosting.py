"""Histogram gradient boosting: large, wide and small numeric tables, prediction, and real tables."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def numeric(quick: bool):
    return data.particles(20_000 if quick else 1_000_000, n_test=20_000 if quick else 100_000)


def many_to_predict(quick: bool):
    return data.particles(20_000 if quick else 100_000, n_test=20_000 if quick else 1_000_000)


def small(quick: bool):
    return data.particles(1_000, 20, n_test=20_000)


def many_columns(quick: bool):
    return data.wide(5_000 if quick else 100_000)


def adult(quick: bool):
    return data.split_table("adult_train", "income")


def california(quick: bool):
    return data.split_table("california", "median_house_value")


TREES = {"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1}
EQUAL_LOG_LOSS = (Metric("held-out log loss", metrics.log_loss, rtol=1e-3),)

PEERS = {
    "lightgbm": Goal(1.5, 3),
    "lightgbm_quantised": Goal(1.2, 2),
    "xgboost": Goal(1.5, 3),
    "sklearn": Goal(2.5, 5),
}


def _numeric(name: str, n_leaves: int, threads: int, n_trees: int = 100):
    """Fewer trees on one thread: trees are alike, and binning then weighs more, not less."""
    return Problem(
        name=name,
        title=f"Boosting, 1,000,000 x 28, {n_trees} trees of {n_leaves} leaves, {threads} thread(s): fit",
        task="boosted_classifier",
        data=numeric,
        timed="fit",
        libraries=("mlwright", *PEERS),
        metrics=EQUAL_LOG_LOSS,
        goals=PEERS,
        peak_goals={"lightgbm": Goal(1.25, 2)},  # 0.8 and 0.5 of its memory
        settings={**TREES, "n_leaves": n_leaves, "n_trees": n_trees},
        threads=threads,
        rounds=3,
        warm_up=False,
    )


def _small(name: str, threads: int):
    return Problem(
        name=name,
        title=f"Boosting, 800 x 20, 100 trees of 31 leaves, 200 rows scored after each, {threads} thread(s): fit",
        task="boosted_validated",
        data=small,
        timed="fit",
        libraries=("mlwright", "lightgbm", "xgboost"),
        metrics=(Metric("held-out accuracy", metrics.accuracy, atol=1e-2),),
        goals={"lightgbm": Goal(1.5, 3), "xgboost": Goal(1.5, 3)},
        settings={**TREES, "n_validation": 200},
        threads=threads,
    )


PROBLEMS = (
    _numeric("boosting", n_leaves=31, threads=2),
    _numeric("boosting_255", n_leaves=255, threads=2),
    _numeric("boosting_1", n_leaves=31, threads=1, n_trees=25),
    _numeric("boosting_255_1", n_leaves=255, threads=1, n_trees=25),
    Problem(
        name="boosting_columns",
        title="Boosting, 100,000 x 500 regression, 100 trees of 31 leaves: fit",
        task="boosted_regressor",
        data=many_columns,
        timed="fit",
        libraries=("mlwright", "lightgbm", "xgboost"),
        metrics=(Metric("held-out R2", metrics.r2, atol=2e-3),),
        goals={"lightgbm": Goal(1.5, 3), "xgboost": Goal(1.5, 3)},
        settings=TREES,
        rounds=3,
        warm_up=False,
    ),
    _small("boosting_small", threads=2),
    _small("boosting_small_1", threads=1),
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
