"""Ordinary and ridge least squares: a tall table, the choice of a penalty, and the latency of a small one."""

import numpy as np

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(20_000 if quick else 1_000_000, 100)


def tall_float32(quick: bool):
    return {name: np.asarray(part, dtype=np.float32) for name, part in tall(quick).items()}


def middle(quick: bool):
    """So noisy that a penalty in the middle of the grid is best."""
    n, p = (5_000, 50) if quick else (200_000, 200)
    return data.linear(n, p, noise=3.0 * np.sqrt(n / p))


def folds(quick: bool):
    n, p = (4_000, 50) if quick else (100_000, 200)
    return data.linear(n, p, noise=3.0 * np.sqrt(n / p))


def several(quick: bool):
    """Ten targets that share twenty of the columns."""
    n, p = (1_000, 50) if quick else (5_000, 300)
    made = data.linear(n, p, noise=0.0)
    rng = np.random.default_rng(1)
    w = np.zeros((p, 10))
    w[:20] = rng.standard_normal((20, 10))
    for rows in ("", "_test"):
        signal = made["X" + rows] @ w
        made["y" + rows] = signal + 3.0 * rng.standard_normal(signal.shape)
    return made


def best_score(model, _):
    return float(model.best_score_)


def best_penalty(model, _):
    return float(model.best_params_["alpha"])


def least_of_path(model, _):
    """The least mean squared error over penalties."""
    return float(np.min(np.mean(model.mse_path_, axis=-1)))


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
        goals={"sklearn": Goal(8, 20), "sklearnex": Goal(1.1, 2)},
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
    Problem(
        name="ols_float32",
        title="Least squares, 1,000,000 x 100, float32: fit",
        task="least_squares",
        data=tall_float32,
        timed="fit",
        libraries=("mlwright", "sklearn", "sklearnex"),
        metrics=(
            # Of the answers on the same float32 numbers, in float64; a peer's may be worse than ours, at its own risk.
            Metric("objective", metrics.penalised_squares(0.0), rtol=1e-6, may_be_lower=True),
            Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-4),
            Metric("R2", metrics.r2, atol=1e-5),
        ),
        goals={"sklearnex": Goal(1.1, 2)},
    ),
    Problem(
        name="ridge_cv",
        title="RidgeCV, leave-one-out, 50 penalties, 200,000 x 200: fit",
        task="ridge_cv",
        data=middle,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(
            Metric("penalty chosen", metrics.chosen_alpha, rtol=1e-9),
            Metric("score", best_score, rtol=1e-9),
            Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-7),
        ),
        goals={"sklearn": Goal(8, 25)},
        settings={"alphas": np.logspace(-2, 8, 50)},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="ridge_search",
        title="GridSearchCV(Ridge), 100 penalties x 10 folds, 100,000 x 200: fit",
        task="ridge_search",
        data=folds,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(
            Metric("penalty chosen", best_penalty, rtol=1e-9),
            Metric("score", best_score, rtol=1e-7),
        ),
        goals={"sklearn": Goal(40, 100)},
        settings={"grid": {"alpha": np.logspace(-2, 8, 100)}, "cv": 10},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="multi_task_lasso_cv",
        title="MultiTaskLassoCV, 5,000 x 300, 10 targets, 5 folds: fit",
        task="multi_task_lasso_cv",
        data=several,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(
            Metric("penalty chosen", metrics.chosen_alpha, rtol=1e-6),
            Metric("least error", least_of_path, rtol=1e-6),
            Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-4),
        ),
        settings={"tol": 1e-7},
        rounds=3,
        warm_up=False,
    ),
)
