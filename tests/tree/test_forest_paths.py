"""The fast ways through a forest give the bits of the plain walk, whatever the rows, the trees and the machine."""

import gc

import numpy as np
import pytest

from mlwright._kernels.forest import Forest, join_trees
from mlwright._native import core
from mlwright._runtime import simd
from mlwright.testing.forest import random_forest

# (trees, most splits, features, rules): what is sliced, what is walked, and forests that mix both.
SHAPES = {
    "small": (60, 30, 6, (0,)),
    "stumps": (200, 1, 3, (0, 1)),
    "rules": (60, 30, 4, (0, 1, 2)),
    "many thresholds": (120, 40, 2, (0,)),
    "up to 255 leaves": (12, 254, 5, (0, 1)),
    "beyond 255 leaves": (8, 600, 5, (0, 2)),
    "few trees, many features": (2, 20, 400, (0, 2)),
    "as many columns as one row's codes": (150, 30, 60, (0,)),
    "more columns": (150, 20, 90, (0,)),
    "sets in every tree": (150, 30, 6, (2,)),
}


def rows(rng, n, p, dtype):
    x = rng.normal(size=(n, p))
    x[:, ::3] = rng.integers(-3, 70, x[:, ::3].shape)
    x[rng.random((n, p)) < 0.1] = np.nan
    x[rng.random((n, p)) < 0.05] = 0.0
    x[rng.random((n, p)) < 0.02] = np.inf
    return x.astype(dtype)


def walked(forest, x):
    """By ranges of trees, which are always walked."""
    middle = forest.n_trees // 2
    raw = np.repeat(forest.start[:, None], len(x), axis=1)
    return forest.add_to(forest.add_to(raw, x, 0, middle), x, middle)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tiles_equal_walks(shape, dtype):
    n_trees, max_inner, p, rules = SHAPES[shape]
    rng = np.random.default_rng(n_trees)
    x = rows(rng, 1300, p, dtype)
    for n_outputs, vector in ((1, False), (3, False), (2, True)):
        trees = random_forest(rng, n_trees, p, max_inner, n_outputs if vector else None, rules, x[:200])
        for input_dtype, sum_dtype in (("float64", "float64"), ("float32", "float32")):
            start = rng.normal(size=n_outputs).astype(sum_dtype).astype(float)
            forest = Forest(trees, start, p, input_dtype, sum_dtype)
            want = walked(forest, x)
            for level in simd.supported_levels():
                with simd.use_level(level):
                    for n in (1, 5, 63, 64, 65, 200, 513, 1300):
                        np.testing.assert_array_equal(forest.predict_raw(x[:n]), want[:, :n], f"{level} {n}")


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_threads_change_no_bit(n_threads):
    rng = np.random.default_rng(0)
    x = rows(rng, 20_000, 6, "float32")
    trees = random_forest(rng, 300, 6, 30, rules=(0, 1, 2), values=x[:100])
    forest = Forest(trees, np.zeros(2), 6, divide_by=150)
    try:
        core.runtime.set_num_threads(n_threads)
        raw = forest.predict_raw(x)
    finally:
        core.runtime.set_num_threads(0)
    np.testing.assert_array_equal(raw, walked(forest, x) / 150)


def test_float32_thresholds_are_rounded_the_safe_way():
    """A float32 x is compared as if it were a double, at thresholds between floats and beyond their range too."""
    edges = np.array([1.0, -1.0, 1e-40, 3.4e38, -3.4e38, np.inf, -np.inf, 0.0], dtype=np.float32)
    floats = np.concatenate([edges, np.nextafter(edges, np.float32(0)), np.nextafter(edges, np.float32(-np.inf))])
    thresholds = np.concatenate([floats.astype(float), floats * (1 + 2.0**-40), [1e39, -1e39, 1e308, -1e308, 1e-50]])
    stumps = [
        {
            "feature": np.array([0, -1, -1], dtype=np.int32),
            "threshold": np.array([t, 0.0, 0.0]),
            "left": np.array([1, -1, -1], dtype=np.int32),
            "right": np.array([2, -1, -1], dtype=np.int32),
            "missing_left": np.zeros(3, dtype=np.uint8),
            "value": np.array([0.0, 0.0, 2.0**i]),
            "gain": np.zeros(3),
            "count": np.ones(3, dtype=np.int64),
            "offsets": np.array([0, 3], dtype=np.int64),
        }
        for i, t in enumerate(thresholds)
    ]
    x = np.tile(floats, 10)[:, None]
    forest = Forest(join_trees(stumps), np.zeros(1), 1)
    with np.errstate(invalid="ignore"):
        want = (x.astype(float) > thresholds) @ 2.0 ** np.arange(len(thresholds))
    for level in simd.supported_levels():
        with simd.use_level(level):
            np.testing.assert_array_equal(forest.predict_raw(x)[0], want)
            np.testing.assert_array_equal(forest.predict_raw(x.astype(float))[0], want)
            for one in (x, x.astype(float)):
                got = [forest.predict_raw(one[i : i + 1])[0, 0] for i in range(len(floats))]
                np.testing.assert_array_equal(got, want[: len(floats)])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_short_way_gives_the_bits_of_the_long_one(dtype, n_outputs):
    rng = np.random.default_rng(n_outputs)
    x = rows(rng, 40, 6, dtype)
    trees = random_forest(rng, 150, 6, 30, rules=(0, 1, 2), values=x)
    forest = Forest(trees, rng.normal(size=n_outputs), 6, divide_by=7)
    want = forest.predict_raw(x)
    wide = np.zeros((80, 12), dtype)
    wide[::2, ::-2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    for layout in (x, np.asfortranarray(x), wide[::2, ::-2], frozen):
        for i in range(0, 40, 4):
            np.testing.assert_array_equal(forest.briefly(layout[i : i + 3]), want[:, i : i + 3])


def test_the_short_way_leaves_what_is_not_plain():
    rng = np.random.default_rng(0)
    trees = random_forest(rng, 3, 6, 30, rules=(0,))
    forest = Forest(trees, np.zeros(1), 6)
    x = rng.normal(size=(4, 6))

    class Other(np.ndarray):
        pass

    packed = np.zeros(4, dtype=[("flag", "i1"), ("x", "f8", 6)])["x"]
    foreign = [x.astype(">f8"), x.astype(np.float16), x.astype(int), x.astype(object), x.view(Other), packed]
    shapes = [x[0], x[:, :5], x[:0], x[None], np.zeros((4, 7)), np.float64(1.0), np.zeros(()), None, x.tolist()]
    for rows_ in [*foreign, *shapes, np.zeros((1 << 17, 6))]:  # the last takes long: others may run meanwhile
        assert forest.briefly(rows_) is None
    infinite, missing = x.copy(), x.copy()
    infinite[2, 3], missing[3, 5] = -np.inf, np.nan
    taken = {}
    for accepts in ("any", "nan", "finite"):
        door = Forest(trees, np.zeros(1), 6, accepts=accepts).briefly
        taken[accepts] = [door(rows_) is not None for rows_ in (x, missing, infinite)]
    assert taken == {"any": [True, True, True], "nan": [True, True, False], "finite": [True, False, False]}


def test_the_short_way_outlives_its_forest():
    forest = Forest(random_forest(np.random.default_rng(0), 9, 2, rules=(0,)), np.zeros(1), 2)
    x = np.ones((1, 2))
    want, door = forest.predict_raw(x), forest.briefly
    del forest
    gc.collect()
    np.testing.assert_array_equal(door(x), want)
