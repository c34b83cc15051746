"""Intervals cover new rows as often as they say, with few rows a coefficient and with fewer rows than columns."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from mlwright import linear_model as lm
from mlwright._runtime import threads
from mlwright._validation import rows_for_fit
from mlwright.linear_model._sparse.tasks_left_out import tasks_left_out
from mlwright.linear_model._sparse.working_set import RowsProblem

CASES = [
    (lm.LinearRegression(), 30, 20, 20),
    (lm.Ridge(5.0), 60, 50, 50),
    (lm.Ridge(5.0), 50, 60, 60),
    (lm.Ridge(100.0), 60, 530, 530),
    (lm.RidgeCV([10.0, 100.0, 1000.0]), 50, 60, 60),
    (lm.RidgeCV([10.0, 100.0, 1000.0]), 60, 530, 530),
    (lm.Lasso(0.1), 60, 100, 3),
    (lm.Lasso(0.15), 80, 530, 3),
    (lm.MultiTaskLasso(0.3), 60, 40, 3),
    (lm.MultiTaskLasso(0.3), 80, 530, 3),
    (lm.MultiTaskElasticNet(0.3, l1_ratio=0.7), 80, 530, 3),
    (lm.HuberRegressor(), 30, 15, 15),
    (lm.QuantileRegressor(alpha=0.0), 60, 10, 10),
    (lm.SGDRegressor(random_state=0), 60, 20, 20),
    (lm.SGDRegressor(random_state=0, early_stopping=True, validation_fraction=0.3), 200, 5, 5),
]


def draw(rng, n, p, used, targets):
    X = rng.standard_normal((n + 100, p))
    b = np.zeros((p, targets))
    b[:used] = 2.0 * rng.standard_normal((used, targets)) / np.sqrt(used)
    Y = X @ b + rng.standard_normal((n + 100, targets))
    return X, Y if targets > 1 else Y[:, 0]


@pytest.mark.parametrize(
    ("model", "n", "p", "used"), CASES, ids=[f"{type(c[0]).__name__}-{c[1]}-{c[2]}" for c in CASES]
)
def test_coverage(model, n, p, used):
    rng, seen, targets = np.random.default_rng(0), [], 3 if "Task" in type(model).__name__ else 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(24):
            X, y = draw(rng, n, p, used, targets)
            low, high = np.moveaxis(clone(model).fit(X[:n], y[:n]).predict_interval(X[n:], 0.8), -1, 0)
            seen.append(np.mean((low <= y[n:]) & (y[n:] <= high)))
    assert 0.76 <= np.mean(seen) <= 0.87


def residuals_left_out(model, X, y):
    everything = np.arange(len(y))
    return np.array(
        [y[i] - clone(model).fit(X[everything != i], y[everything != i]).predict(X[[i]])[0] for i in everything]
    )


def wide(targets=0, n=40, p=520, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 1.0
    B = np.zeros((p, max(targets, 1)))
    B[:2] = rng.standard_normal((2, max(targets, 1))) + 2.0
    Y = X @ B + rng.standard_normal((n, max(targets, 1)))
    return X, Y if targets else Y[:, 0]


@pytest.mark.parametrize("intercept", [True, False])
def test_wide_ridge_leaves_rows_out_exactly(intercept):
    X, y = wide()
    model = lm.Ridge(30.0, fit_intercept=intercept)
    left = np.sort(residuals_left_out(model, X, y))
    middle = model.fit(X, y).predict(X[:1])[0]
    low, high = model.predict_interval(X[:1], coverage=0.9)[0]
    np.testing.assert_allclose([low - middle, high - middle], left[[1, -2]], rtol=1e-8)
    folds = lm.RidgeCV([30.0], fit_intercept=intercept, cv=2).fit(X, y)
    np.testing.assert_allclose(folds.predict_interval(X[:5]), model.predict_interval(X[:5]), rtol=1e-8)
    exact = model.predict_interval(X[:1], coverage=0.999)[0] - middle
    np.testing.assert_allclose(exact, left[[0, -1]], rtol=1e-8)
    np.testing.assert_allclose(lm.RidgeCV([30.0], fit_intercept=intercept).fit(X, y).predict_interval(X[:5]),
                               model.predict_interval(X[:5]), rtol=1e-8)  # fmt: skip


@pytest.mark.parametrize("intercept", [True, False])
def test_tasks_leave_rows_out(intercept):
    """By one Newton step, which the norms of the penalty bend a little; fitted residuals are far from there."""
    X, Y = wide(2, n=60, p=5)
    model = lm.MultiTaskElasticNet(0.1, l1_ratio=0.6, tol=1e-12, max_iter=100_000, fit_intercept=intercept)
    exact = residuals_left_out(model, X, Y)
    model.fit(X, Y)
    problem = RowsProblem.of(rows_for_fit(model, X, Y), intercept)
    left = tasks_left_out(problem, model.coef_, intercept, 0.1, 0.6)
    size = np.abs(exact).max()
    assert np.abs(left - exact).max() < 0.06 * size
    assert np.abs(Y - model.predict(X) - exact).max() > 0.1 * size


@pytest.mark.parametrize(
    "model", [lm.Ridge(30.0), lm.RidgeCV([30.0]), lm.Lasso(0.2, tol=1e-10), lm.MultiTaskLasso(0.3, tol=1e-10)], ids=repr
)
def test_a_weight_is_a_row_seen_so_often(model):
    X, y = wide(2 if isinstance(model, lm.MultiTaskLasso) else 0)
    often = np.arange(len(X)) % 3
    one = clone(model).fit(X, y, often).predict_interval(X[:3])
    other = clone(model).fit(X.repeat(often, axis=0), y.repeat(often, axis=0)).predict_interval(X[:3])
    np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("model", [lm.LinearRegression(), lm.Ridge(), lm.RidgeCV(), lm.MultiTaskLasso()], ids=repr)
def test_models_that_are_not_fitted_say_so(model):
    with pytest.raises(NotFittedError):
        clone(model).predict_interval([[1.0]])


@pytest.mark.parametrize(
    "model", [lm.Ridge(30.0), lm.RidgeCV([30.0]), lm.Lasso(0.2), lm.MultiTaskLasso(0.3), lm.HuberRegressor()], ids=repr
)
def test_same_bits_for_any_number_of_threads(model):
    X, y = wide(2 if isinstance(model, lm.MultiTaskLasso) else 0)
    X = X[:, :8] if isinstance(model, lm.HuberRegressor) else X
    found = set()
    for n_threads in (1, 2, 3, 8):
        with threads.limit(n_threads):
            found.add(clone(model).fit(X, y).predict_interval(X[:3]).tobytes())
    assert len(found) == 1


def test_a_perfect_fit_of_many_coefficients_says_nothing():
    X, y = wide(n=20, p=30)
    with pytest.raises(ValueError, match="fitted exactly by as many coefficients"):
        lm.HuberRegressor(alpha=0.0).fit(X, y).predict_interval(X)
    with pytest.raises(ValueError, match="no fewer coefficients than rows"):
        lm.QuantileRegressor(alpha=0.0).fit(X, y).predict_interval(X)
    with pytest.raises(ValueError, match="no degrees of freedom"):
        lm.Ridge(1e-12).fit(X, y).predict_interval(X)
