"""R-hat and effective sample sizes of many columns of chains."""

import numpy as np

from benchmarks.problem import Goal, Metric, Problem


def autocorrelated(quick: bool):
    """Chains that remember: of 4 x 1,000 draws, a column each."""
    columns = 200 if quick else 10_000
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 1_000, columns))
    memory = rng.uniform(0.0, 0.9, size=columns)
    for i in range(1, X.shape[1]):
        X[:, i] += memory * X[:, i - 1]
    return {"X": X, "y": np.zeros(4)}


def _sum_of(name: str):
    return lambda model, data: float(np.sum(model.told[name]))


def _extreme_of(name: str, of):
    return lambda model, data: float(of(model.told[name]))


# Every column enters each sum; the extremes hold single columns to the same digits.
EQUAL_NUMBERS = tuple(
    metric
    for name in ("rhat", "ess_bulk", "ess_tail")
    for metric in (
        Metric(f"sum of {name}", _sum_of(name), rtol=1e-10),
        Metric(f"largest {name}", _extreme_of(name, np.max), rtol=1e-10),
        Metric(f"smallest {name}", _extreme_of(name, np.min), rtol=1e-10),
    )
)

PROBLEMS = (
    Problem(
        name="diagnostics",
        title="R-hat, bulk and tail ESS of 4 x 1,000 x 10,000 draws",
        task="diagnostics",
        data=autocorrelated,
        timed="fit",
        libraries=("mlwright", "arviz"),
        metrics=EQUAL_NUMBERS,
        goals={"arviz": Goal(20, 100)},
        rounds=3,
        warm_up=False,
    ),
)
