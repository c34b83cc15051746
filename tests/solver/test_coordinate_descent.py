"""Certificates of coordinate descent where answers are not unique: singular Gram matrices, long paths, any start."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlwright._kernels.coordinate_descent import concave_paths, elastic_net_paths


def problem(seed, n, p, rho=0.9):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    y = X[:, :: max(1, p // 5)].sum(axis=1) + rng.standard_normal(n)
    return X, y, (X.T @ X)[None], np.zeros(1, int), (X.T @ y)[None], np.array([y @ y])


def falling(linear, steps=20, least=1e-3):
    return np.geomspace(1.0, least, steps)[None] * np.abs(linear).max()


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 120), st.sampled_from([1.0, 0.5, 0.01]))
def test_the_gap_bounds_what_is_left(seed, n, p, l1_ratio):
    X, y, *data = problem(seed, n, p)
    alpha, ones = falling(data[2]), np.ones(p)
    n_iter = np.zeros(alpha.shape, np.int32)

    def objective(b, a):
        return ((y - X @ b) ** 2).sum() / 2 + a * (l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * b @ b)

    def solved(tol):
        l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
        return elastic_net_paths(*data, l1, l2, ones, ones, tol=tol, max_iter=20_000, n_iter=n_iter)

    loose, loose_gap, *_ = solved(1e-3)
    tight, tight_gap, *_ = solved(1e-10)
    square = data[3][0]
    assert (loose_gap <= 1e-3 * square).all()
    assert (tight_gap <= 1e-10 * square).all()
    for k, a in enumerate(alpha[0]):
        left = objective(loose[0, k], a) - objective(tight[0, k], a)
        assert left <= loose_gap[0, k] + 1e-12 * square
        assert left >= -tight_gap[0, k] - 1e-12 * square
    assert (n_iter >= 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(5, 40), st.integers(1, 60), st.sampled_from(["mcp", "scad"]))
def test_concave_penalties_end_at_stationary_points(seed, n, p, kind):
    _, _, *data = problem(seed, n, p, rho=0.3)
    unit = np.sqrt(np.maximum(data[0][0].diagonal(), 1e-12))
    coef, violation = concave_paths(
        *data, kind, falling(data[2] / unit, least=0.1), 3.0, np.ones(p), unit, violation=1e-9, max_iter=20_000
    )
    assert (violation <= 1e-9 * np.sqrt(data[3])).all()
    assert np.isfinite(coef).all()


def test_no_penalty_is_least_squares_with_a_violation_for_certificate():
    X, y, *data = problem(3, 50, 6)
    zero, ones = np.zeros((1, 1)), np.ones(6)
    coef, _, violation, _ = elastic_net_paths(*data, zero, zero, ones, ones, violation=1e-12, max_iter=10_000)
    np.testing.assert_allclose(coef[0, 0], np.linalg.lstsq(X, y)[0], rtol=1e-8)
    assert violation <= 1e-12 * np.sqrt(data[3][0])


def test_what_max_iter_cut_short_is_certified_as_it_is():
    _, _, *data = problem(4, 100, 80, rho=0.99)
    l1, ones, n_iter = falling(data[2], steps=1, least=1e-4) * 1e-3, np.ones(80), np.zeros((1, 1), np.int32)
    _, gap, *_ = elastic_net_paths(*data, l1, 0 * l1, ones, ones, tol=1e-12, max_iter=2, n_iter=n_iter)
    assert n_iter[0, 0] == 2
    assert gap[0, 0] > 1e-12 * data[3][0]


def test_shapes_that_do_not_fit():
    _, _, gram, which, linear, square = problem(0, 9, 4)
    ones, l1 = np.ones(4), np.ones((1, 1))
    with pytest.raises(ValueError, match="unexpected shape of which"):
        elastic_net_paths(gram, which + 1, linear, square, l1, l1, ones, ones)
    with pytest.raises(ValueError, match="unexpected shape of weights"):
        elastic_net_paths(gram, which, linear, square, l1, l1, ones[:3], ones)
    with pytest.raises(ValueError, match="unexpected shape of bounds"):
        elastic_net_paths(gram, which, linear, square, l1, l1, ones, ones, low=-ones)
