"""The same answers as scikit-learn, on problems that hypothesis makes up."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mlwright.linear_model import BayesianRidge, LinearRegression, Ridge
from mlwright.testing.linear_model import regressions

RTOL = {"float64": 1e-8, "float32": 2e-3}


def assert_close(got, want, rtol, scale=None):
    size = np.abs(want).max(initial=0.0) if scale is None else scale
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * max(size, 1e-8))


@given(regressions(targets=(0, 1, 3), dtypes=("float64", "float32")), st.booleans())
def test_linear_regression(problem, fit_intercept):
    ours = LinearRegression(fit_intercept=fit_intercept).fit(problem.X, problem.y, problem.w)
    theirs = peer.LinearRegression(fit_intercept=fit_intercept).fit(problem.X.astype(np.float64), problem.y, problem.w)
    rtol = RTOL[problem.X.dtype.name]
    assert ours.coef_.dtype == problem.X.dtype
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    assert ours.singular_.shape == theirs.singular_.shape
    if problem.X.dtype == np.float64:
        noise = 1e-13 * np.abs(problem.X).max() * np.sqrt(len(problem.X))  # their constant columns, after centring
        if theirs.singular_[0] > noise:
            assert ours.rank_ == theirs.rank_
        atol = noise + 1e-6 * theirs.singular_[0]
        np.testing.assert_allclose(ours.singular_, theirs.singular_, rtol=1e-6, atol=atol)
    assert_close(ours.coef_, theirs.coef_, rtol)
    assert_close(ours.predict(problem.X), theirs.predict(problem.X), rtol)


@given(regressions(targets=(0, 1, 3), dtypes=("float64", "float32")), st.booleans(), st.floats(1e-3, 1e3))
def test_ridge(problem, fit_intercept, alpha):
    ours = Ridge(alpha, fit_intercept=fit_intercept).fit(problem.X, problem.y, problem.w)
    theirs = peer.Ridge(alpha, fit_intercept=fit_intercept, solver="svd").fit(
        problem.X.astype(np.float64), problem.y, problem.w
    )
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    assert_close(ours.coef_, theirs.coef_, RTOL[problem.X.dtype.name])
    assert_close(ours.predict(problem.X), theirs.predict(problem.X), RTOL[problem.X.dtype.name])


@given(regressions(targets=(3,)), st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_ridge_with_a_penalty_for_each_target(problem, alpha):
    ours, theirs = Ridge(alpha).fit(problem.X, problem.y), peer.Ridge(alpha).fit(problem.X, problem.y)
    assert_close(ours.coef_, theirs.coef_, 1e-7)


@pytest.mark.filterwarnings("ignore:.*say more of the prior:UserWarning")
@given(regressions(min_rows=2), st.booleans())
def test_bayesian_ridge(problem, fit_intercept):
    settings = {"fit_intercept": fit_intercept, "compute_score": True}
    ours = BayesianRidge(**settings).fit(problem.X, problem.y, problem.w)
    theirs = peer.BayesianRidge(**settings).fit(problem.X, problem.y, problem.w)
    if theirs.alpha_ > 1e8:  # y is fitted exactly: what is left of it is rounding, theirs and ours
        assert np.isfinite([*ours.coef_, ours.intercept_, ours.alpha_, ours.lambda_, *ours.scores_]).all()
        assert_close(ours.predict(problem.X), theirs.predict(problem.X), 1e-4)
        return
    assert_close(ours.coef_, theirs.coef_, 1e-6)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose([ours.alpha_, ours.lambda_], [theirs.alpha_, theirs.lambda_], rtol=1e-6)
    # Theirs puts the coefficients of the iteration before into the last score.
    np.testing.assert_allclose(ours.scores_[:-1], theirs.scores_[:-1], rtol=1e-8)
    assert_close(ours.sigma_, theirs.sigma_, 1e-6)
    (mean, deviation), (want, want_deviation) = (m.predict(problem.X, return_std=True) for m in (ours, theirs))
    assert_close(mean, want, 1e-6)
    assert_close(deviation, want_deviation, 1e-6)


@pytest.mark.filterwarnings("ignore:.*say more of the prior:UserWarning")
@pytest.mark.parametrize(("n", "p"), [(30, 700), (1, 3), (2, 600)])
def test_more_columns_than_rows(n, p):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, p)) + 2.0
    y, w = X[:, 0] + rng.standard_normal(n), rng.random(n) + 0.5
    for ours, theirs in [
        (LinearRegression(), peer.LinearRegression()),
        (Ridge(0.7), peer.Ridge(0.7)),
        (BayesianRidge(), peer.BayesianRidge()),
    ]:
        ours.fit(X, y, w), theirs.fit(X, y, w)
        assert_close(ours.coef_, theirs.coef_, 1e-8)
        assert_close(ours.predict(X), theirs.predict(X), 1e-8)
    assert_close(BayesianRidge().fit(X, y).sigma_, peer.BayesianRidge().fit(X, y).sigma_, 1e-7)


@given(regressions(targets=(0, 2)), st.sampled_from(["csr", "csc", "coo"]), st.sampled_from([np.int32, np.int64]))
def test_sparse_equals_dense(problem, container, index):
    X = np.where(np.abs(problem.X) > np.median(np.abs(problem.X)), problem.X, 0.0)
    matrix = sparse.coo_array(X).asformat(container)
    for name in ("indices", "indptr"):
        if hasattr(matrix, name):
            setattr(matrix, name, getattr(matrix, name).astype(index))
    for model in (LinearRegression, Ridge):
        dense, thin = model().fit(X, problem.y, problem.w), model().fit(matrix, problem.y, problem.w)
        assert_close(thin.coef_, dense.coef_, 1e-9)
        assert_close(thin.predict(matrix), dense.predict(X), 1e-9)


def test_the_iterative_route_for_many_sparse_columns():
    X = sparse.random_array((600, 900), density=0.01, rng=np.random.default_rng(0), format="csr")
    y = np.asarray(X.sum(axis=1)).ravel() + np.random.default_rng(1).standard_normal(600)
    ours, theirs = Ridge(0.5).fit(X, y), peer.Ridge(0.5, solver="svd").fit(X.toarray(), y)
    assert_close(ours.coef_, theirs.coef_, 1e-8)
    tall = sparse.random_array((700, 900), density=0.004, rng=np.random.default_rng(2), format="csc")
    target = np.random.default_rng(3).standard_normal(700)
    iterated = Ridge(0.5).fit(tall, target)
    assert iterated.solver_ == "lsqr"
    residual = target - iterated.predict(tall)
    centred = np.asarray(tall.T @ residual).ravel() - np.asarray(tall.mean(axis=0)).ravel() * residual.sum()
    np.testing.assert_allclose(centred, 0.5 * iterated.coef_, atol=1e-8)
