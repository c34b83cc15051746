"""Arrays that are no forest are refused before anything walks them; those that are keep to their rules."""

import copy
import pickle

import numpy as np
import pytest

from mlwright import ModelFormatError
from mlwright._kernels.forest import Forest, check_forest, join_trees, kept_forest, predict_forest
from mlwright.ensemble import HistGradientBoostingRegressor
from mlwright.testing.forest import plain, random_forest


def stump(**arrays):
    """Two leaves, -1 and 1, at either side of zero."""
    return {
        "feature": np.array([0, -1, -1], dtype=np.int32),
        "threshold": np.zeros(3),
        "left": np.array([1, -1, -1], dtype=np.int32),
        "right": np.array([2, -1, -1], dtype=np.int32),
        "missing_left": np.zeros(3, dtype=np.uint8),
        "value": np.array([0.0, -1.0, 1.0]),
        "gain": np.zeros(3),
        "count": np.array([2, 1, 1]),
        "offsets": np.array([0, 3], dtype=np.int64),
        **arrays,
    }


def categorical_stump():
    """Codes 0 and 33 go left."""
    return stump(
        rule=np.array([2, 0, 0], dtype=np.uint8),
        category_set=np.array([0, -1, -1], dtype=np.int32),
        set_offsets=np.array([0, 2], dtype=np.int64),
        set_words=np.array([1, 2], dtype=np.uint32),
    )


def values_of(trees, x, **rules):
    return predict_forest(np.array(x, dtype=np.float64)[:, None], trees, np.zeros(1), **rules)[0].tolist()


def test_zero_as_missing_is_a_band_around_zero():
    for missing_left, middle in ((0, 1.0), (1, -1.0)):
        trees = stump(
            rule=np.array([1, 0, 0], dtype=np.uint8), missing_left=np.array([missing_left, 0, 0], dtype=np.uint8)
        )
        assert values_of(trees, [-1e-34, -1e-35, -0.0, 1e-35, np.nan, 1e-34]) == [-1.0] + [middle] * 4 + [1.0]


def test_codes_outside_a_set_go_right():
    codes = [0, 0.9, -0.9, 33.0, 1, 32, 34, 63, 64, -1, 1e300, np.inf, -np.inf, np.nan]
    assert values_of(categorical_stump(), codes) == [-1.0] * 4 + [1.0] * 10


def test_float32_input_is_rounded_before_it_is_compared():
    threshold = stump(threshold=np.full(3, float(np.float32(0.1))))
    assert values_of(threshold, [0.1]) == [-1.0]  # 0.1 < float32(0.1)
    below = stump(threshold=np.nextafter(threshold["threshold"], 0))
    assert values_of(below, [0.1]) == [-1.0]
    assert values_of(below, [0.1], input_dtype="float32") == [1.0]


def test_sums_of_float32_round_each_addition():
    big = stump(value=np.array([0.0, 2.0**24, 2.0**24]))
    one = stump(value=np.ones(3))
    trees = join_trees([big, one, one])
    assert values_of(trees, [0.0]) == [2.0**24 + 2]
    assert values_of(trees, [0.0], sum_dtype="float32") == [2.0**24]
    assert values_of(trees, [0.0], divide_by=2.0) == [2.0**23 + 1]


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("feature", 0, 2, "its feature is 2 of 2"),
        ("left", 0, 0, "is not after it"),
        ("left", 0, -5, "is not after it"),
        ("right", 0, 3, "is not after it"),
        ("right", 0, 1, "two parents"),
        ("value", 1, np.inf, "value is not finite"),
        ("offsets", 0, 1, "offsets"),
        ("offsets", 1, 4, "offsets"),
        ("offsets", 1, 1 << 62, "offsets"),
        ("offsets", 0, -(1 << 62), "offsets"),
        ("rule", 0, 3, "its rule is 3"),
        ("category_set", 0, 1, "category set is not one of 1"),
        ("category_set", 0, -1, "category set is not one of 1"),
        ("set_offsets", 1, 3, "offsets of their category sets"),
        ("set_offsets", 0, -(1 << 62), "offsets of their category sets"),
        ("cover", 0, -1.0, "cover that is negative"),
        ("cover", 2, np.nan, "cover that is negative or not finite"),
    ],
)
def test_damage_is_named(name, index, value, message):
    trees = categorical_stump() | {"cover": np.ones(3)}
    assert check_forest(trees, 2) == 1
    trees[name][index] = value
    with pytest.raises(ModelFormatError, match=message):
        check_forest(trees, 2)
    with pytest.raises(ModelFormatError, match=message):
        predict_forest(np.zeros((1, 2)), trees, np.zeros(1))


def test_a_threshold_must_be_a_number_where_it_is_compared():
    trees = stump(threshold=np.array([np.nan, 0, 0]))
    with pytest.raises(ModelFormatError, match="threshold is not a number"):
        check_forest(trees, 1)
    assert check_forest(categorical_stump() | {"threshold": np.full(3, np.nan)}, 1) == 1


def test_orphans_and_short_arrays_are_refused():
    trees = stump()
    trees["feature"][0] = -1
    with pytest.raises(ModelFormatError, match="no parent"):
        check_forest(trees, 2)
    for name in ("value", "gain", "missing_left"):
        trees = stump()
        trees[name] = trees[name][:2]
        with pytest.raises(ModelFormatError, match=r"differ.* in length"):
            check_forest(trees, 2)
    trees = stump()
    del trees["left"]
    with pytest.raises(ModelFormatError, match="got no left"):
        check_forest(trees, 2)


@pytest.mark.parametrize(
    ("start", "rules", "message"),
    [
        (np.zeros(0), {}, "no start value"),
        (np.array([np.nan]), {}, "start value is not finite"),
        (np.zeros(1), {"divide_by": 0.0}, "divisor"),
        (np.zeros(1), {"divide_by": np.inf}, "divisor"),
        (np.zeros(1), {"sum_dtype": "float16"}, "got dtype 'float16'"),
    ],
)
def test_rules_that_make_no_score_are_refused(start, rules, message):
    with pytest.raises(ModelFormatError, match=message):
        Forest(stump(), start, 1, **rules).check()
    vector = stump(value=np.zeros((3, 2)))
    with pytest.raises(ModelFormatError, match="2 values for 3 outputs"):
        Forest(vector, np.zeros(3), 1).check()


def test_any_damage_is_an_error_or_a_valid_forest():
    rng = np.random.default_rng(0)
    rows = rng.normal(scale=20, size=(20, 3))
    names = ["feature", "left", "right", "offsets", "missing_left", "rule", "category_set", "set_offsets"]
    refused = 0
    for _ in range(2000):
        trees = random_forest(rng, 3, 3)
        name = rng.choice(names)
        at = rng.integers(len(trees[name]))
        unsigned = trees[name].dtype == np.uint8
        trees[name][at] = rng.integers(0, 256) if unsigned else rng.choice([*range(-3, 40), 1 << 30])
        try:
            raw = predict_forest(rows, trees, np.zeros(1))
        except ModelFormatError:
            refused += 1
        else:
            assert np.isfinite(raw).all()
    assert 500 < refused < 2000


def test_joined_forests_add_up():
    rng = np.random.default_rng(1)
    parts = [random_forest(rng, 2, 3), plain(random_forest(rng, 3, 3, rules=(0,))), random_forest(rng, 1, 3)]
    x = rng.normal(scale=20, size=(50, 3))
    apart = np.zeros((1, 50))
    for part in parts:
        Forest(part, np.zeros(1), 3).add_to(apart, x)
    joined = join_trees(parts)
    assert check_forest(joined, 3) == 6
    np.testing.assert_array_equal(predict_forest(x, joined, np.zeros(1)), apart)
    ranges = np.zeros((1, 50))
    forest = Forest(joined, np.zeros(1), 3)
    for first, last in ((0, 2), (2, 2), (2, 6)):
        forest.add_to(ranges, x, first, last)
    np.testing.assert_array_equal(ranges, apart)
    with pytest.raises(ValueError, match="got trees 2 to 7 of 6"):
        forest.add_to(ranges, x, 2, 7)


def test_a_forest_is_pickled_without_the_core_copy():
    forest = Forest(stump(), np.zeros(1), 1)
    want = forest.predict_raw(np.ones((3, 1)))
    for other in (pickle.loads(pickle.dumps(forest)), copy.deepcopy(forest)):
        assert "_native" not in vars(other)
        np.testing.assert_array_equal(other.predict_raw(np.ones((3, 1))), want)


def test_an_estimator_predicts_by_its_newest_trees():
    x = np.arange(60.0)[:, None]
    model = HistGradientBoostingRegressor(max_iter=3).fit(x, x[:, 0])
    first = model.predict(x)
    attributes = set(vars(model))
    model.fit(x, -x[:, 0])
    np.testing.assert_allclose(model.predict(x), -first)
    assert set(vars(model)) == attributes


def test_kept_forests_end_with_their_owner():
    from mlwright._kernels import forest as module

    class Owner:
        pass

    owner, trees, made = Owner(), stump(), []
    for _ in range(2):
        kept_forest(owner, trees, lambda: made.append(1))
    assert len(made) == 1
    key = id(owner)
    assert key in module._kept
    del owner
    assert key not in module._kept
