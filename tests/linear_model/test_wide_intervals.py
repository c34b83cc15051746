"""Intervals of fits that keep no sums: by residuals of rows left out, whichever route made the fit."""

import numpy as np
import pytest

from mlwright.linear_model import MultiTaskLasso, PenalizedRegression, Ridge, RidgeCV, _base
from mlwright.linear_model._residual_law import residual_levels


def wide(n=24, p=520, t=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 1.0
    return X, X[:, :t] * 3 + rng.standard_normal((n, t)), rng.integers(0, 4, n).astype(float)


def residuals_left_out(model, X, Y, w):
    """By fits without one repetition of each row that has a weight."""
    out = np.empty_like(Y)
    for i in np.flatnonzero(w):
        less = w - np.minimum(w, 1.0) * (np.arange(len(w)) == i)
        fit = Ridge(**model.get_params()).fit(X, Y, less)
        out[i] = (Y - fit.predict(X))[i]
    return out


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("solver", ["auto", "svd"])
@pytest.mark.parametrize("alpha", [0.0, 30.0, [1e-9, 5.0]])
def test_ridge(solver, alpha, weighted, fit_intercept):
    X, Y, w = wide()
    w = w if weighted else np.ones(len(Y))
    model = Ridge(alpha=alpha, solver=solver, fit_intercept=fit_intercept).fit(X, Y, w)
    left = residuals_left_out(model, X, Y, w)
    levels = np.array([residual_levels(one[w > 0], w[w > 0]) for one in left.T])
    np.testing.assert_allclose(model._left_out_levels, levels, rtol=1e-5, atol=1e-6)
    interval = model.predict_interval(X, coverage=0.8)
    assert np.isfinite(interval).all()
    assert (interval[..., 0] < interval[..., 1]).all()


def test_rows_that_rows_tell():
    """Equal rows: coefficients cannot meet them all, even without a penalty."""
    X, Y, _ = wide(12)
    X, Y = np.vstack([X, X[:4]]), np.vstack([Y, Y[:4] + 1.0])
    model = Ridge(alpha=0.0, solver="svd").fit(X, Y)
    left = residuals_left_out(model, X, Y, np.ones(16))
    levels = np.array([residual_levels(one) for one in left.T])
    np.testing.assert_allclose(model._left_out_levels, levels, rtol=1e-5, atol=1e-6)


def test_too_many_columns_for_sums(monkeypatch):
    """Beyond 2048 columns, here 30, sums are not kept: the error says what to do, and that does."""
    monkeypatch.setattr(_base, "MOST_KEPT", 30)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((250, 40))
    y = X[:, 0] + rng.standard_normal(250)
    with pytest.raises(ValueError, match="fit with compute_loo=True"):
        Ridge(alpha=10.0).fit(X, y).predict_interval(X)
    model = Ridge(alpha=10.0, compute_loo=True).fit(X, y)
    interval = model.predict_interval(X[:5], coverage=0.8)
    lower = interval[0, 0] - model.predict(X[:1])[0]
    assert (y - model.loo_predictions_ > lower).mean() == pytest.approx(0.9, abs=0.01)
    assert "_left_out_levels" not in vars(model.set_params(compute_loo=False).fit(X[:, :20], y))


def test_too_many_tasks():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((40, 600)), rng.standard_normal((40, 130))
    model = MultiTaskLasso(alpha=0.05, tol=0.05).fit(X, Y)
    with pytest.raises(ValueError, match=r"Hessian of all \d+ coefficients .* more than the 4096"):
        model.predict_interval(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_penalties_at_the_ends_of_float64():
    X, Y, _ = wide(40, 6)
    assert not PenalizedRegression("scad", alpha=1e300).fit(X, Y[:, 0]).coef_.any()
    assert np.isfinite(PenalizedRegression("group_lasso", alpha=5e-324).fit(X, Y[:, 0]).coef_).all()
    assert np.isfinite(MultiTaskLasso(alpha=5e-324).fit(X, Y).coef_).all()


@pytest.mark.parametrize("cls", [Ridge, RidgeCV])
@pytest.mark.parametrize(("of_x", "of_y"), [(-498, 0), (0, 498), (-498, 498), (498, -490), (400, -400)])
def test_units(cls, of_x, of_y):
    """Powers of two change no digit, whatever the squares of X, of y and of their ratio would be."""
    X, Y, w = wide()
    alphas, square = np.array([0.5, 5.0]), 2.0 ** (2 * of_x)

    def fit(alphas, X, Y):
        model = Ridge(alpha=alphas) if cls is Ridge else RidgeCV(alphas=alphas)
        return model.fit(X, Y, w)

    plain, scaled = fit(alphas, X, Y), fit(alphas * square, np.ldexp(X, of_x), np.ldexp(Y, of_y))
    np.testing.assert_allclose(np.ldexp(scaled.predict(np.ldexp(X, of_x)), -of_y), plain.predict(X), rtol=1e-9)
    interval = np.ldexp(scaled.predict_interval(np.ldexp(X, of_x)), -of_y)
    np.testing.assert_allclose(interval, plain.predict_interval(X), rtol=1e-9)
    assert scaled.converged_
