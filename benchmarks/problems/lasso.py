"""Lasso and elastic net: cross-validation on tall data, paths on wide data, and the latency of a small fit."""

import numpy as np
from scipy import sparse

from benchmarks import data, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return noisy(*((5_000, 100) if quick else (100_000, 500)))


def lower(quick: bool):
    return noisy(*((5_000, 100) if quick else (30_000, 300)))


def noisy(n: int, p: int):
    """Ten columns in a hundred matter, under noise that leaves a tenth of the variance to explain."""
    made = data.linear(n, p, noise=0.0)
    rng = np.random.default_rng(1)
    w = np.where(np.arange(p) % 10 == 0, rng.standard_normal(p), 0.0)
    for rows in ("", "_test"):
        signal = made["X" + rows] @ w
        made["y" + rows] = signal + 3.0 * signal.std() * rng.standard_normal(len(signal))
    return made


def small(quick: bool):
    return data.linear(500, 10, n_test=500)


def wide(quick: bool):
    """1000 rows, 100,000 columns, 50 of which matter; centred, so that every library can do without an intercept."""
    n, p = (100, 2_000) if quick else (1_000, 100_000)
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((p, n)).T)
    X -= X.mean(axis=0)
    y = X[:, :50] @ rng.standard_normal(50) + 5.0 * rng.standard_normal(n)
    return {"X": X, "y": y - y.mean()}


def zipf(quick: bool):
    """Counts of words: 20,000 rows, 100,000 columns whose frequencies fall like one over their rank."""
    n, p, words = (1_000, 5_000, 50_000) if quick else (20_000, 100_000, 3_000_000)
    rng = np.random.default_rng(0)
    column = np.minimum(np.exp(rng.random(words) * np.log(p)).astype(np.int32), p) - 1
    X = sparse.csc_matrix((np.ones(words), (rng.integers(0, n, words, dtype=np.int32), column)), shape=(n, p))
    X.sum_duplicates()
    y = X[:, 20:400] @ rng.standard_normal(380) + 3.0 * rng.standard_normal(n)
    return {"X": X, "y": y}


CHOSEN = (
    Metric("alpha", metrics.chosen_alpha, rtol=1e-6),
    Metric("objective", metrics.chosen_objective, rtol=1e-6),
    Metric("R2", metrics.r2, atol=1e-4),
)
PATH = (Metric("objectives", metrics.path_objective, rtol=1e-6),)

PROBLEMS = (
    Problem(
        name="lasso_cv",
        title="LassoCV, 100,000 x 500, 5 folds: fit",
        task="lasso_cv",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn", "skglm", "adelie"),  # celer, which has no Gram matrix, takes minutes
        metrics=CHOSEN,
        goals={"sklearn": Goal(5, 15)} | dict.fromkeys(("skglm", "adelie"), Goal(4, 10)),
        settings={"tol": 1e-7},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="elastic_net_cv",
        title="ElasticNetCV, 30,000 x 300, 7 ratios, 10 folds: fit",
        task="elastic_net_cv",
        data=lower,
        timed="fit",
        libraries=("mlwright", "sklearn", "adelie"),  # skglm takes longer, see lasso_cv
        metrics=CHOSEN,
        goals=dict.fromkeys(("sklearn", "adelie"), Goal(15, 60)),
        settings={"tol": 1e-7, "l1_ratio": (0.1, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0), "cv": 10},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="lasso_path",
        title="Lasso path, 1000 x 100,000 dense, 50 penalties: fit",
        task="lasso_path",
        data=wide,
        timed="fit",
        libraries=("mlwright", "sklearn", "celer", "adelie"),
        metrics=PATH,
        goals={"sklearn": Goal(5, 20), "celer": Goal(1.3, 4), "adelie": Goal(1.3, 4)},
        settings={"tol": 1e-7, "eps": 0.1, "alphas": 50},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="lasso_sparse",
        title="Lasso path, 20,000 x 100,000 sparse counts, 50 penalties: fit",
        task="lasso_path",
        data=zipf,
        timed="fit",
        libraries=("mlwright", "sklearn", "celer"),
        metrics=PATH,
        goals={"sklearn": Goal(5, 20), "celer": Goal(1.3, 4)},
        settings={"tol": 1e-7, "eps": 0.02, "alphas": 50},
        rounds=3,
        warm_up=False,
    ),
    Problem(
        name="lasso_small",
        title="Lasso, 500 x 10, float64: fit + predict",
        task="lasso",
        data=small,
        timed="fit_predict",
        libraries=("mlwright", "sklearn"),
        metrics=(
            Metric("objective", metrics.lasso_objective(0.1), rtol=1e-6),
            Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-4),
        ),
        goals={"sklearn": Goal(2, 6)},
        settings={"alpha": 0.1, "tol": 1e-8},
        rounds=15,
    ),
)
