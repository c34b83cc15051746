"""The optimum is scikit-learn's or better, whatever the units of the columns, and every fit certifies itself."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse

from mlwright.linear_model import (
    GammaRegressor,
    GeneralizedLinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)


def table(n=300, p=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.uniform(-1, 1, p)
    return rng, X, X @ rng.standard_normal(p) / np.sqrt(p)


def log_loss(model, X, y, strength, w=None):
    """The sum of losses plus penalty at a fitted model's coefficients."""
    eta = X @ model.coef_.T + model.intercept_
    eta = np.column_stack([np.zeros(len(y)), eta]) if eta.shape[1] == 1 else eta
    loss = np.logaddexp.reduce(eta, axis=1) - eta[np.arange(len(y)), y]
    return np.average(loss, weights=w) * (len(y) if w is None else w.sum()) + strength / 2 * (model.coef_**2).sum()


@pytest.mark.parametrize("n_classes", [2, 3, 11])
@pytest.mark.parametrize("C", [0.01, 1.0, 1e4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_logistic(n_classes, C, fit_intercept):
    rng, X, _ = table(400, 5)
    y = (X @ rng.standard_normal((5, n_classes)) + rng.gumbel(size=(400, n_classes))).argmax(axis=1)
    ours = LogisticRegression(C=C, fit_intercept=fit_intercept).fit(X, y)
    theirs = peer.LogisticRegression(C=C, fit_intercept=fit_intercept, tol=1e-8, max_iter=10000).fit(X, y)
    least = log_loss(ours, X, y, 1 / C)
    assert least <= log_loss(theirs, X, y, 1 / C) * (1 + 1e-8)
    assert ours.converged_
    assert ours.kkt_violation_ <= ours.tol
    assert ours.objective_ == pytest.approx(least, rel=1e-10)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-4)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PoissonRegressor(alpha=0.1), peer.PoissonRegressor(alpha=0.1)),
        (GammaRegressor(alpha=0.1), peer.GammaRegressor(alpha=0.1)),
        (TweedieRegressor(power=1.5, alpha=0.0), peer.TweedieRegressor(power=1.5, alpha=0.0)),
        (TweedieRegressor(power=3.0, alpha=0.1), peer.TweedieRegressor(power=3.0, alpha=0.1)),
        (TweedieRegressor(power=0.0, alpha=1.0), peer.TweedieRegressor(power=0.0, alpha=1.0)),
        (TweedieRegressor(power=0.0, link="log", alpha=0.1), peer.TweedieRegressor(power=0.0, link="log", alpha=0.1)),
    ],
    ids=lambda model: f"{type(model).__name__}-{getattr(model, 'power', '')}",
)
def test_regressors(ours, theirs, weights):
    rng, X, eta = table()
    y = rng.gamma(2.0, np.exp(eta) / 2) + 1e-3
    w = rng.integers(1, 4, len(y)).astype(float) if weights else None
    ours.fit(X, y, sample_weight=w)
    theirs.set_params(tol=1e-10, max_iter=10000).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=2e-3, atol=1e-4)
    assert ours.score(X, y, w) == pytest.approx(theirs.score(X, y, w), abs=2e-6)  # of first order in the coefficients
    assert ours.converged_


@pytest.mark.parametrize("n_classes", [2, 3])
def test_wide_sparse_equals_dense(n_classes):
    rng = np.random.default_rng(0)
    X = sparse.random(400, 700, 0.03, format="csr", random_state=0)
    y = rng.integers(0, n_classes, 400)
    wide, dense = (LogisticRegression(C=0.5, tol=1e-7).fit(A, y) for A in (X, X.toarray()))
    np.testing.assert_allclose(wide.coef_, dense.coef_, atol=1e-6)
    np.testing.assert_allclose(wide.intercept_, dense.intercept_, atol=1e-6)
    large = X.copy()
    large.indices, large.indptr = large.indices.astype(np.int64), large.indptr.astype(np.int64)
    assert np.array_equal(LogisticRegression(C=0.5, tol=1e-7).fit(large, y).coef_, wide.coef_)


def test_weights_are_repetitions():
    rng, X, eta = table(200)
    y, w = (rng.random(200) < 1 / (1 + np.exp(-eta))).astype(int), rng.integers(0, 4, 200)
    weighted = LogisticRegression(tol=1e-8).fit(X, y, w)
    repeated = LogisticRegression(tol=1e-8).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1e6, 1e150])
def test_scale_of_columns_without_penalty(scale):
    rng, X, eta = table(200, 3)
    y = (rng.random(200) < 1 / (1 + np.exp(-eta))).astype(int)
    one, other = (LogisticRegression(C=np.inf).fit(A, y) for A in (X, X * scale))
    np.testing.assert_allclose(one.coef_, other.coef_ * scale, rtol=1e-4)


def test_a_subsample_first_leads_to_the_same_optimum():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60_000, 4))
    X[:, 3] = X[:, 3] > 3.2  # rare: not in the subsample's blocks, or hardly
    y = rng.poisson(np.exp(0.3 * X[:, 0] + X[:, 3])).astype(float)
    order = np.argsort(y)  # sorted by target, the worst order
    model, theirs = PoissonRegressor(alpha=1e-6, tol=1e-6), peer.PoissonRegressor(alpha=1e-6, tol=1e-9, max_iter=1000)
    model.fit(X[order], y[order])
    theirs.fit(X, y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-4)
    assert model.converged_


def test_starting_again_costs_little():
    rng, X, eta = table(500)
    y = (rng.random(500) < 1 / (1 + np.exp(-eta))).astype(int)
    model = LogisticRegression(warm_start=True).fit(X, y)
    cold = model.n_iter_[0]
    assert model.fit(X, y).n_iter_[0] < cold


@pytest.mark.parametrize("seed", [767, 852, 1081, 1196])
def test_steps_that_go_back_and_forth_over_the_optimum(seed):
    """Of rows whose curvature is nearly twice the expected one, by which full steps are that much too long."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((20, 1)), rng.wald(1.0, 2.0, 20)
    model = GeneralizedLinearRegressor("inverse_gaussian", link="log", fit_intercept=False).fit(X, y)
    mean = np.exp(X[:, 0] * model.coef_[0])
    slopes = X[:, 0] * (mean - y) / mean**2
    assert model.converged_
    assert np.max(model.n_iter_) <= 15
    assert abs(slopes.sum()) < 1e-3 * np.abs(slopes).sum()
