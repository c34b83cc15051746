"""Factors of covariance matrices against NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from mlwright.gaussian_process import _factors
from mlwright.gaussian_process._factors import factorise, half_log_det, inverse, solve, whiten


def positive_definite(n, seed):
    A = np.random.default_rng(seed).standard_normal((n, n))
    return A @ A.T + n * np.eye(n)


@given(st.integers(1, 23), st.integers(0, 1000))
def test_equal_to_numpy(n, seed):
    K = positive_definite(n, seed)
    upper = factorise(np.triu(K))
    assert_allclose(upper, np.linalg.cholesky(K).T, rtol=1e-10, atol=1e-10)
    assert_allclose(half_log_det(upper), 0.5 * np.linalg.slogdet(K)[1], rtol=1e-10)
    B = np.random.default_rng(seed + 1).standard_normal((n, 7))
    assert_allclose(solve(upper, B), np.linalg.solve(K, B), rtol=1e-8, atol=1e-10)
    assert_allclose(np.triu(inverse(upper.copy())), np.triu(np.linalg.inv(K)), rtol=1e-8, atol=1e-10)


@given(st.integers(1, 23), st.integers(0, 30), st.integers(0, 1000))
def test_whitened_some_columns_at_a_time(n, m, seed):
    upper = np.linalg.cholesky(positive_definite(n, seed)).T.copy()
    columns = np.random.default_rng(seed).standard_normal((n, m))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_factors, "_OPERATIONS", 3.0 * n * n)
        assert_allclose(upper.T @ whiten(upper, columns), columns, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("pivot", [-1.0, 0.0, np.nan])
def test_not_positive_definite(pivot):
    K = positive_definite(13, 0)
    K[4, 4] = pivot
    assert factorise(K) is None


def test_small_matrices_start_no_thread(monkeypatch):
    """A fit of few rows factors some dozens of them, in less time than the threads would take to start."""

    def refused(*_, **__):
        raise AssertionError("a thread for a small matrix")

    monkeypatch.setattr(_factors, "interruptible", refused)
    upper = factorise(positive_definite(50, 0))
    _factors.products(upper)
    inverse(upper)
    with pytest.raises(AssertionError):
        factorise(positive_definite(500, 0))
