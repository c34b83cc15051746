"""Approximate leave-one-out of the lasso and the elastic net beside fits without each row."""

import numpy as np
import pytest
from scipy import sparse

import mlwright
from mlwright.linear_model import ElasticNet, ElasticNetCV, LassoCV


def table(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-1, 2, p) + 2.0
    return X, ((X - 2.0) / X.std(axis=0))[:, :4] @ [2.0, -1.0, 1.0, 0.5] + rng.standard_normal(n) + 5.0


def one_by_one(X, y, w, alpha, ratio, **settings):
    out = []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        model = ElasticNet(alpha, l1_ratio=ratio, tol=1e-10, max_iter=10_000, **settings)
        out.append(model.fit(X[rest], y[rest], None if w is None else w[rest]).predict(X[i : i + 1])[0])
    return np.array(out)


def rms(values):
    return np.sqrt(np.mean(values**2))


@pytest.mark.parametrize("ratio", [0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("settings", [{}, {"fit_intercept": False}, {"positive": True}])
def test_close_to_fits_without_each_row(ratio, weighted, settings):
    X, y = table(80, 10)
    w = np.random.default_rng(1).integers(0, 3, 80).astype(float) if weighted else None
    model = ElasticNetCV(l1_ratio=ratio, alphas=[0.1], cv="alo", tol=1e-10, max_iter=10_000, **settings).fit(X, y, w)
    exact = one_by_one(X, y, w, 0.1, ratio, **settings)
    error = model.loo_predictions_ - exact
    assert rms(error) < 0.2 * rms(exact - model.predict(X))
    assert 0.4 * np.abs(error).max() < model.alo_error_ <= 1.01 * np.abs(error).max()
    assert model.mse_path_.shape == (1, 1)


def test_a_column_of_one_row_is_a_constant_without_it():
    X, y = table(80, 6)
    X[:, 5] = 0.0
    X[7, 5], y[7] = 3.0, y[7] + 20.0
    model = LassoCV(alphas=[0.1], cv="alo", tol=1e-10, max_iter=10_000).fit(X, y)  # and no warning
    error = np.abs(model.loo_predictions_ - one_by_one(X, y, None, 0.1, 1.0))
    assert model.coef_[5] > 0.0
    assert model.alo_error_ == pytest.approx(error.max(), rel=1e-3)


@pytest.mark.parametrize("only", [None, 3])
def test_one_row_leaves_nothing_to_fit(only):
    X, y = table(80, 6)
    rows, w = (slice(0, 1), None) if only is None else (slice(None), np.eye(80)[only])
    with pytest.raises(ValueError, match="LassoCV: got 1 row that weighs something, expected at least 2 for cv='alo'"):
        LassoCV(cv="alo").fit(X[rows], y[rows], w)


def test_exact_where_the_support_stays():
    """Without an L2 penalty: what a row takes of the L1 penalty's weight is in the formula."""
    X, y = table(200, 4)
    model = LassoCV(alphas=[1e-3], cv="alo", tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(model.loo_predictions_, one_by_one(X, y, None, 1e-3, 1.0), rtol=1e-7)
    assert model.alo_error_ < 1e-6


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_more_columns_than_a_gram_matrix(form):
    X, y = table(60, 700)
    X /= X.std(axis=0)
    model = LassoCV(alphas=[0.5], cv="alo", tol=1e-9).fit(form(X), y)
    exact = one_by_one(X, y, None, 0.5, 1.0)
    assert rms(model.loo_predictions_ - exact) < 0.35 * rms(exact - model.predict(X))


def test_chooses_by_what_leaving_out_says(tmp_path):
    X, y = table(50, 8)
    grid = [1.0, 0.3, 0.05, 0.01]
    model = ElasticNetCV(l1_ratio=[0.5, 1.0], alphas=grid, cv="alo", tol=1e-9).fit(X, y)
    best = np.array([[np.mean((y - one_by_one(X, y, None, a, r)) ** 2) for a in grid] for r in (0.5, 1.0)])
    np.testing.assert_allclose(model.mse_path_[..., 0], best, rtol=0.03)
    assert model.mse_path_.shape == (2, 4, 1)
    assert LassoCV(cv="alo").fit(X, y).mse_path_.shape == (100, 1)
    mlwright.save(model, tmp_path / "m.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "m.mlw").loo_predictions_, model.loo_predictions_)
    assert not hasattr(model.set_params(cv=3).fit(X, y), "alo_error_")
