"""Bayesian ridge regression (evidence maximisation), n > p and p > n; a precision for every coefficient."""

import numpy as np

from benchmarks import data, draws, metrics
from benchmarks.problem import Goal, Metric, Problem


def tall(quick: bool):
    return data.linear(5_000 if quick else 100_000, 200)


def relevant(quick: bool):
    """One column in five matters."""
    rows = data.linear(1_000 if quick else 10_000, 50 if quick else 500)
    rng = np.random.default_rng(1)
    w = np.where(np.arange(rows["X"].shape[1]) % 5 == 0, rng.standard_normal(rows["X"].shape[1]), 0.0)
    for part in ("", "_test"):
        rows["y" + part] = rows["X" + part] @ w + 3.0 + rng.standard_normal(len(rows["X" + part]))
    return rows


def wide(quick: bool):
    return data.factors(100 if quick else 500, 500 if quick else 5_000)


def _standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def classes(quick: bool):
    """Columns of mean 0 and variance 1, so that every library's priors are about the same coefficients."""
    rng = np.random.default_rng(0)
    n = 1_000 if quick else 10_000
    X = _standardised(rng.standard_normal((n, 50)) + rng.standard_normal((n, 1)))
    eta = X @ (rng.standard_normal(50) / 7.0) + 0.3
    return {"X": X, "y": (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)}


def few_signals(quick: bool):
    """Of many more columns than rows, twenty matter."""
    rng = np.random.default_rng(0)
    n, p = (100, 200) if quick else (500, 2_000)
    X = _standardised(rng.standard_normal((n, p)))
    y = X[:, :20] @ (rng.choice([-1.0, 1.0], 20) * rng.uniform(1.0, 3.0, 20)) + rng.standard_normal(n)
    return {"X": X, "y": _standardised(y)}


EQUAL_DRAWS = (
    Metric("posterior means by their deviations", draws.scaled_norm_of_means, rtol=0.01),
    Metric("mean posterior deviation", draws.mean_deviation, rtol=0.02),
    Metric("R-hat", draws.worst_rhat, atol=0.02, may_be_lower=True),
)
# A peer's chains mix slowly here: its means are known to few digits.
ROUGHLY_EQUAL_DRAWS = (
    Metric("posterior means by their deviations", draws.scaled_norm_of_means, rtol=0.05),
    Metric("mean posterior deviation", draws.mean_deviation, rtol=0.1),
    Metric("R-hat", draws.worst_rhat, atol=0.02, may_be_lower=True),
)

# Both iterate to the fixed point of the evidence; with a tight tolerance they must land on the same one.
EQUAL_POSTERIOR = (
    Metric("noise precision", metrics.noise_precision, rtol=1e-4),
    Metric("weight precision", metrics.weight_precision, rtol=1e-4),
    Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-4),
    Metric("R2", metrics.r2, atol=1e-5),
    Metric("mean predictive deviation", metrics.mean_predictive_deviation, rtol=1e-4),
)

EQUAL_RELEVANCE = (
    Metric("noise precision", metrics.noise_precision, rtol=1e-6),
    Metric("columns kept", lambda model, rows: float(np.count_nonzero(model.coef_)), rtol=0.0),
    Metric("norm of coefficients", metrics.coefficient_norm, rtol=1e-6),
    Metric("R2", metrics.r2, atol=1e-8),
    Metric("mean predictive deviation", metrics.mean_predictive_deviation, rtol=1e-6),
)


def _posterior(name, title, data, metrics, goals, settings, *, rounds=3, warm_up=False) -> Problem:
    return Problem(
        name=name,
        title=title,
        task=name,
        data=data,
        timed="fit",
        per=draws.effective_draws,
        libraries=("mlwright", *goals),
        metrics=metrics,
        goals=goals,
        settings=settings,
        rounds=rounds,
        warm_up=warm_up,
    )


PROBLEMS = (
    Problem(
        name="bayesian_ridge_tall",
        title="BayesianRidge, 100,000 x 200: fit",
        task="bayesian_ridge",
        data=tall,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_POSTERIOR,
        goals={"sklearn": Goal(8, 20)},
        settings={"tol": 1e-6},
    ),
    Problem(
        name="bayesian_ridge_wide",
        title="BayesianRidge, 500 x 5,000: fit",
        task="bayesian_ridge",
        data=wide,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_POSTERIOR,
        goals={"sklearn": Goal(50, 200)},
        settings={"tol": 1e-6},
    ),
    Problem(
        name="ard",
        title="ARDRegression, 10,000 x 500: fit",
        task="ard",
        data=relevant,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=EQUAL_RELEVANCE,
        goals={"sklearn": Goal(10, 40)},
        rounds=3,
    ),
    _posterior(
        "logistic_posterior",
        "Logistic posterior, 10,000 x 50, four chains: time of an effective draw, compiled before",
        classes,
        EQUAL_DRAWS,
        {"numpyro": Goal(8, 50), "blackjax": Goal(8, 50)},
        {"scale": 2.5, "chains": 4, "warm_up": 500, "draws": 1000},
        warm_up=True,
    ),
    _posterior(
        "logistic_posterior_cold",
        "Logistic posterior, 10,000 x 50, four chains: time of an effective draw, from starting Python on",
        classes,
        EQUAL_DRAWS,
        {"numpyro": Goal(20, 200), "blackjax": Goal(20, 200)},
        {"scale": 2.5, "chains": 4, "warm_up": 500, "draws": 1000},
        rounds=1,
    ),
    _posterior(
        "horseshoe_posterior",
        "Horseshoe regression, 500 x 2,000, four chains: time of an effective draw",
        few_signals,
        ROUGHLY_EQUAL_DRAWS,
        {"numpyro": Goal(30, 500)},
        {"scale": 0.001, "chains": 4, "warm_up": 300, "draws": 300},
        rounds=1,
    ),
)
