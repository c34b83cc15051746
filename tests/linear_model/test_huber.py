"""Huber regression: scikit-learn's objective, its optimality conditions, and the laws it obeys."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as peer
from sklearn.base import clone

from mlwright._native import core
from mlwright._runtime import simd
from mlwright.linear_model import HuberRegressor
from mlwright.linear_model._robust import huber
from mlwright.testing.linear_model import regressions


def objective(model, X, y, w, epsilon, alpha):
    w = np.ones(len(y)) if w is None else w
    size, sigma = np.abs(y - X @ model.coef_.astype(np.float64) - model.intercept_), model.scale_
    loss = np.where(size > epsilon * sigma, 2 * epsilon * size - epsilon**2 * sigma, size**2 / sigma)
    return (w * (sigma + loss)).sum() + alpha * (model.coef_**2).sum()


def table(n=500, p=4, outliers=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 2.0
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    far = rng.random(n) < outliers
    y[far] += 100.0 * X[far, 0]
    return X, y, rng.random(n) + 0.2


@given(regressions(min_rows=20, max_columns=5), st.sampled_from([1.1, 1.35, 3.0]), st.sampled_from([0.0, 1e-4, 1.0]))
def test_no_point_nearby_is_better(problem, epsilon, alpha):
    X, y, w = problem.X, problem.y, problem.w
    model = HuberRegressor(epsilon=epsilon, alpha=alpha).fit(X, y, w)
    best = objective(model, X, y, w, epsilon, alpha)
    assert model.objective_ == pytest.approx(best, rel=1e-7)
    if not np.ptp(y):
        return  # a perfect fit
    assert model.converged_
    assert model.kkt_violation_ <= 1e-5
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-2):
        for _ in range(5):
            moved = HuberRegressor()
            moved.coef_ = model.coef_ + size * rng.standard_normal(X.shape[1]) * np.abs(model.coef_).max()
            moved.intercept_ = model.intercept_ + size * rng.standard_normal() * model.scale_
            moved.scale_ = model.scale_ * np.exp(size * rng.standard_normal())
            assert objective(moved, X, y, w, epsilon, alpha) >= best * (1 - 1e-12)


@pytest.mark.parametrize("outliers", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("epsilon", [1.1, 1.35, 2.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_not_above_scikit_learn(outliers, epsilon, fit_intercept):
    X, y, w = table(outliers=outliers)
    settings = {"epsilon": epsilon, "alpha": 0.01, "fit_intercept": fit_intercept}
    ours = HuberRegressor(**settings).fit(X, y, w)
    theirs = peer.HuberRegressor(**settings, max_iter=10_000, tol=1e-9).fit(X, y, w)
    want = objective(theirs, X, y, w, epsilon, 0.01)
    assert objective(ours, X, y, w, epsilon, 0.01) <= want * (1 + 1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-3)
    assert ours.scale_ == pytest.approx(theirs.scale_, rel=1e-3)
    assert (ours.outliers_ == theirs.outliers_).mean() > 0.99


def test_a_weight_is_a_repetition():
    X, y, _ = table(60)
    w = np.random.default_rng(0).integers(0, 4, 60)
    weighted, repeated = HuberRegressor().fit(X, y, w), HuberRegressor().fit(X.repeat(w, axis=0), y.repeat(w))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-8)
    np.testing.assert_allclose(weighted.predict_interval(X), repeated.predict_interval(X), rtol=1e-7)
    assert weighted.objective_ == pytest.approx(repeated.objective_)


def test_equivariance_and_scales():
    X, y, w = table()
    base = HuberRegressor(alpha=0.0).fit(X, y, w)
    scale = np.array([1e-150, 1e-6, 1e6, 1e150])
    scaled = HuberRegressor(alpha=0.0).fit(X * scale, 1e-3 * y, w)
    np.testing.assert_allclose(scaled.coef_ * scale * 1e3, base.coef_, rtol=1e-7)
    assert scaled.scale_ * 1e3 == pytest.approx(base.scale_, rel=1e-7)
    shifted = HuberRegressor(alpha=0.0).fit(X, y + 3.0 * X[:, 1] + 7.0, w)
    np.testing.assert_allclose(shifted.coef_ - base.coef_, [0, 3, 0, 0], atol=1e-6)


def test_same_bits_for_any_thread_count_and_level():
    X, y, w = table(3000, 12)

    def bits():
        model = HuberRegressor().fit(X, y, w)
        return model.coef_.tobytes(), model.scale_, model.predict_interval(X).tobytes()

    want = bits()
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert bits() == want
    finally:
        core.runtime.set_num_threads(0)
    csr = sparse.csr_matrix(X)
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    np.testing.assert_allclose(HuberRegressor().fit(csr, y, w).coef_, HuberRegressor().fit(X, y, w).coef_, rtol=1e-8)


def test_warm_start_takes_fewer_steps():
    X, y, _ = table(2000)
    model = HuberRegressor(warm_start=True).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ < first
    with pytest.raises(ValueError, match=r"warm_start=True with 2 features, but the last fit had 4"):
        model.fit(X[:, :2], y)
    assert model.coef_.shape == (4,)


def test_intervals_cover():
    X, y, _ = table(4000, outliers=0.0)
    model = HuberRegressor().fit(X[:2000], y[:2000])
    for coverage in (0.5, 0.9):
        lower, upper = model.predict_interval(X[2000:], coverage).T
        assert np.mean((lower <= y[2000:]) & (y[2000:] <= upper)) == pytest.approx(coverage, abs=0.03)


def test_hard_input():
    rng = np.random.default_rng(0)
    line = rng.standard_normal((50, 2))
    y = line @ [2.0, -1.0] + 3.0
    y[:10] = 40.0
    exact = HuberRegressor(alpha=0.0).fit(line, y)  # most rows fit exactly
    np.testing.assert_allclose(exact.coef_, [2.0, -1.0], rtol=1e-6)
    assert exact.outliers_[:10].all()
    doubled = HuberRegressor().fit(np.column_stack([line, line[:, 0], np.ones(50)]), y + rng.standard_normal(50))
    assert np.isfinite(doubled.coef_).all()
    assert doubled.coef_[3] == 0.0
    assert HuberRegressor().fit([[1.0]], [2.0]).predict([[1.0]]) == pytest.approx(2.0)
    with pytest.warns(match="after 1 steps the gradient is"):
        HuberRegressor(max_iter=1).fit(*table()[:2])
    with pytest.raises(ValueError, match="NaN"):
        HuberRegressor().fit(line, np.where(np.arange(50) == 3, np.nan, y))


def test_frames_are_not_asked_for_their_names_twice():
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((50, 2)), columns=["a", "b"])
    model = HuberRegressor().fit(X, X["a"] + np.arange(50) % 2)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    assert model.outliers_.shape == (50,)


def wide_table(n=40, p=150):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.4)
    X[:, 3], X[1] = 2.0, X[0]
    y = X[:, :4] @ [1.0, -2.0, 3.0, 0.0] + rng.standard_normal(n)
    y[:4] += 30.0
    return X * np.geomspace(0.1, 10.0, p), y, rng.integers(0, 3, n).astype(float)


@pytest.mark.parametrize("alpha", [1e-4, 1.0, 300.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("units", [True, False])
def test_few_rows_in_their_own_coordinates(monkeypatch, alpha, fit_intercept, weighted, units):
    X, y, w = wide_table()
    X, w = X if units else X / np.geomspace(0.1, 10.0, 150), w if weighted else None
    model = HuberRegressor(alpha=alpha, fit_intercept=fit_intercept, max_iter=500)
    got = clone(model).fit(X, y, w)
    sparse_rows = clone(model).fit(sparse.csr_array(X), y, w)
    monkeypatch.setattr(huber, "is_wide", lambda problem: False)
    want = clone(model).fit(X, y, w)
    assert got.objective_ <= want.objective_ * (1 + 1e-9)
    atol = np.abs(want.coef_).max() * (1e-4 if alpha >= 1.0 else 1e-2)  # of next to no penalty, `tol` leaves some free
    for fit in (got, sparse_rows):
        np.testing.assert_allclose(fit.coef_, want.coef_, atol=atol)
        np.testing.assert_allclose(fit.predict(X), want.predict(X), rtol=1e-4, atol=1e-4)
        assert fit.scale_ == pytest.approx(want.scale_, rel=1e-4)
    assert got.coef_[3] == 0.0 or not fit_intercept


def test_a_warm_start_of_few_rows():
    X, y, _ = wide_table()
    model = HuberRegressor(alpha=300.0, warm_start=True, max_iter=500).fit(X, y)
    first, coef = model.n_iter_, model.coef_
    assert model.fit(X, y).n_iter_ < first
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-4, atol=1e-6 * np.abs(coef).max())
