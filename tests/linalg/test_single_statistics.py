"""Fold statistics of float32 rows by products in float32."""

import numpy as np
import pytest

from mlwright._kernels.linalg import single_statistics
from mlwright._native import core
from mlwright._runtime import simd
from mlwright.reference import linalg as reference
from mlwright.testing.arrays import LAYOUTS, with_layout

N = 40_000


def relative_error(X, y):
    """Of every sum of products, to the square roots of those of squares."""
    _, _, scatter, scale = single_statistics(X, y)
    _, _, exact, exact_scale = reference.single_statistics(X, y)
    factor = scale / exact_scale
    size = np.sqrt(exact.diagonal()) * factor
    return np.abs(scatter - exact * np.multiply.outer(factor, factor)).max() / np.multiply.outer(size, size).max()


def columns(rng, kind, n):
    made = {
        "normal": lambda: rng.standard_normal(n),
        "far from zero": lambda: 1000.0 + rng.standard_normal(n),
        "rare": lambda: rng.random(n) < 0.02,
        "signs": lambda: rng.choice([-1.0, 1.0], n),
        "bytes": lambda: rng.integers(0, 256, n),
        "heavy tails": lambda: rng.standard_t(3, n),
        "rising": lambda: np.linspace(0.0, 1.0, n),
        "in order": lambda: np.repeat([0.1, 0.7], n // 2),
    }
    return made[kind]().astype(np.float32)


KINDS = ["normal", "far from zero", "rare", "signs", "bytes", "heavy tails", "rising", "in order"]


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_many_rows_are_right_to_seven_digits(kind):
    rng = np.random.default_rng(0)
    X = np.column_stack([columns(rng, kind, N), columns(rng, "normal", N), columns(rng, kind, N)])
    y = X[:, :1].astype(float) + rng.standard_normal((N, 1))
    assert relative_error(X, y) < 6e-8


def test_all_kinds_of_columns_together():
    rng = np.random.default_rng(1)
    X = np.column_stack([columns(rng, kind, N) for kind in KINDS * 3])
    assert relative_error(X, rng.standard_normal((N, 2))) < 6e-8


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_bits_for_any_layout_threads_and_instruction_set(layout):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((5_000, 37)).astype(np.float32)
    y = rng.standard_normal((5_000, 2))
    want = [part.tobytes() for part in map(np.asarray, single_statistics(X, y))]
    X = with_layout(X, layout)
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert [part.tobytes() for part in map(np.asarray, single_statistics(X, y))] == want
    finally:
        core.runtime.set_num_threads(0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda X: X.__setitem__((778, 3), np.nan),
        lambda X: X.__setitem__((778, 3), np.inf),
        lambda X: X.__setitem__((778, 3), 1e30),
        lambda X: X.__setitem__((slice(None), 3), 5.0),
        lambda X: X.__setitem__((np.arange(len(X)) % 7 > 0, 3), 1e4),
    ],
    ids=["NaN", "infinite", "outlier", "constant", "means that the sample misses"],
)
def test_nothing_where_single_precision_will_not_do(spoil):
    X = np.random.default_rng(3).standard_normal((2_000, 6)).astype(np.float32)
    spoil(X)
    assert single_statistics(X, np.arange(len(X), dtype=float)[:, None]) is None


def test_no_rows_beyond_the_last_block_count():
    X = np.random.default_rng(4).standard_normal((129, 3)).astype(np.float32)
    weight, mean, _, _ = single_statistics(X, X[:, :1].astype(float))
    assert weight == 129
    np.testing.assert_allclose(mean[:3], X.mean(axis=0, dtype=float), rtol=1e-5, atol=1e-6)
