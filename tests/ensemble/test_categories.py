"""Categorical features of boosting: laws of their splits, and what X may be."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import ensemble as sk_ensemble
from sklearn.metrics import log_loss, mean_squared_error

import mlwright
from mlwright._runtime import simd
from mlwright._runtime.errors import ModelFormatError
from mlwright.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)

SMALL = {"max_iter": 10, "min_samples_leaf": 3, "max_leaf_nodes": 8, "early_stopping": False, "random_state": 0}
KINDS = ("regression", "binary", "multiclass")
WIDE = 600  # levels: more than a byte of codes


def problem(n=500, kind="regression", n_levels=12, seed=0):
    """Two numeric features and one of levels 0 to n_levels - 1 (column 1); missing values in all but the last."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, n_levels, n), rng.normal(size=n)])
    effect = rng.normal(size=n_levels)
    f = X[:, 0] + 2 * effect[X[:, 1].astype(int)] + 0.5 * X[:, 2] * np.sign(effect)[X[:, 1].astype(int)]
    X[rng.random(n) < 0.1, 0] = np.nan
    gone = rng.random(n) < 0.1
    X[gone, 1] = np.nan
    f[gone] += 1
    if kind == "regression":
        return X, f + 0.3 * rng.normal(size=n)
    noisy = f + rng.logistic(size=n)
    return X, np.digitize(noisy, [0.0] if kind == "binary" else [-1.0, 1.0])


def model_for(kind, **parameters):
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return cls(**{**SMALL, "categorical_features": [1], **parameters})


def scores(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def relabelled(X, seed=1):
    """X with its levels permuted and far apart, the permutation undone nowhere."""
    levels = np.unique(X[~np.isnan(X[:, 1]), 1])
    names = np.random.default_rng(seed).permutation(len(levels)) * 7.5 - 100
    X = X.copy()
    present = ~np.isnan(X[:, 1])
    X[present, 1] = names[np.searchsorted(levels, X[present, 1])]
    return X


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_levels", [2, 12, 200])
def test_names_of_levels_do_not_matter(kind, n_levels):
    X, y = problem(kind=kind, n_levels=n_levels)
    expected = scores(model_for(kind).fit(X, y), X)
    assert_array_equal(scores(model_for(kind).fit(relabelled(X), y), relabelled(X)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_integer_weights_are_repetitions(kind):
    X, y = problem(kind=kind)
    weight = np.random.default_rng(2).integers(1, 4, len(y))
    weighted = model_for(kind).fit(X, y, weight)
    repeated = model_for(kind).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    for name in ("feature", "threshold", "left", "right", "missing_left", "category_set", "set_words"):
        assert_array_equal(weighted._trees[name], repeated._trees[name], err_msg=name)
    assert_allclose(scores(weighted, X), scores(repeated, X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_threads_and_simd_level(kind):
    X, y = problem(40_000, kind, n_levels=WIDE)
    X = np.column_stack([X, X[:, 1] % 7])
    expected = None
    try:
        for level in simd.supported_levels():
            for n_threads in (1, 2, 3, 8) if level == simd.supported_levels()[-1] else (2,):
                mlwright.set_num_threads(n_threads)
                with simd.use_level(level):
                    model = model_for(kind, max_iter=3, categorical_features=[1, 3]).fit(X, y)
                    got = scores(model, X).tobytes(), *(array.tobytes() for array in model._trees.values())
                expected = expected or got
                assert got == expected, (level, n_threads)
    finally:
        mlwright.set_num_threads(None)


@pytest.mark.parametrize("kind", KINDS)
def test_as_good_as_scikit_learn_on_few_levels(kind):
    X, y = problem(6000, kind, n_levels=20)
    train, test = slice(0, 3000), slice(3000, None)
    parameters = {"max_iter": 50, "categorical_features": [1], "early_stopping": False}
    ours = model_for(kind, **{**parameters, "max_leaf_nodes": 31, "min_samples_leaf": 20}).fit(X[train], y[train])
    theirs = getattr(sk_ensemble, type(ours).__name__)(**parameters).fit(X[train], y[train])
    loss = mean_squared_error if kind == "regression" else log_loss
    assert loss(y[test], scores(ours, X[test])) < 1.02 * loss(y[test], scores(theirs, X[test]))


def frames(X, names=("a", "b", "c")):
    """The same table in every form, its middle column text; and whether it needs naming."""
    text = [None if np.isnan(v) else f"level {int(v):03d}" for v in X[:, 1]]
    columns = {names[0]: X[:, 0], names[1]: text, names[2]: X[:, 2]}
    objects = np.array(list(zip(*columns.values(), strict=True)), dtype=object)
    plain = pl.DataFrame(columns)
    yield "pandas text", pd.DataFrame(columns)
    yield "pandas object", pd.DataFrame(columns).astype({"b": object})
    yield "pandas category", pd.DataFrame(columns).astype({"b": "category"})
    yield "polars text", plain
    yield "polars category", plain.with_columns(pl.col("b").cast(pl.Categorical))
    yield "polars enum", plain.with_columns(pl.col("b").cast(pl.Enum(sorted({t for t in text if t}, reverse=True))))
    yield "pyarrow text", pa.table(columns)
    yield "pyarrow dictionary", pa.table({**columns, "b": pa.array(text).dictionary_encode()})
    yield "objects", objects


@pytest.mark.parametrize("n_levels", [12, WIDE])
def test_every_form_of_a_table_gives_the_same_model(n_levels):
    X, y = problem(900, n_levels=n_levels)
    expected = scores(model_for("regression").fit(X, y), X)
    tables = dict(frames(X))
    for name, table in tables.items():
        named = {"categorical_features": [1]} if name == "objects" else {"categorical_features": "from_dtype"}
        model = model_for("regression", **named).fit(table, y)
        assert_array_equal(model.predict(table), expected, err_msg=name)
        if name != "objects":
            for other in ("pandas text", "polars enum", "pyarrow dictionary"):
                assert_array_equal(model.predict(tables[other]), expected, err_msg=f"{name}, then {other}")


@pytest.mark.parametrize("which", [[1], [False, True, False], ["b"], "from_dtype"])
def test_ways_to_say_which_features_are_categorical(which):
    X, y = problem()
    table = pd.DataFrame(X, columns=["a", "b", "c"]).astype({"b": "category"})
    model = model_for("regression", categorical_features=which).fit(table, y)
    assert_array_equal(model.is_categorical_, [False, True, False])
    assert_array_equal(model.predict(table), model_for("regression").fit(X, y).predict(X))


@pytest.mark.parametrize("n_levels", [12, WIDE])
def test_unknown_levels_are_missing_values(n_levels):
    X, y = problem(900, n_levels=n_levels)
    model = model_for("regression").fit(X, y)
    unknown, missing = X.copy(), X.copy()
    unknown[:, 1], missing[:, 1] = np.where(np.arange(len(X)) % 2, -3.0, 1e6), np.nan
    assert_array_equal(model.predict(unknown), model.predict(missing))
    assert not np.array_equal(model.predict(missing), model.predict(X))
    table = dict(frames(X))["pandas category"]
    model = model_for("regression", categorical_features="from_dtype").fit(table, y)
    assert_array_equal(
        model.predict(table.assign(b="never seen")), model.predict(table.assign(b=None).astype({"b": object}))
    )


def test_levels_of_few_rows_teach_nothing_by_chance():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=4000), rng.integers(0, 2000, 4000)])
    y = rng.integers(0, 2, 4000)
    model = model_for("binary", max_iter=50, min_samples_leaf=20).fit(X, y)
    share = np.isin(model._trees["feature"], [1]).sum() / (model._trees["feature"] >= 0).sum()
    assert share < 0.6
    fresh = np.column_stack([rng.normal(size=4000), rng.integers(0, 2000, 4000)])
    assert log_loss(rng.integers(0, 2, 4000), model.predict_proba(fresh)) < np.log(2) + 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_many_levels_are_learned(kind):
    X, y = problem(40_000, kind, n_levels=2000)
    train, test = slice(0, 20_000), slice(20_000, None)
    with_levels = model_for(kind, max_iter=50).fit(X[train], y[train])
    without = model_for(kind, max_iter=50, categorical_features=None).fit(X[train][:, [0, 2]], y[train])
    loss = mean_squared_error if kind == "regression" else log_loss
    assert loss(y[test], scores(with_levels, X[test])) < 0.85 * loss(y[test], scores(without, X[test][:, [0, 2]]))


def test_many_levels_that_only_spread_the_target_are_learned_by_quantiles():
    rng = np.random.default_rng(0)
    level = rng.integers(0, WIDE, 9000)
    y = np.where(level % 2, 3.0, 0.3) * rng.normal(size=len(level))
    parameters = {**SMALL, "categorical_features": [0], "max_iter": 30}
    model = HistGradientBoostingQuantileRegressor([0.1, 0.5, 0.9], **parameters)
    low, _, high = model.fit(level[:, None], y, rng.uniform(0.5, 2, len(y))).predict(np.arange(WIDE)[:, None]).T
    assert np.mean((high - low)[1::2]) > 3 * np.mean((high - low)[::2])


def test_constraints():
    X, y = problem()
    with pytest.raises(ValueError, match="Categorical features cannot have monotonic constraints"):
        model_for("regression", monotonic_cst=[0, 1, 0]).fit(X, y)
    model = model_for("regression", monotonic_cst=[1, 0, 0]).fit(X, y)
    row = np.repeat(X[:1], 50, axis=0)
    row[:, 0] = np.linspace(-3, 3, 50)
    assert (np.diff(model.predict(row)) >= 0).all()
    for n_levels in (12, WIDE):  # what b adds does not depend on c
        X, y = problem(2000, n_levels=n_levels)
        model = model_for("regression", interaction_cst=[[0], [1], [2]], max_iter=30).fit(X, y)
        corners = np.repeat(X[:1], 4, axis=0)
        corners[:, 1], corners[:, 2] = [3, 3, 7, 7], [-1, 1, -1, 1]
        at = model.predict(corners)
        assert_allclose(at[0] - at[1], at[2] - at[3], atol=1e-9)


@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_early_stopping_and_given_validation_rows(scoring):
    X, y = problem(2000, n_levels=40)
    table = dict(frames(X))["polars text"]
    parameters = {"categorical_features": "from_dtype", "early_stopping": True, "scoring": scoring, "max_iter": 15}
    inside = model_for("regression", **parameters).fit(table, y)
    assert inside.validation_score_[-1] > inside.validation_score_[0]
    given = model_for("regression", **parameters).fit(table[:1500], y[:1500], X_val=table[1500:], y_val=y[1500:])
    assert given.validation_score_[-1] > given.validation_score_[0]


@pytest.mark.parametrize("n_levels", [12, WIDE])
def test_warm_start_keeps_the_levels_of_the_first_fit(n_levels):
    X, y = problem(900, n_levels=n_levels)
    model = model_for("regression", warm_start=True, max_iter=5).fit(X, y)
    levels = model._levels[0]
    model.set_params(max_iter=10).fit(X[X[:, 1] != levels[3]], y[X[:, 1] != levels[3]])
    assert_array_equal(model._levels[0], levels)
    assert model.n_iter_ == 10
    if n_levels == 12:
        again = model_for("regression", warm_start=True, max_iter=5).fit(X, y).set_params(max_iter=10).fit(X, y)
        assert_array_equal(again.predict(X), model_for("regression", max_iter=10).fit(X, y).predict(X))


def test_files_keep_the_levels(tmp_path):
    X, y = problem(900, n_levels=WIDE)
    table = dict(frames(X))["pandas text"]
    model = model_for("regression", categorical_features="from_dtype").fit(table, y)
    mlwright.save(model, tmp_path / "model.mlw")
    again = mlwright.load(tmp_path / "model.mlw")
    shuffled = table.sample(frac=1, random_state=0)
    assert_array_equal(again.predict(shuffled), model.predict(shuffled))
    for damage in (
        lambda m: m._levels.append(m._levels[0]),
        lambda m: m._levels.__setitem__(0, m._levels[0][::-1]),
        lambda m: setattr(m, "is_categorical_", None),
    ):
        broken = mlwright.load(tmp_path / "model.mlw")
        damage(broken)
        with pytest.raises(ModelFormatError, match="levels"):
            broken._validate_state()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, "a"] * 250, "column 'b' holds int, str"),
        ([b"a", b"b"] * 250, "column 'b' holds bytes"),
        (pd.date_range("2020", periods=500), "column 'b'"),
    ],
)
def test_cells_that_are_neither_text_nor_numbers_are_refused(column, message):
    X, y = problem()
    table = pd.DataFrame({"a": X[:, 0], "b": column, "c": X[:, 2]})
    with pytest.raises(TypeError, match=message):
        model_for("regression").fit(table, y)


@pytest.mark.parametrize(
    "cells", [pd.date_range("2026-11-28", periods=3), pd.to_timedelta([1, 2, 3], "s"), pl.Series([[1], [2], []])]
)
def test_columns_of_dates_and_lists_are_refused_by_name(cells):
    table = pl.DataFrame({"when": cells}) if isinstance(cells, pl.Series) else pd.DataFrame({"when": cells})
    with pytest.raises(TypeError, match=r"X: column 'when' holds (Datetime|Duration|List).*, expected numbers"):
        HistGradientBoostingRegressor().fit(table, [1.0, 2.0, 3.0])


def test_another_kind_of_column_at_predict_is_refused():
    X, y = problem()
    tables = dict(frames(X))
    model = model_for("regression", categorical_features="from_dtype").fit(tables["pandas text"], y)
    with pytest.raises(TypeError, match="column 'b': got numbers, expected text as in fit"):
        model.predict(pd.DataFrame(X, columns=["a", "b", "c"]))


def test_odd_columns_of_levels():
    X, y = problem(60)
    X[:, 1] = np.nan
    assert np.isfinite(model_for("regression").fit(X, y).predict(X)).all()
    X[:, 1] = 4
    assert np.isfinite(model_for("regression").fit(X, y).predict(X)).all()
    ids = np.arange(60) + 2**60  # no two are equal as integers, all are as floats
    table = pd.DataFrame({"a": X[:, 0], "b": ids, "c": X[:, 2]})
    model = model_for("regression", categorical_features=["b"]).fit(table, y)
    assert len(model._levels[0]) == 60
    assert_array_equal(model.predict(table.iloc[:1]), model.predict(table)[:1])
