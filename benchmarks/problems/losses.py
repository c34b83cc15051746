"""Several quantiles of one target, and losses of the user's against the same losses built in."""

import numpy as np

from benchmarks import metrics
from benchmarks.problem import Goal, Metric, Problem

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def heteroscedastic(quick: bool):
    rng = np.random.default_rng(0)
    n = 2_000 if quick else 50_000
    X = rng.normal(size=(2 * n, 20)).astype(np.float32)
    location = 2 * X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3]
    y = location + np.exp(0.5 * X[:, 4]) * rng.normal(size=2 * n)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def counts(quick: bool):
    """Targets of 500,000 rows that are good for squared error and for Poisson's."""
    rng = np.random.default_rng(0)
    n = 5_000 if quick else 500_000
    X = rng.normal(size=(n + 20_000, 20)).astype(np.float32)
    location = X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3]
    y = rng.poisson(np.exp(0.5 * location)).astype(np.float64)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def _own_loss(loss: str, called: str):
    return Problem(
        name=f"own_{loss}",
        title=f"{called} in Numba against the built-in one, 500,000 x 20, 100 trees of 31 leaves: fit",
        task="own_loss",
        data=counts,
        timed="fit",
        libraries=("mlwright", "mlwright_builtin"),
        metrics=(Metric("held-out R²", metrics.r2, atol=1e-9),),
        goals={"mlwright_builtin": Goal(1 / 1.15, 1 / 1.02)},
        settings={"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1, "loss": loss},
    )


PROBLEMS = (
    Problem(
        name="quantiles",
        title="5 quantiles, 50,000 x 20, 100 trees of 31 leaves: fit",
        task="quantile_regressor",
        data=heteroscedastic,
        timed="fit",
        libraries=("mlwright", "xgboost"),
        metrics=(
            Metric("held-out mean pinball loss", metrics.mean_pinball_loss(LEVELS), rtol=1e-3, may_be_lower=True),
        ),
        goals={"xgboost": Goal(2, 5)},
        settings={"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1, "quantiles": LEVELS},
    ),
    _own_loss("squared_error", "Squared error"),
    _own_loss("poisson", "Poisson loss"),
)
