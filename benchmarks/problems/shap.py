"""SHAP values of boosted trees: all explain LightGBM's fit, XGBoost its own of the same size."""

from benchmarks import data
from benchmarks.explained import mean_attribution
from benchmarks.problem import Goal, Metric, Problem


def rows(quick: bool):
    return data.particles(20_000 if quick else 100_000, n_test=500 if quick else 10_000)


PROBLEMS = (
    Problem(
        name="shap_values",
        title="SHAP values, 10,000 rows x 28, 100 trees of 31 leaves",
        task="explained_regressor",
        data=rows,
        timed="predict",
        libraries=("mlwright", "shap", "lightgbm", "xgboost", "daal4py"),
        metrics=(Metric("mean magnitude of SHAP values", mean_attribution(28), rtol=1e-2),),
        goals={"shap": Goal(3, 8), "lightgbm": Goal(3, 6), "xgboost": Goal(3, 6), "daal4py": Goal(1.5, 4)},
        settings={"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1},
        rounds=3,
    ),
)
