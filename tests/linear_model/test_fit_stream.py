"""fit_stream: the answer of fit, from whatever comes in batches; bad batches leave the model as it was."""

import gc
import weakref

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet
from scipy import sparse
from sklearn.base import clone

from mlwright.linear_model import (
    ElasticNet,
    Lasso,
    LassoCV,
    LassoLarsIC,
    LinearRegression,
    MultiTaskLasso,
    Ridge,
    RidgeClassifier,
    RidgeCV,
)

rng = np.random.default_rng(0)
X = rng.standard_normal((300, 4)) + 2.0
Y = X[:, :2] + rng.standard_normal((300, 2))
y, w = Y[:, 0], rng.random(300) + 0.1
LABELS = np.array(["low", "middle", "high"])[np.digitize(y, [1.5, 2.5])]


def cut(*arrays, step=70):
    """Of every array the same rows, batch by batch."""
    for begin in range(0, 300, step):
        yield tuple(a[begin : begin + step] for a in arrays)


@pytest.mark.parametrize(
    "model",
    [LinearRegression(), Ridge(), ElasticNet(0.1, tol=1e-12), LassoLarsIC(), Ridge(positive=True)],
    ids=repr,
)
def test_batches_are_the_whole(model):
    whole = model.fit(X, y, sample_weight=w).coef_
    np.testing.assert_allclose(model.fit_stream(cut(X, y, w)).coef_, whole, rtol=1e-9)
    np.testing.assert_allclose(model.fit_stream((sparse.csr_array(a), b, c) for a, b, c in cut(X, y, w)).coef_, whole)


def test_several_targets_and_classes():
    tasks = MultiTaskLasso(0.05, tol=1e-12)
    np.testing.assert_allclose(
        tasks.fit_stream(cut(X, Y)).coef_, MultiTaskLasso(0.05, tol=1e-12).fit(X, Y).coef_, rtol=1e-6
    )
    order = np.argsort(LABELS, kind="stable")  # so that no batch has all classes
    model = RidgeClassifier().fit_stream(cut(X[order], LABELS[order]))
    np.testing.assert_allclose(model.coef_, RidgeClassifier().fit(X, LABELS).coef_, atol=1e-10)


def frame():
    return {**{f"x{j}": X[:, j] for j in range(4)}, "w": w, "y": y}


def tables(kind, tmp_path):
    if kind == "parquet":
        parquet.write_table(pa.table(frame()), tmp_path / "rows.parquet", row_group_size=50)
        return tmp_path / "rows.parquet"
    if kind == "arrow":
        return pa.table(frame())
    if kind == "reader":
        return pa.table(frame()).to_reader(max_chunksize=64)
    make = pd.DataFrame if kind == "pandas" else pl.DataFrame
    return [make({name: column[i : i + 70] for name, column in frame().items()}) for i in range(0, 300, 70)]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "reader", "pandas", "polars"])
def test_tables(kind, tmp_path):
    model = Ridge().fit_stream(tables(kind, tmp_path), target="y", sample_weight="w")
    np.testing.assert_allclose(model.coef_, Ridge().fit(X, y, w).coef_, rtol=1e-10)
    assert model.feature_names_in_.tolist() == ["x0", "x1", "x2", "x3"]
    both = Ridge().fit_stream(tables(kind, tmp_path), target=["y", "w"])
    assert both.coef_.shape == (2, 4)


@pytest.mark.parametrize(
    "model", [LinearRegression(), Lasso(0.1), RidgeCV(cv=3), LassoCV()], ids=lambda m: type(m).__name__
)
def test_batches_that_weigh_nothing_count_for_nothing(model):
    nothing = (X[:40] + 1.0, y[:40], np.zeros(40))
    got = clone(model).fit_stream([nothing, (X[40:90], y[40:90], w[40:90]), nothing, (X[90:], y[90:], w[90:])])
    want = clone(model).fit_stream([(X[40:90], y[40:90], w[40:90]), (X[90:], y[90:], w[90:])])
    np.testing.assert_array_equal(got.coef_, want.coef_)
    with pytest.raises(ValueError, match="got no batch that has rows"):
        clone(model).fit_stream([nothing, nothing])
    for strange in (np.zeros(39), np.full(40, np.nan), np.zeros((40, 1)), ["a"] * 40):
        with pytest.raises(ValueError):
            clone(model).fit_stream([(X[40:], y[40:]), (X[:40], y[:40], strange)])


def test_batches_without_rows_count_for_nothing():
    filtered = dataset.InMemoryDataset(pa.table(frame())).scanner(filter=dataset.field("x0") > 2.0, batch_size=20)
    of_one = dataset.InMemoryDataset(pa.table(frame())).scanner(filter=dataset.field("x0") > X[:, 0].max() - 1e-9)
    kept = X[:, 0] > 2.0
    model = Ridge().fit_stream([*of_one.to_batches(), *filtered.to_batches(), pa.table(frame())[:0]], target="y")
    assert model._statistics["n_rows"] == kept.sum() + 1
    batches = [(X[:0], y[:0]), (X, y), (sparse.csr_array(X[:0]), [])]
    np.testing.assert_array_equal(Ridge().fit_stream(batches).coef_, Ridge().fit(X, y).coef_)
    with pytest.raises(ValueError, match="got no batch that has rows"):
        Ridge().fit_stream([(X[:0], y[:0])])
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        Ridge().fit_stream([(X, y), (X, y[:0])])


@pytest.mark.parametrize("model", [Ridge(), RidgeCV(cv=3), LassoCV(alphas=5)], ids=repr)
def test_one_batch_is_in_memory_at_a_time(model):
    alive = []

    def batches():
        for part in cut(X, y):
            copy = part[0].copy()
            alive.append(weakref.ref(copy))
            yield copy, part[1]
            del copy
            gc.collect()
            assert sum(ref() is not None for ref in alive) <= 1  # the one that the model has just read

    model.fit_stream(batches())
    assert len(alive) == 5


def test_bad_batches_leave_the_model_as_it_was():
    model = Ridge().fit(X, y)
    before = model.coef_.copy()
    bad = X.copy()
    bad[250, 1] = np.nan
    table = pa.table(frame())
    for batches, settings, error, message in [
        ([], {}, ValueError, "got no batch"),
        (cut(bad, y), {}, ValueError, "contains NaN"),
        ([(X, y), (X[:, :2], y)], {}, ValueError, "2 features"),
        ([X], {}, ValueError, r"batch 0 is a ndarray, expected \(X, y\)"),
        (table, {}, ValueError, "name the column of y by target"),
        (table, {"target": "z"}, ValueError, "batch 0 has no column 'z'"),
        (
            [table.select(["y"])],
            {"target": "y"},
            ValueError,
            r"batch 0 has no column beside \['y'\], expected features",
        ),
        (
            [(X, y)],
            {"sample_weight": "w"},
            ValueError,
            "sample_weight='w' without target, expected weights in the tuples",
        ),
        ([X], {"target": "y"}, TypeError, "expected a table"),
        (3, {}, TypeError, "got int, expected an iterable"),
    ]:
        with pytest.raises(error, match=message):
            model.fit_stream(batches, **settings)
        np.testing.assert_array_equal(model.coef_, before)
    with pytest.raises(FileNotFoundError):
        model.fit_stream("no such file.parquet", target="y")
