"""Prediction alone: a model imported from LightGBM and one of our own, many rows and one."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def many_rows(quick: bool):
    return data.particles(20_000, n_test=5_000 if quick else 100_000)


def one_row(quick: bool):
    return data.particles(20_000, n_test=1)


#: ONNX has float32 leaves and sums.
SAME_PREDICTIONS = (Metric("sum of predictions", metrics.prediction_sum, rtol=1e-5),)
PEERS = ("mlwright", "lightgbm", "onnxruntime", "daal4py")

PROBLEMS = (
    Problem(
        name="predict_imported",
        title="Imported LightGBM model, 500 trees of 31 leaves: predict 100,000 x 28",
        task="imported_regressor",
        data=many_rows,
        timed="predict",
        libraries=PEERS,
        metrics=SAME_PREDICTIONS,
        goals={"lightgbm": Goal(12, 30), "onnxruntime": Goal(8, 20), "daal4py": Goal(2, 5)},
        settings={"n_trees": 500, "n_leaves": 31, "learning_rate": 0.1},
    ),
    Problem(
        name="predict_one_row",
        title="Imported LightGBM model, 100 trees of 31 leaves: predict one row",
        task="imported_regressor",
        data=one_row,
        timed="predict",
        libraries=PEERS,
        metrics=SAME_PREDICTIONS,
        goals={"lightgbm": Goal(5, 15), "onnxruntime": Goal(3, 5)},
        settings={"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1},
    ),
    Problem(
        name="predict_own",
        title="Own model, 500 trees of 31 leaves, against CatBoost's symmetric trees of 32: predict 100,000 x 28",
        task="boosted_regressor",
        data=many_rows,
        timed="predict",
        libraries=("mlwright", "catboost"),
        metrics=(Metric("held-out R2", metrics.r2, atol=1e-2),),  # other trees: as good, not the same
        goals={"catboost": Goal(0.6, 1.0)},
        settings={"n_trees": 500, "n_leaves": 31, "learning_rate": 0.03},
    ),
)
