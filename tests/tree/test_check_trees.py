"""Arrays that are no trees are refused before anything walks them."""

import numpy as np
import pytest

from mlwright import ModelFormatError
from mlwright._kernels.tree import check_trees, predict_trees
from mlwright.testing.tree import random_trees


def stump():
    return {
        "feature": np.array([0, -1, -1], dtype=np.int32),
        "threshold": np.zeros(3),
        "left": np.array([1, -1, -1], dtype=np.int32),
        "right": np.array([2, -1, -1], dtype=np.int32),
        "missing_left": np.zeros(3, dtype=np.uint8),
        "value": np.array([0.0, -1.0, 1.0]),
        "offsets": np.array([0, 3], dtype=np.int64),
    }


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("feature", 0, 2, "its feature is 2 of 2"),
        ("left", 0, 0, "is not after it"),
        ("left", 0, -5, "is not after it"),
        ("right", 0, 3, "is not after it"),
        ("right", 0, 1, "two parents"),
        ("threshold", 0, np.nan, "threshold is not a number"),
        ("value", 1, np.inf, "value is not finite"),
        ("offsets", 0, 1, "offsets"),
        ("offsets", 1, 4, "offsets"),
        ("offsets", 1, 1 << 62, "offsets"),
    ],
)
def test_damage_is_named(name, index, value, message):
    trees = stump()
    assert check_trees(trees, 2) == 1
    trees[name][index] = value
    with pytest.raises(ModelFormatError, match=message):
        check_trees(trees, 2)
    with pytest.raises(ModelFormatError, match=message):
        predict_trees(np.zeros((1, 2)), trees, np.zeros(1))


def test_orphans_and_short_arrays_are_refused():
    trees = stump()
    trees["feature"][0] = -1
    with pytest.raises(ModelFormatError, match="no parent"):
        check_trees(trees, 2)
    trees = stump()
    trees["value"] = trees["value"][:2]
    with pytest.raises(ModelFormatError, match="differ in length"):
        check_trees(trees, 2)


def test_any_damage_is_an_error_or_a_valid_tree():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 3))
    refused = 0
    for _ in range(2000):
        trees = random_trees(rng, 3, 3)
        name = rng.choice(["feature", "left", "right", "offsets", "missing_left"])
        at = rng.integers(len(trees[name]))
        trees[name][at] = rng.integers(0, 256) if name == "missing_left" else rng.integers(-3, 40)
        try:
            raw = predict_trees(rows, trees, np.zeros(1))
        except ModelFormatError:
            refused += 1
        else:
            assert np.isfinite(raw).all()
    assert 500 < refused < 2000
