"""TableEncoder: laws over random tables first, then the refusals by message."""

import pickle
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mlwright import ModelFormatError
from mlwright.io import dumps, loads
from mlwright.preprocessing import TableEncoder
from mlwright.testing.tables import LIBRARIES, as_pandas, as_polars, n_rows, tables, take

CONFIGS = {
    "linear": {},
    "trees": {"categories": "ordinal", "missing": "keep", "scale": False, "datetimes": "parts"},
    "target": {"categories": "target", "target_type": "continuous", "cv": 2},
    "pooled": {"max_categories": 2, "dtype": "float32", "datetimes": "epoch"},
    "strict": {"min_frequency": 2, "handle_unknown": "error", "missing": "keep"},
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def target(table):
    return np.cos(np.arange(n_rows(table)))


@configs
@given(table=tables())
def test_every_library_gives_the_same_bits(config, table):
    encoder = TableEncoder(**config)
    expected = encoder.fit_transform(as_polars(table), target(table))
    for convert in LIBRARIES.values():
        frame = convert(table)
        other = TableEncoder(**config)
        assert same_bits(other.fit_transform(frame, target(table)), expected)
        assert other.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
        assert same_bits(other.transform(as_polars(table)), encoder.transform(frame))


@configs
@given(table=tables(), seed=st.integers(0, 99))
def test_rows_are_encoded_on_their_own_and_columns_by_name(config, table, seed):
    encoder = TableEncoder(**config).fit(as_pandas(table), target(table))
    whole = encoder.transform(as_pandas(table))
    rng = np.random.default_rng(seed)
    rows = rng.permutation(n_rows(table))[: rng.integers(1, n_rows(table) + 1)]
    shuffled = {name: table[name] for name in rng.permutation(list(table))}
    shuffled["further"] = ("integer", list(range(n_rows(table))))
    assert same_bits(encoder.transform(as_polars(take(shuffled, rows))), whole[rows])


@configs
@given(table=tables())
def test_width_names_and_state_agree(config, table):
    encoder = TableEncoder(**config)
    out = encoder.fit_transform(as_polars(table), target(table))
    names = encoder.get_feature_names_out()
    assert out.shape == (n_rows(table), len(names)) == (n_rows(table), len(set(names)))
    assert out.dtype == encoder.dtype
    encoder._validate_state()
    assert encoder.missing == "keep" or np.isfinite(out).all()
    copy = pickle.loads(pickle.dumps(encoder))
    assert same_bits(copy.transform(as_polars(table)), encoder.transform(as_polars(table)))


@given(table=tables(), seed=st.integers(0, 99))
def test_order_of_rows_does_not_change_categories(table, seed):
    rows = np.random.default_rng(seed).permutation(n_rows(table))
    a = TableEncoder(categories="ordinal", scale=False).fit(as_polars(table))
    b = TableEncoder(categories="ordinal", scale=False).fit(as_polars(take(table, rows)))
    assert all(np.array_equal(x, y) for x, y in zip(a.categories_, b.categories_, strict=True))
    assert same_bits(a.transform(as_polars(table)), b.transform(as_polars(table)))


@given(table=tables())
def test_imputed_linear_matrix_is_standardised_and_indicated(table):
    encoder = TableEncoder()
    out = encoder.fit_transform(as_polars(table))
    names = encoder.get_feature_names_out().tolist()
    for name, (kind, cells) in table.items():
        assert (f"{name}_missing" in names) == (None in cells)
        if None in cells:
            assert out[:, names.index(f"{name}_missing")].tolist() == [float(cell is None) for cell in cells]
        if kind == "numeric":
            column = out[:, names.index(name)]
            assert abs(column.mean()) < 1e-6
            assert column.std() == pytest.approx(1.0, rel=1e-6) or np.ptp(column) < 1e-6


@given(table=tables())
def test_input_is_left_alone(table):
    frame = as_pandas(table)
    before = frame.copy(deep=True)
    TableEncoder(categories="target", target_type="continuous", cv=2).fit_transform(frame, target(table))
    pd.testing.assert_frame_equal(frame, before)


def test_onehot_pools_rare_categories_and_unseen_ones_join_them():
    train = pl.DataFrame({"c": ["a"] * 5 + ["b"] * 3 + ["x", "y"]})
    encoder = TableEncoder(min_frequency=2).fit(train)
    assert encoder.get_feature_names_out().tolist() == ["c_a", "c_b", "c_infrequent"]
    seen = encoder.transform(pl.DataFrame({"c": ["b", "y", "never", None]}))
    assert seen.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    without_pool = TableEncoder().fit(train)
    assert not without_pool.transform(pl.DataFrame({"c": ["never"]})).any()


def test_names_are_told_apart():
    train = pl.DataFrame({"a": ["b", "c"], "a_b": [1.0, 2.0], "a_b_2": [1.0, 2.0]})
    names = TableEncoder().fit(train).get_feature_names_out().tolist()
    assert len(set(names)) == len(names) == 4


@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
def test_target_means_are_crossfitted_and_shrunk(kind):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 6, 600)
    y = {"continuous": codes + rng.normal(size=600), "binary": codes > 2, "multiclass": codes % 3}[kind]
    frame = pl.DataFrame({"c": [f"level {code}" for code in codes]})
    encoder = TableEncoder(categories="target", scale=False, smooth=10.0)
    out = encoder.fit_transform(frame, y)
    targets = np.stack([y == label for label in range(3)], axis=1) if kind == "multiclass" else y[:, None]
    targets = targets.astype(float)
    place = encoder.categories_[0].tolist().index("level 4")
    rows = codes == 4
    expected = (targets[rows].sum(axis=0) + 10 * targets.mean(axis=0)) / (rows.sum() + 10)
    np.testing.assert_allclose(encoder.lookups_[0][place], expected, rtol=1e-12)
    np.testing.assert_allclose(encoder.lookups_[0][-1], targets.mean(axis=0), rtol=1e-12)
    # Cross-fitting: one value a fold in the fitting pass, one value a category afterwards.
    assert len(np.unique(out[rows, 0])) == 5
    assert len(np.unique(encoder.transform(frame)[rows, 0])) == 1


def test_no_row_sees_its_own_target():
    """A column of names says nothing: its cross-fitted means must not know y, which plain means would repeat."""
    y = np.random.default_rng(0).normal(size=300)
    frame = pl.DataFrame({"id": [f"row {i // 2}" for i in range(300)]})
    encoder = TableEncoder(categories="target", target_type="continuous", max_categories=None, smooth=1.0)
    cross = encoder.fit_transform(frame, y)[:, 0]
    plain = encoder.transform(frame)[:, 0]
    assert np.corrcoef(plain, y)[0, 1] > 0.6
    assert np.corrcoef(cross, y)[0, 1] < 0.1
    # The estimated shrinkage sees that the names say nothing.
    auto = TableEncoder(categories="target", target_type="continuous", max_categories=None, scale=False).fit(frame, y)
    assert np.ptp(auto.lookups_[0]) < 0.5 * np.ptp(encoder.lookups_[0])


def test_datetimes_in_parts():
    stamps = [datetime(2024, 2, 29, 6, 30), datetime(1969, 12, 31), None]
    encoder = TableEncoder(datetimes="parts", scale=False, missing="keep").fit(pl.DataFrame({"t": stamps}))
    names = encoder.get_feature_names_out().tolist()
    assert names == ["t_epoch", "t_year", "t_month", "t_day", "t_weekday", "t_hour"]
    out = encoder.transform(pl.DataFrame({"t": stamps}))
    for row, stamp in zip(out[:2], stamps, strict=False):
        days = (stamp - datetime(1970, 1, 1)) / timedelta(days=1)
        hour = stamp.hour + stamp.minute / 60
        assert row.tolist() == [days, stamp.year, stamp.month, stamp.day, stamp.weekday(), hour]
    assert np.isnan(out[2]).all()


def test_dates_and_zones_mean_the_same_instant():
    east = timezone(timedelta(hours=2))
    frame = pd.DataFrame({"t": [datetime(2024, 1, 1, 2, tzinfo=east), datetime(2024, 1, 2, 2, tzinfo=east)]})
    encoder = TableEncoder(datetimes="epoch", scale=False).fit(frame)
    expected = [[19723.0], [19724.0]]
    assert encoder.transform(frame).tolist() == expected
    assert encoder.transform(frame.astype(object)).tolist() == expected
    days = [date(2024, 1, 1), date(2024, 1, 2)]
    assert encoder.transform(pl.DataFrame({"t": days})).tolist() == expected
    assert encoder.transform(pd.DataFrame({"t": days})).tolist() == expected
    as_array = np.array(days, dtype="datetime64[D]")[:, None]
    assert TableEncoder(datetimes="epoch", scale=False).fit_transform(as_array).tolist() == expected


def test_durations_are_seconds():
    frame = pl.DataFrame({"d": [timedelta(seconds=90), timedelta(days=1), None]})
    out = TableEncoder(scale=False, missing="keep").fit_transform(frame)
    np.testing.assert_array_equal(out, [[90.0], [86400.0], [np.nan]])


def test_categories_of_every_declaration():
    cells = ["lo", "hi", "lo", None]
    expected = TableEncoder().fit_transform(pl.DataFrame({"c": cells}))
    for frame in (
        pl.DataFrame({"c": pl.Series(cells, dtype=pl.Categorical)}),
        pl.DataFrame({"c": pl.Series(cells, dtype=pl.Enum(["hi", "lo"]))}),
        pd.DataFrame({"c": pd.Categorical(cells, categories=["lo", "hi"], ordered=True)}),
        pd.DataFrame({"c": pd.array(cells, dtype="string")}),
    ):
        assert same_bits(TableEncoder().fit_transform(frame), expected)


@pytest.mark.parametrize("values", [[1, 2, 1], [1.5, 2.5, 1.5], [True, False, True], [date(2024, 1, 1), "x", 3]])
def test_categories_keep_their_names_beside_missing_cells(values):
    whole, holed = (pd.DataFrame({"c": pd.Categorical([*values, *more])}) for more in ([], [None]))
    encoder = TableEncoder(handle_unknown="error").fit(whole)
    assert same_bits(encoder.transform(holed)[:3], encoder.transform(whole))
    names = TableEncoder(missing="keep").fit(holed).get_feature_names_out().tolist()
    assert names == encoder.get_feature_names_out().tolist()


@pytest.mark.parametrize("cells", [np.array(["2024", "400000"], "M8[s]"), np.array([5, 2**62], "m8[s]")])
def test_times_beyond_counting_are_refused(cells):
    with pytest.raises(ValueError, match=r"column 'x0' holds .* more microseconds than an int64 counts"):
        TableEncoder().fit(cells[:, None])


def test_lists_and_object_arrays_of_mixed_columns():
    rows = [[1, "a", True], [2.5, "b", False], [None, "a", None]]
    frame = pl.DataFrame({"x0": [1.0, 2.5, None], "x1": list("aba"), "x2": [True, False, None]})
    expected = TableEncoder().fit_transform(frame)
    assert same_bits(TableEncoder().fit_transform(rows), expected)
    assert same_bits(TableEncoder().fit_transform(np.array(rows, dtype=object)), expected)


def test_an_empty_column_gives_nothing_and_takes_anything():
    train = pl.DataFrame({"a": [1.0, 2.0], "void": [None, None]})
    encoder = TableEncoder().fit(train)
    assert encoder.get_feature_names_out().tolist() == ["a"]
    assert encoder.transform(pl.DataFrame({"a": [1.0], "void": ["text"]})).shape == (1, 1)
    # And nothing but missing cells fits a column of any kind, whatever type the reader gave it.
    text = TableEncoder().fit(pl.DataFrame({"c": ["a", "b", None]}))
    assert text.transform(pd.DataFrame({"c": [np.nan]})).tolist() == [[0.0, 0.0, 1.0]]


def test_set_output_and_pipeline():
    frame = pd.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"]}, index=[7, 9])
    out = TableEncoder().set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == ["a", "c_x", "c_y"]
    assert out.index.tolist() == [7, 9]
    assert TableEncoder().set_output(transform="polars").fit_transform(frame).columns == out.columns.tolist()
    pipeline = make_pipeline(TableEncoder(), FunctionTransformer(feature_names_out="one-to-one"))
    assert pipeline.fit(frame).get_feature_names_out().tolist() == ["a", "c_x", "c_y"]
    assert same_bits(clone(pipeline).fit_transform(frame), pipeline.transform(frame))


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
def test_numbers_of_any_size_are_standardised(size):
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    X[3, 0] = np.nan
    np.testing.assert_allclose(TableEncoder().fit_transform(X * size), TableEncoder().fit_transform(X), atol=1e-9)


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_shrinkage_has_no_unit(size):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"c": rng.choice(list("abcd"), 80)})
    y = rng.standard_normal(80) + (table["c"] == "a")
    plain, moved = (TableEncoder(categories="target").fit(table, y * by) for by in (1.0, size))
    np.testing.assert_allclose(moved.lookups_[0] / size, plain.lookups_[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"categories": "ordinal", "missing": "keep", "datetimes": "parts", "scale": False}),
        (
            {"categories": "ordinal", "missing": "keep", "datetimes": "parts"},
            {"categories": "onehot", "datetimes": "epoch"},
        ),
        ({"categories": "target", "target_type": "continuous"}, {"categories": "ordinal", "missing": "keep"}),
    ],
)
def test_parameters_set_after_fit_wait_for_the_next(before, after):
    table = TRAIN.with_columns(a=pl.Series([1.0, None, 3.0]))
    encoder = TableEncoder(**before).fit(table, [1.0, 2.0, 4.0])
    answer, names = encoder.transform(table), encoder.get_feature_names_out().tolist()
    encoder.set_params(**after)
    for model in (encoder, loads(dumps(encoder))):
        assert same_bits(model.transform(table), answer)
        assert model.get_feature_names_out().tolist() == names


def test_a_fit_that_fails_changes_nothing():
    encoder = TableEncoder(categories="target").fit(TRAIN, [1.0, 2.0, 4.0])
    before = pickle.dumps(vars(encoder))
    other = TRAIN.rename({"a": "z"})
    for X, y in [(other, None), (other, [1.0, 2.0]), (other.with_columns(z=pl.lit(float("inf"))), [1.0, 2.0, 4.0])]:
        with pytest.raises(ValueError):
            encoder.fit(X, y)
        assert pickle.dumps(vars(encoder)) == before


# Refusals: the message names the column, what it got and what to do.

TRAIN = pl.DataFrame({"a": [1.0, 2.0, 3.0], "c": ["x", "y", "x"], "t": [datetime(2024, 1, d) for d in (1, 2, 3)]})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (TRAIN.drop("c", "t"), r"X lacks 2 of the columns that TableEncoder was fitted on: 'c', 't'\. Add them"),
        (TRAIN.with_columns(a=pl.lit("7")), r"column 'a' is categorical, .* fitted on a numeric column .*convert it"),
        (TRAIN.with_columns(c=pl.lit(7)), r"column 'c' is numeric, .* fitted on a categorical column"),
        (TRAIN.with_columns(t=pl.lit("2024-01-01")), r"column 't' is categorical, .* fitted on a datetime column"),
        (TRAIN.with_columns(a=pl.lit(float("inf"))), r"column 'a' contains infinity .* replace such cells"),
        (TRAIN.head(0), r"Found array with 0 sample\(s\)"),
    ],
)
def test_refusals_in_transform(bad, message):
    with pytest.raises(ValueError, match=message):
        TableEncoder().fit(TRAIN).transform(bad)


def test_unknown_categories_can_be_an_error():
    encoder = TableEncoder(handle_unknown="error", min_frequency=2).fit(TRAIN)
    encoder.transform(TRAIN)  # "y" is rare, not unknown
    with pytest.raises(ValueError, match=r"column 'c' holds .* not fitted on: 'q', 'z'\. Use handle_unknown"):
        encoder.transform(TRAIN.with_columns(c=pl.Series(["z", "q", "x"])))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (pd.DataFrame({"a": [1, "x"]}), TypeError, r"column 'a' holds int, str; .* of one kind in a column"),
        (pl.DataFrame({"a": [[1], [2]]}), TypeError, r"column 'a' holds List"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, r"more than one column named 'a'; names must be"),
        (pl.DataFrame({"a": [None, None]}), ValueError, r"no cell that is not missing"),
        (pl.DataFrame({"a": [1.0, float("-inf")]}), ValueError, r"column 'a' contains infinity"),
        (TRAIN.lazy(), TypeError, r"lazy table; .* Call \.collect\(\)"),
    ],
)
def test_refusals_in_fit(bad, error, message):
    with pytest.raises(error, match=message):
        TableEncoder().fit(bad)


def test_target_means_need_a_target():
    with pytest.raises(ValueError, match="requires y to be passed"):
        TableEncoder(categories="target").fit(TRAIN)
    with pytest.raises(ValueError, match="Input y contains NaN or infinity"):
        TableEncoder(categories="target", target_type="continuous").fit(TRAIN, [1.0, np.nan, 2.0])


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("kinds_", ["numeric", "categorical", "wrong"]),
        ("kinds_", ["numeric", "categorical"]),
        ("categories_", [np.array([], dtype=object), np.array(["x", "x"], dtype=object), np.array([], dtype=object)]),
        ("lookups_", [np.empty((0, 0)), np.zeros((2, 1)), np.empty((0, 0))]),
        ("lookups_", [np.empty((0, 0)), np.full((3, 1), np.nan), np.empty((0, 0))]),
        ("scale_", np.zeros(3)),
        ("fill_", np.zeros(2)),
        ("center_", np.full(3, np.inf)),
        ("datetime_parts_", [[], [], ["eon"]]),
        ("indicated_", np.zeros(2, dtype=bool)),
        ("n_features_in_", 4),
        ("feature_names_in_", np.array(["a", "a", "t"], dtype=object)),
    ],
)
def test_state_from_a_file_is_checked(attribute, value):
    encoder = TableEncoder(categories="ordinal", datetimes="epoch").fit(TRAIN)
    encoder._validate_state()
    setattr(encoder, attribute, value)
    with pytest.raises(ModelFormatError, match="TableEncoder"):
        encoder._validate_state()


@pytest.mark.parametrize("X", ["table.csv", b"a,b", {"a": [1.0]}])
def test_what_must_be_read_or_converted_first(X):
    with pytest.raises(ValueError, match=f"X: got {type(X).__name__}.*polars"):
        TableEncoder().fit(X)


def test_parameters_set_later_are_for_the_next_fit():
    known, unknown = [["a"], ["b"], ["b"]], [["c"]]
    encoder = TableEncoder(max_categories=None).fit(known)
    before = encoder.transform(unknown)
    encoder.set_params(handle_unknown="error", dtype="float32")
    assert encoder.transform(unknown).tobytes() == before.tobytes()
    with pytest.raises(ValueError, match="handle_unknown='ignore'"):
        encoder.fit(known).transform(unknown)
    with pytest.raises(ValueError, match="handle_unknown='ignore'"):
        encoder.set_params(handle_unknown="ignore").transform(unknown)
    assert encoder.transform(known).dtype == np.float32
