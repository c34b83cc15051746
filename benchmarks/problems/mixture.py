"""Mixtures of Gaussians: the same iterations from the same start."""

import numpy as np

from benchmarks.problem import Goal, Metric, Problem

#: Components of the data and of the fits.
K = 20


def clouds(quick: bool):
    """Overlapping clouds of different shapes, so that no responsibility is simply zero."""
    n, d, n_test = 5_000 if quick else 100_000, 10, 2_000
    rng = np.random.default_rng(0)
    of = rng.integers(0, K, n + n_test)
    turns = np.eye(d) + 0.3 * rng.standard_normal((K, d, d))
    X = np.einsum("nij,nj->ni", turns[of], rng.standard_normal((n + n_test, d)))
    X += 1.5 * rng.standard_normal((K, d))[of]
    y = np.zeros(n + n_test)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


EQUAL_MIXTURE = (
    Metric("lower bound", lambda model, rows: model.lower_bound_, rtol=1e-9),
    Metric("log density", lambda model, rows: model.score(rows["X_test"]), rtol=1e-8),
    Metric("iterations", lambda model, rows: float(model.n_iter_), rtol=0.0),
)


def problem(name: str, title: str) -> Problem:
    return Problem(
        name=name,
        title=f"{title}, full covariances, 100,000 x 10, {K} components, 20 iterations: fit",
        task=name,
        data=clouds,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_MIXTURE,
        goals={"sklearn": Goal(8, 30)},
        settings={
            "n_components": K, "max_iter": 20, "tol": 0.0, "init_params": "random_from_data", "random_state": 0,
        },
        rounds=3,
        warm_up=False,
    )  # fmt: skip


PROBLEMS = (
    problem("gaussian_mixture", "GaussianMixture"),
    problem("bayesian_gaussian_mixture", "BayesianGaussianMixture"),
)
