"""ARDRegression: scikit-learn's answers, and what it promises beyond them."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlwright.linear_model import ARDRegression, BayesianRidge
from mlwright.testing.linear_model import regressions

# Hypothesis may find rows whose columns are all dropped; that fits tell of it is tested below.
pytestmark = pytest.mark.filterwarnings("ignore:ARDRegression. every column was dropped:UserWarning")


def sparse_signal(n=200, p=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 1.0
    return X, X[:, :4] @ [3.0, -2.0, 1.0, 0.5] + 0.5 * rng.standard_normal(n)


def assert_same(ours, theirs, X, rtol):
    scale = np.abs(theirs.coef_).max(initial=1e-8)
    np.testing.assert_array_equal(ours.lambda_ < ours.threshold_lambda, theirs.lambda_ < theirs.threshold_lambda)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(ours.alpha_, theirs.alpha_, rtol=10 * rtol)
    np.testing.assert_allclose(ours.lambda_, theirs.lambda_, rtol=1e4 * rtol)
    np.testing.assert_allclose(ours.sigma_, theirs.sigma_, rtol=1e-4, atol=1e-6 * np.abs(theirs.sigma_).max(initial=0))
    np.testing.assert_allclose(ours.scores_, theirs.scores_, rtol=1e-7)
    for got, want in zip(ours.predict(X, return_std=True), theirs.predict(X, return_std=True), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e3 * rtol, atol=1e3 * rtol * np.abs(want).max())


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(200, 40), (600, 5), (60, 59)])
def test_scikit_learns_answer(n, p, fit_intercept):
    X, y = sparse_signal(n, p)
    settings = {"fit_intercept": fit_intercept, "compute_score": True}
    ours, theirs = (cls(**settings).fit(X, y) for cls in (ARDRegression, peer.ARDRegression))
    assert_same(ours, theirs, X, 1e-8)


@pytest.mark.filterwarnings("ignore:.*say more of the prior:UserWarning")
@given(regressions(min_rows=3), st.booleans(), st.sampled_from([1e4, 10.0]))
def test_scikit_learns_answer_on_made_up_problems(problem, fit_intercept, threshold):
    n, p = problem.X.shape
    settings = {"fit_intercept": fit_intercept, "threshold_lambda": threshold, "max_iter": 8, "tol": 0.0}
    ours = ARDRegression(**settings).fit(problem.X, problem.y)
    theirs = peer.ARDRegression(**settings).fit(problem.X, problem.y)
    well = n > p + 1 and np.linalg.cond(problem.X - problem.X.mean(axis=0)) < 1e4
    if not well or theirs.alpha_ > 1e6 * (theirs.lambda_.min() + 1.0):  # fitted exactly: rounding decides, in both
        assert np.isfinite(ours.coef_).all()
        assert np.isfinite(ours.predict(problem.X, return_std=True)[1]).all()
        return
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6 * max(np.abs(theirs.coef_).max(), 1e-8))
    np.testing.assert_allclose(ours.alpha_, theirs.alpha_, rtol=1e-5)


def inverse_root(A):
    """The inverse of the Cholesky factor, in the precision of A: LAPACK has none beyond double."""
    A, n = A.copy(), len(A)
    lower, inverse = np.zeros_like(A), np.eye(n, dtype=A.dtype)
    for j in range(n):
        column = A[j:, j] - lower[j:, :j] @ lower[j, :j]
        lower[j:, j] = column / np.sqrt(column[0])
    for i in range(n):
        inverse[i] = (inverse[i] - lower[i, :i] @ inverse[:i]) / lower[i, i]
    return inverse


def extended_precision(X, y, n_iter):
    """The iteration as scikit-learn's code has it, in long doubles: noise precision and precisions."""
    X, y = (a.astype(np.longdouble) - a.mean(axis=0, dtype=np.longdouble) for a in (X, y))
    n, p = X.shape
    alpha, lam, keep, small = 1 / (y.var() + np.finfo(float).eps), np.ones(p, np.longdouble), np.ones(p, bool), 2e-6
    for _ in range(n_iter):
        Z, kept = X[:, keep], lam[keep]
        if keep.sum() > n:
            root = inverse_root((Z / kept) @ Z.T + np.eye(n, dtype=np.longdouble) / alpha) @ (Z / kept)
            mean = root.T @ (inverse_root((Z / kept) @ Z.T + np.eye(n, dtype=np.longdouble) / alpha) @ y)
            variance = 1 / kept - (root * root).sum(axis=0)
        else:
            root = inverse_root(alpha * Z.T @ Z + np.diag(kept))
            mean, variance = alpha * (root.T @ (root @ (Z.T @ y))), (root * root).sum(axis=0)
        gamma = 1 - kept * variance
        lam[keep] = (gamma + small) / (mean * mean + small)
        alpha = (n - gamma.sum() + small) / (np.square(y - Z @ mean).sum() + small)
        keep = lam < 1e4
    return alpha, lam


def test_more_columns_than_rows_against_long_doubles():
    """scikit-learn's own covariance by Woodbury's identity loses digits here, and from 60 x 600 on all of them."""
    X, y = sparse_signal(60, 600)
    model = ARDRegression(max_iter=8, tol=0.0).fit(X, y)
    alpha, lam = extended_precision(X, y, 8)
    np.testing.assert_allclose(model.alpha_, float(alpha), rtol=1e-8)
    np.testing.assert_allclose(model.lambda_, lam.astype(float), rtol=1e-8)


def test_the_evidence_is_the_marginal_likelihood():
    X, y = sparse_signal(50, 12)
    model = ARDRegression(tol=1e-8).fit(X, y)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    prior = np.where(model._kept, 1.0 / model.lambda_, 0.0)
    want = stats.multivariate_normal.logpdf(yc, np.zeros(50), np.eye(50) / model.alpha_ + (Xc * prior) @ Xc.T)
    np.testing.assert_allclose(model.log_evidence_, want, rtol=1e-9)


def test_the_fixed_point_is_a_maximum_of_the_evidence():
    """With flat hyperpriors: no small change of any precision makes y more likely."""
    X, y = sparse_signal(80, 6)
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    model = ARDRegression(tol=1e-12, max_iter=3000, threshold_lambda=1e8, **flat).fit(X, y)
    Xc, yc = X - X.mean(axis=0), y - y.mean()

    def evidence(alpha, lam):
        covariance = np.eye(80) / alpha + (Xc[:, model._kept] / lam) @ Xc[:, model._kept].T
        return stats.multivariate_normal.logpdf(yc, np.zeros(80), covariance)

    lam = model.lambda_[model._kept]
    best = evidence(model.alpha_, lam)
    for j in range(len(lam)):
        for factor in (0.98, 1.02):
            changed = lam.copy()
            changed[j] *= factor
            assert evidence(model.alpha_, changed) <= best + 1e-9
    assert max(evidence(0.98 * model.alpha_, lam), evidence(1.02 * model.alpha_, lam)) <= best


def test_a_weight_is_a_repetition():
    X, y = sparse_signal(60, 8)
    w = np.random.default_rng(0).integers(1, 4, 60)
    weighted = ARDRegression(compute_loo=True).fit(X, y, w)
    repeated = ARDRegression(compute_loo=True).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    for name in ("coef_", "intercept_", "lambda_", "sigma_", "log_evidence_", "score_loo_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("cls", [ARDRegression, BayesianRidge])
@pytest.mark.parametrize("shape", [(60, 5), (30, 700)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_units_do_not_matter_where_that_is_asked_for(cls, shape, fit_intercept):
    X, y = sparse_signal(*shape)
    unit = 10.0 ** np.random.default_rng(0).integers(-3, 4, shape[1])
    settings = {"scale_invariant": True, "fit_intercept": fit_intercept}
    one, other = cls(**settings).fit(X, y), cls(**settings).fit(X * unit, 100.0 * y)
    for got, want in zip(other.predict(X * unit, return_std=True), one.predict(X, return_std=True), strict=True):
        np.testing.assert_allclose(got / 100.0, want, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(other.lambda_, one.lambda_, rtol=1e-6)
    assert other.log_evidence_ + len(y) * np.log(100.0) == pytest.approx(one.log_evidence_, rel=1e-8)
    draws = [model.sample_posterior(5, random_state=0)["coef"] for model in (one, other)]
    np.testing.assert_allclose(draws[1] * unit / 100.0, draws[0], rtol=1e-6, atol=1e-8)
    plain = cls(fit_intercept=fit_intercept).fit(X * unit, y)
    assert np.abs(plain.predict(X * unit) - one.predict(X)).max() > 1e-6


def test_draws_have_the_posterior_moments():
    X, y = sparse_signal(100, 6)
    model = ARDRegression().fit(X, y)
    draws = model.sample_posterior(40_000, random_state=0)
    kept = model._kept
    np.testing.assert_array_equal(draws["coef"][:, ~kept], 0.0)
    np.testing.assert_allclose(np.cov(draws["coef"][:, kept].T), model.sigma_, atol=0.03 * model.sigma_.max())


@pytest.mark.filterwarnings("ignore:.*say more of the prior:UserWarning")
def test_nothing_left_and_nothing_to_find():
    X, y = sparse_signal(30, 4)
    with pytest.warns(UserWarning, match="every column was dropped"):
        empty = ARDRegression(threshold_lambda=1e-9, compute_loo=True).fit(X, y)
    assert (empty.coef_ == 0.0).all()
    assert empty.sigma_.shape == (0, 0)
    np.testing.assert_allclose(empty.predict(X), y.mean())
    constant = ARDRegression().fit(np.ones((5, 2)), np.full(5, 3.0))
    np.testing.assert_allclose(constant.predict(np.ones((1, 2))), 3.0)
    one = ARDRegression().fit([[1.0, 2.0]], [3.0])
    np.testing.assert_allclose(one.predict([[1.0, 2.0]]), 3.0)


def test_columns_that_explain_y_and_are_all_dropped_are_told_of():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = 5.0 + 1e-3 * (X @ [1.0, 2.0, 3.0]) + 1e-6 * rng.standard_normal(200)
    with pytest.warns(UserWarning, match="every column was dropped"):
        model = ARDRegression().fit(X, y)
    assert not model.coef_.any()
    ends = ARDRegression(scale_invariant=True).fit(X, y).predict_interval(X, 0.9)
    assert 0.85 < ((ends[:, 0] < y) & (y < ends[:, 1])).mean() < 0.96
    noise = ARDRegression().fit(X, 5.0 + 1e-3 * rng.standard_normal(200))  # nothing to tell of
    assert not noise.coef_.any()
