"""Gaussian processes: exact ones of a few thousand rows, a long series, and very many rows by an approximation."""

import numpy as np
from scipy.optimize import minimize
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from benchmarks.problem import Goal, Metric, Problem


def split(X, y, n_test):
    return {"X": X[:-n_test], "y": y[:-n_test], "X_test": X[-n_test:], "y_test": y[-n_test:]}


def surface(n):
    """A smooth function of four columns, with noise."""

    def make(quick: bool):
        rows, rng = 300 if quick else n, np.random.default_rng(0)
        X = rng.uniform(0.0, 1.0, (rows + 500, 4))
        y = np.sin(5.0 * X[:, 0]) + np.cos(3.0 * X[:, 1] * X[:, 2]) + X[:, 3] ** 2
        return split(X, y + 0.1 * rng.standard_normal(len(X)), 500)

    return make


def series(quick: bool):
    n, rng = 500 if quick else 10_000, np.random.default_rng(1)
    t = rng.uniform(0.0, 0.05 * n, n + 1000)
    y = np.sin(t) + 0.5 * np.sin(0.37 * t + 1.0) + 0.2 * rng.standard_normal(len(t))
    return split(t[:, None], y, 1000)


def field(quick: bool):
    """A process of two columns with a Matern 3/2 covariance, drawn by 2000 waves, with noise of deviation 0.3."""
    n, rng = 2_000 if quick else 100_000, np.random.default_rng(2)
    X = rng.uniform(0.0, 50.0 if not quick else 7.0, (n + 2000, 2))
    waves = rng.standard_normal((2000, 2)) / np.sqrt(rng.chisquare(3, 2000) / 3.0)[:, None]
    phases, y = rng.uniform(0.0, 2.0 * np.pi, 2000), np.empty(len(X))
    for begin in range(0, len(X), 2000):
        block = slice(begin, begin + 2000)
        y[block] = np.sqrt(2.0 / 2000) * np.cos(X[block] @ waves.T + phases).sum(axis=1)
    return split(X, y + 0.3 * rng.standard_normal(len(X)), 2000)


def few_steps(objective, start, bounds):
    """The same search as by default, ended after two steps: all of it takes scikit-learn minutes at 5000 rows."""
    found = minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 2})
    return found.x, found.fun


def likelihood(model, rows):
    return float(model.log_marginal_likelihood_value_)


def error(model, rows):
    return float(np.sqrt(np.mean((np.ravel(model.predict(rows["X_test"])) - rows["y_test"]) ** 2)))


def surprise(model, rows):
    """Mean of minus the log densities of rows held out."""
    mean, deviation = model.predict(rows["X_test"], return_std=True)
    z = (rows["y_test"] - mean) / deviation
    return float(np.mean(0.5 * z * z + np.log(deviation) + 0.5 * np.log(2.0 * np.pi)))


EQUAL_PROCESS = (
    Metric("log marginal likelihood", likelihood, rtol=1e-6),
    Metric("RMSE held out", error, rtol=1e-4),
    Metric("minus log density held out", surprise, rtol=1e-4),
)
# Orders and neighbours differ between two approximations: neither is to be worse.
AS_GOOD_PROCESS = (
    Metric("RMSE held out", error, rtol=2e-3, may_be_lower=True),
    Metric("minus log density held out", surprise, rtol=5e-3, may_be_lower=True),
)
BY_COLUMN = ConstantKernel(1.0) * Matern([1.0, 1.0, 1.0, 1.0], nu=2.5) + WhiteKernel(0.1)
SERIES = ConstantKernel(1.0) * Matern(1.0, nu=1.5) + WhiteKernel(0.1)


def exact(name, title, data, settings, goal):
    return Problem(
        name=name,
        title=f"Gaussian process, {title}",
        task="gaussian_process",
        data=data,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_PROCESS,
        goals={"sklearn": goal},
        settings=settings,
        rounds=3,
        warm_up=False,
    )


PROBLEMS = (
    exact("gp", "2,000 x 4, Matern 5/2 by column, optimised: fit", surface(2_000), {"kernel": BY_COLUMN}, Goal(3, 8)),
    exact(
        "gp_5000",
        "5,000 x 4, Matern 5/2 by column, two steps of the search: fit",
        surface(5_000),
        {"kernel": BY_COLUMN, "optimizer": few_steps},
        Goal(3, 8),
    ),
    # The gradient of 10,000 rows takes scikit-learn matrices of 20 GB: both keep the hyperparameters.
    exact(
        "gp_series",
        "a series of 10,000, Matern 3/2, hyperparameters given: fit",
        series,
        {"kernel": SERIES, "optimizer": None},
        Goal(300, 5000),
    ),
    Problem(
        name="gp_vecchia",
        title="Gaussian process by 20 neighbours (Vecchia), 100,000 x 2, Matern 3/2, optimised: fit",
        task="gaussian_process_by_neighbours",
        data=field,
        timed="fit",
        libraries=("mlwright", "gpboost"),
        metrics=AS_GOOD_PROCESS,
        goals={"gpboost": Goal(2, 20)},
        settings={"n_neighbors": 20, "kernel": SERIES},
        rounds=3,
        warm_up=False,
    ),
)
