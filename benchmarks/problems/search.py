"""Search over parameters of boosting with cross-validation: many fits on the same rows."""

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def numeric(quick: bool):
    return data.particles(2_000 if quick else 50_000, 30, n_test=20_000)


def best_score(model, _):
    """Mean cross-validated log likelihood of the best candidate."""
    return float(model.best_score_)


#: 24 configurations, in scikit-learn's names.
GRID = {
    "learning_rate": [0.1, 0.2],
    "max_leaf_nodes": [15, 31],
    "min_samples_leaf": [20, 100],
    "max_iter": [10, 20, 40],
}
#: As many, none of which is the beginning of another.
SEPARATE_GRID = {
    "learning_rate": [0.1, 0.2],
    "max_leaf_nodes": [15, 31],
    "min_samples_leaf": [20, 50, 100],
    "l2_regularization": [0.0, 10.0],
    "max_iter": [20],
}
ANSWERS = (
    Metric("best cross-validated log loss", best_score, rtol=5e-3),
    Metric("held-out log loss of the refit", metrics.log_loss, rtol=1e-2),
)

PROBLEMS = (
    Problem(
        name="search",
        title="GridSearchCV, 24 configurations x 5 folds, 50,000 x 30: fit",
        task="boosting_search",
        data=numeric,
        timed="fit",
        libraries=("mlwright", "lightgbm"),
        metrics=ANSWERS,
        goals={"lightgbm": Goal(2, 5)},
        settings={"grid": GRID},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="search_separate",
        title="GridSearchCV, 24 configurations x 5 folds, no two of one fit: fit",
        task="boosting_search",
        data=numeric,
        timed="fit",
        libraries=("mlwright", "lightgbm"),
        metrics=ANSWERS,
        settings={"grid": SEPARATE_GRID},
        rounds=3,
        warm_up=False,
    ),
)
