"""Decompositions by LAPACK, called here or on a thread of their own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mlwright._runtime import lapack


@pytest.fixture(params=[1, 10_000], autouse=True)
def large(request, monkeypatch):
    monkeypatch.setattr(lapack, "_LARGE", request.param)


def test_each_decomposition():
    A = np.random.default_rng(0).standard_normal((7, 4))
    u, s, vt = lapack.svd(A)
    assert_allclose(u * s @ vt, A, atol=1e-12)
    values, vectors = lapack.eigh(A.T @ A)
    assert_allclose(values[::-1], s**2, rtol=1e-10)
    assert_allclose(vectors * values @ vectors.T, A.T @ A, atol=1e-12)
    coef, left, rank, singular = lapack.lstsq(A, A @ np.arange(4.0), 1e-12)
    assert_allclose(coef, np.arange(4.0), atol=1e-12)
    assert (rank, len(left)) == (4, 1)
    assert_allclose(singular, s)


def test_the_lower_triangle_counts():
    matrix = np.array([[2.0, np.nan], [1.0, 2.0]])
    assert_allclose(lapack.eigh(matrix)[0], [1.0, 3.0])
