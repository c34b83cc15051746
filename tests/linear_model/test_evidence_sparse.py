"""Sparse rows of BayesianRidge and ARDRegression: the answers of dense ones, on every route."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from mlwright._validation import rows_for_fit
from mlwright.linear_model import ARDRegression, BayesianRidge
from mlwright.linear_model._evidence.columns import CentredColumns
from mlwright.linear_model._evidence.relevance import RowSystem

MODELS = [
    BayesianRidge(),
    BayesianRidge(fit_intercept=False, scale_invariant=True),
    ARDRegression(),
    ARDRegression(fit_intercept=False, scale_invariant=True),
]
SHAPES = [(200, 12), (60, 12), (40, 90), (50, 600), (640, 600)]  # by columns' Gram matrices and by rows'


def problem(n, p, seed=0, density=0.2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
    X[:, 3] = 0.0
    y = X[:, :4] @ [3.0, -2.0, 1.0, 5.0] + 4.0 + 0.3 * rng.standard_normal(n)
    return X, y, rng.integers(0, 3, n).astype(float)


def of_format(X, make, index=np.int32, dtype=np.float64):
    S = make(X.astype(dtype))
    if S.format != "coo":
        S.indices, S.indptr = S.indices.astype(index), S.indptr.astype(index)
    return S


def assert_same(got, want, X, S, rtol=1e-7):
    size = np.abs(want.coef_).max()
    np.testing.assert_allclose(got.coef_, want.coef_, rtol=rtol, atol=rtol * size)
    np.testing.assert_allclose(got.intercept_, want.intercept_, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(got.alpha_, want.alpha_, rtol=rtol)
    np.testing.assert_allclose(got.log_evidence_, want.log_evidence_, rtol=rtol)
    np.testing.assert_allclose(got.sigma_, want.sigma_, rtol=1e-5, atol=1e-5 * np.abs(want.sigma_).max())
    np.testing.assert_allclose(got.predict(S), want.predict(X), rtol=rtol, atol=rtol)
    for rows in (X, S):
        np.testing.assert_allclose(
            got.predict(rows, return_std=True)[1], want.predict(X, return_std=True)[1], rtol=1e-6
        )
        np.testing.assert_allclose(got.predict_interval(rows), want.predict_interval(X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_as_dense(model, shape, weighted):
    X, y, w = problem(*shape)
    w = w if weighted else None
    settings = {"tol": 1e-8, "max_iter": 1000, "compute_loo": True}
    want = type(model)(**{**model.get_params(), **settings}).fit(X, y, w)
    S = of_format(X, sparse.csr_array)
    got = type(model)(**{**model.get_params(), **settings}).fit(S, y, w)
    assert_same(got, want, X, S)
    if shape[0] < shape[1]:  # rows are fitted exactly, and what they say of others is what rounding leaves
        return
    np.testing.assert_allclose(got.loo_log_density_, want.loo_log_density_, rtol=1e-6, atol=1e-6)
    a, b = (m.sample_predictive(rows[:5], 4000, random_state=0) for m, rows in ((got, S), (want, X)))
    np.testing.assert_allclose(np.median(a, axis=0), np.median(b, axis=0), atol=0.1)
    np.testing.assert_allclose(a.std(axis=0), b.std(axis=0), rtol=0.1)


@pytest.mark.parametrize("cls", [BayesianRidge, ARDRegression])
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_formats_indices_and_single_precision(cls, make, shape):
    X, y, _ = problem(*shape)
    want = cls().fit(X, y)
    for index in (np.int32, np.int64):
        S = of_format(X, make, index)
        assert_same(cls().fit(S, y), want, X, S)
    single = cls().fit(of_format(X, make, dtype=np.float32), y)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, want.coef_, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("cls", [BayesianRidge, ARDRegression])
def test_streams_of_sparse_rows(cls):
    X, y, w = problem(300, 10)
    S = sparse.csr_array(X)
    whole = cls(tol=1e-9).fit(X, y, w)
    parts = cls(tol=1e-9).partial_fit(S[:100], y[:100], w[:100]).partial_fit(X[100:200], y[100:200], w[100:200])
    parts.merge(cls(tol=1e-9).fit(S[200:], y[200:], w[200:]))
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6, atol=1e-8)


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_wide_rows_stay_sparse():
    """400,000 columns of 30 rows are 96 MB as doubles: what is dense at a time is a part of them, or an answer."""
    rng = np.random.default_rng(0)
    n, p = 30, 400_000
    S = sparse.random_array((n, p), density=1e-4, rng=rng, format="csr")
    y = rng.standard_normal(n)
    rows = rows_for_fit(ARDRegression(), S, y)
    mean = np.asarray(S.mean(axis=0))

    def posterior():
        system = RowSystem(*CentredColumns.of_rows(rows, mean, y.mean(keepdims=True)))
        system.posterior(np.ones(p, dtype=bool), 1.0, np.ones(p))

    assert peak_of(posterior) < 0.6 * 8 * n * p
    eigenvectors = 8 * n * p  # are kept, and multiplied by the coefficients along them
    assert peak_of(lambda: BayesianRidge(max_iter=3).fit(S, y)) < 0.3 * 8 * n * p + 2 * eigenvectors


def test_an_ill_conditioned_sparse_matrix_that_is_too_large_to_be_dense_is_told_of():
    rng = np.random.default_rng(0)
    S = sparse.random_array((120_000, 11), density=0.1, rng=rng, format="csc")
    S = sparse.hstack([S[:, :10], S[:, [0]] + 1e-5 * S[:, [10]]]).tocsr()
    y = S @ rng.standard_normal(11) + 1e-6 * rng.standard_normal(S.shape[0])
    with pytest.warns(UserWarning, match="for full precision pass X as an array"):
        BayesianRidge().fit(S, y)


@pytest.mark.parametrize("cls", [BayesianRidge, ARDRegression])
def test_infinite_entries_are_refused(cls):
    X, y, _ = problem(50, 600)
    for shape in ((50, 600), (50, 8)):
        S = sparse.csr_array(X[:, : shape[1]])
        S.data[3] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            cls().fit(S, y)
