"""``loo_predictions_`` of least squares and ridge: what fits without each row say."""

import numpy as np
import pytest
from scipy import sparse

import mlwright
from mlwright.linear_model import LinearRegression, Ridge


def table(n=40, p=5, targets=None, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-3, 4, p) + 5.0
    shape = (n,) if targets is None else (n, targets)
    return X, X[:, :1].ravel()[(slice(None),) + (None,) * (len(shape) - 1)] + rng.standard_normal(shape)


def one_by_one(model, X, y, w=None):
    out = []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        fitted = model.set_params(compute_loo=False).fit(X[rest], y[rest], None if w is None else w[rest])
        out.append(fitted.predict(X[i : i + 1])[0])
    return np.array(out)


@pytest.mark.parametrize("targets", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("model", [LinearRegression(), Ridge(alpha=3.0), Ridge(alpha=0.0)])
def test_equals_fits_without_each_row(model, fit_intercept, weighted, targets):
    X, y = table(targets=targets)
    w = np.random.default_rng(1).integers(0, 3, len(X)).astype(float) if weighted else None
    got = model.set_params(fit_intercept=fit_intercept, compute_loo=True).fit(X, y, w).loo_predictions_
    np.testing.assert_allclose(got, one_by_one(model, X, y, w), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, sparse.csc_array])
def test_more_columns_than_rows(form):
    X, y = table(n=10, p=520, targets=2)
    model = Ridge(alpha=[2.0, 500.0])
    got = model.set_params(compute_loo=True).fit(form(X), y).loo_predictions_
    np.testing.assert_allclose(got, one_by_one(model, X, y), rtol=1e-6, atol=1e-6)


def test_sparse_rows_states_and_files(tmp_path):
    X, y = table()
    dense = Ridge(compute_loo=True).fit(X, y)
    np.testing.assert_allclose(
        Ridge(compute_loo=True).fit(sparse.coo_array(X), y).loo_predictions_, dense.loo_predictions_
    )
    mlwright.save(dense, tmp_path / "r.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "r.mlw").loo_predictions_, dense.loo_predictions_)
    assert not hasattr(dense.partial_fit(X, y), "loo_predictions_")
    assert not hasattr(Ridge().fit(X, y), "loo_predictions_")


def test_refusals():
    X, y = table()
    alone = np.column_stack([X, np.arange(len(y)) == 7])
    for model, rows, message in [
        (LinearRegression(compute_loo=True), alone, "without row 7 the others"),
        (LinearRegression(compute_loo=True, positive=True), X, "no closed form with positive=True"),
        (LinearRegression(compute_loo=True), table(n=20, p=600)[0], "a least penalty of 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(rows, y[: len(rows)])
        assert not hasattr(model, "coef_")
