"""The fold statistics kernel beyond its twin: shapes that take the other route, extreme columns, refusals, laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlwright._kernels import linalg
from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._native import core
from mlwright._runtime import simd
from mlwright.reference import linalg as twin
from mlwright.testing.arrays import LAYOUTS, with_layout
from mlwright.testing.linalg import csr_parts


def bits(result):
    return [np.asarray(part).tobytes() for part in result]


@pytest.mark.parametrize(("n", "p"), [(5000, 20), (2500, 530), (1, 600), (130, 513), (9000, 3)])
def test_large_shapes_equal_the_twin_with_the_same_bits_everywhere(n, p):
    rng = np.random.default_rng(p)
    X, y, w = rng.standard_normal((n, p)) + 5.0, rng.standard_normal((n, 2)), rng.random(n)
    want = None
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    got = linalg.fold_statistics(X, y, w)
                    want = want or bits(got)
                    assert bits(got) == want
    finally:
        core.runtime.set_num_threads(0)
    for mine, reference in zip(got, twin.fold_statistics(X, y, w), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_and_csr_have_the_same_bits(layout):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((300, 21)) < 0.5, 0.0, rng.standard_normal((300, 21)))
    y = rng.standard_normal((300, 1))
    want = bits(linalg.fold_statistics(X, y))
    assert bits(linalg.fold_statistics(with_layout(X, layout), y)) == want
    widened = X.astype(np.float32)
    assert bits(linalg.fold_statistics(with_layout(widened, layout), y)) == bits(
        linalg.fold_statistics(widened.astype(np.float64), y)
    )
    for index in (np.int32, np.int64):
        sparse = linalg.fold_statistics(csr_parts(X, index), y)
        for mine, dense in zip(sparse, linalg.fold_statistics(X, y), strict=True):
            np.testing.assert_allclose(mine, dense, rtol=1e-12, atol=1e-12)


@given(st.integers(-300, 300), st.integers(0, 2**32 - 1))
def test_scaling_a_column_by_a_power_of_two_scales_exactly(exponent, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal((40, 1))
    factor = np.array([np.ldexp(1.0, exponent), 1.0, 1.0])
    _, mean, scatter, scale = linalg.fold_statistics(X, y)
    _, mean2, scatter2, scale2 = linalg.fold_statistics(X * factor, y)
    np.testing.assert_array_equal(scatter2, scatter)
    np.testing.assert_array_equal(mean2[:3], mean[:3] * factor)
    np.testing.assert_array_equal(scale2[:3] * factor, scale[:3])


def test_a_misleading_sample_does_not_cost_digits():
    n = 256 * 40
    X = np.zeros((n, 1))  # the kernel samples every 40th row
    X[np.arange(n) % 40 != 0, 0] = 1e9 + np.arange(n - 256) % 7
    w = (X[:, 0] > 0).astype(float)
    _, mean, scatter, scale = linalg.fold_statistics(X, np.zeros((n, 1)), w)
    kept = X[X[:, 0] > 0, 0] - 1e9
    np.testing.assert_allclose(mean[0], 1e9 + kept.mean(), rtol=1e-15)
    np.testing.assert_allclose(scatter[0, 0] / scale[0] ** 2, ((kept - kept.mean()) ** 2).sum(), rtol=1e-9)


@pytest.mark.parametrize("size", [1e-170, 1e170])
def test_values_that_the_sample_misses_neither_overflow_nor_vanish(size):
    n = 256 * 4
    X = np.zeros((n, 1))
    X[1::4, 0], X[2::4, 0] = size, -size
    _, _, scatter, scale = linalg.fold_statistics(X, np.zeros((n, 1)))
    assert np.sqrt(scatter[0, 0] / 512) / scale[0] == pytest.approx(size)


def test_constant_columns_have_no_spread_and_their_value_as_mean():
    X = np.full((1000, 2), [0.1, 1e300])
    stats = FoldStatistics.of_rows(X, np.zeros((1000, 1)))
    np.testing.assert_array_equal(stats.mean[:2], [0.1, 1e300])
    np.testing.assert_array_equal(stats.spread(), 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["X", "y", "w"])
def test_numbers_that_are_not_finite_are_noticed(bad, place):
    parts = {"X": np.ones((600, 4)), "y": np.ones((600, 1)), "w": np.ones(600)}
    parts[place].flat[-1] = bad
    assert linalg.fold_statistics(parts["X"], parts["y"], parts["w"]) is None


def test_unsound_input_is_refused():
    y = np.zeros((2, 1))
    indptr, indices, data, p = csr_parts(np.eye(2), np.int32)
    with pytest.raises(ValueError, match="got column index 6, expected 0 <= index < 2"):
        linalg.fold_statistics((indptr, indices + 6, data, p), y)
    with pytest.raises(ValueError, match="does not rise"):
        linalg.fold_statistics((indptr[::-1].copy(), indices, data, p), y)
    with pytest.raises(ValueError, match="differ in their number of rows"):
        linalg.fold_statistics(np.eye(3), y)
    with pytest.raises(TypeError, match="int32 or int64"):
        linalg.fold_statistics((indptr.astype(np.int16), indices, data, p), y)
    with pytest.raises(ValueError, match="number of columns"):
        linalg.affine_map(np.eye(3), np.ones((1, 2)), np.zeros(1))


@given(st.integers(0, 2**32 - 1), st.integers(10, 70))
def test_merge_and_without_are_those_of_the_reference(seed, cut):
    rng = np.random.default_rng(seed)
    Z, w = rng.standard_normal((80, 4)) + 10.0, rng.random(80) + 0.1
    a, b = (FoldStatistics.of_rows(Z[at, :3], Z[at, 3:], w[at]) for at in (slice(cut), slice(cut, None)))
    both = a.merged(b)

    def plain(s):
        return s.weight, s.mean, s.scatter / np.multiply.outer(s.scale, s.scale)

    for mine, want in zip(plain(both), twin.merge(plain(a), plain(b)), strict=True):
        np.testing.assert_allclose(mine, want, rtol=1e-9, atol=1e-9)
    for mine, want in zip(plain(both.without(b)), plain(a), strict=True):
        np.testing.assert_allclose(mine, want, rtol=1e-7, atol=1e-7)


@given(st.integers(0, 2**32 - 1))
def test_integer_weights_repeat_rows_and_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    X, y, w = rng.standard_normal((50, 4)), rng.standard_normal((50, 1)), rng.integers(0, 4, 50).astype(float)
    at = rng.permutation(np.repeat(np.arange(50), w.astype(int)))
    for mine, want in zip(linalg.fold_statistics(X, y, w)[:2], linalg.fold_statistics(X[at], y[at])[:2], strict=True):
        np.testing.assert_allclose(mine, want, rtol=1e-12, atol=1e-12)
