"""Categorical columns of tables: the same as one-hot columns under the same penalty."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder

import mlwright
from mlwright._runtime import threads
from mlwright.linear_model import GeneralizedLinearRegressor


def table(n=600):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.uniform(18, 80, n),
            "region": pd.Categorical(
                rng.choice(["north", "south", "east"], n), categories=["west", "south", "north", "east"]
            ),
            "power": rng.integers(4, 9, n).astype(float),
            "brand": rng.choice(["a", "b", "c", "d", "e"], n),
        }
    )
    effect = frame["region"].map({"north": 0.0, "south": 0.5, "east": -0.5}).astype(float)
    y = rng.poisson(np.exp(0.01 * frame["age"] + effect + 0.3 * (frame["brand"] == "c"))).astype(float)
    return frame, y


def one_hot(frame):
    encoder = OneHotEncoder(sparse_output=False)
    columns = [
        ("passthrough", ["age"]),
        (encoder, ["region"]),
        ("passthrough", ["power"]),
        (OneHotEncoder(sparse_output=False), ["brand"]),
    ]
    return make_column_transformer(*columns).fit_transform(frame.assign(region=frame["region"].astype(str)))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_equals_one_hot_columns(alpha, l1_ratio):
    frame, y = table()
    w = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    model = GeneralizedLinearRegressor("poisson", alpha=alpha, l1_ratio=l1_ratio, tol=1e-7, max_iter=1000)
    model.fit(frame, y, w)
    dense = GeneralizedLinearRegressor("poisson", alpha=alpha, l1_ratio=l1_ratio, tol=1e-7, max_iter=1000)
    dense.fit(one_hot(frame), y, w)
    np.testing.assert_allclose(model.predict(frame), dense.predict(one_hot(frame)), rtol=1e-5)
    assert model.objective_ == pytest.approx(dense.objective_, rel=1e-8)
    if alpha:
        np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
    assert model.coef_names_.tolist()[:5] == ["age", "region=east", "region=north", "region=south", "power"]
    assert model.coef_.shape == model.coef_names_.shape == (10,)
    assert model.n_features_in_ == 4
    assert model.feature_names_in_.tolist() == ["age", "region", "power", "brand"]
    assert model.is_categorical_.tolist() == [False, True, False, True]


def test_every_library_and_order_of_levels_says_the_same(tmp_path):
    frame, y = table()
    model = GeneralizedLinearRegressor("poisson", alpha=0.01).fit(frame, y)
    other = pl.from_pandas(frame)
    assert other["region"].dtype in (pl.Categorical, pl.Enum)
    from_polars = GeneralizedLinearRegressor("poisson", alpha=0.01).fit(other, y)
    np.testing.assert_array_equal(from_polars.coef_, model.coef_)
    np.testing.assert_array_equal(model.predict(other), model.predict(frame))
    turned = frame.assign(region=frame["region"].cat.reorder_categories(["east", "west", "north", "south"]))
    np.testing.assert_array_equal(model.predict(turned.iloc[:7]), model.predict(frame.iloc[:7]))
    mlwright.save(model, tmp_path / "m.mlw")
    loaded = mlwright.load(tmp_path / "m.mlw")
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    assert loaded.coef_names_.tolist() == model.coef_names_.tolist()
    assert model.score(frame, y) == loaded.score(frame, y) > 0.0
    assert model.predict_interval(frame).shape == (600, 2)


def test_a_level_that_only_rows_without_weight_have_is_not_there():
    frame, y = table()
    frame.loc[:9, "brand"], w = "z", np.ones(len(y))
    w[:10] = 0.0
    model = GeneralizedLinearRegressor("poisson", alpha=0.01, tol=1e-7).fit(frame, y, w)
    without = GeneralizedLinearRegressor("poisson", alpha=0.01, tol=1e-7).fit(frame[10:], y[10:])
    assert model.coef_names_.tolist() == without.coef_names_.tolist()
    np.testing.assert_allclose(model.coef_, without.coef_, atol=1e-7)


def test_exposures_warm_starts_and_refits():
    frame, y = table()
    years = np.random.default_rng(2).uniform(0.5, 1.0, len(y))
    model = GeneralizedLinearRegressor("poisson", alpha=0.01, warm_start=True).fit(frame, y, exposure=years)
    np.testing.assert_allclose(model.predict(frame, exposure=years), model.predict(frame) * years)
    coef = model.coef_
    np.testing.assert_allclose(model.fit(frame, y, exposure=years).coef_, coef, atol=1e-3)
    plain = model.fit(frame[["age", "power"]], y)
    assert plain.is_categorical_ is None
    assert plain.coef_.shape == (2,)


def test_standard_errors_of_levels():
    """Without an intercept and with one category the levels are determined."""
    frame, y = table()
    part = frame[["age", "region"]]
    model = GeneralizedLinearRegressor("poisson", fit_intercept=False, tol=1e-8).fit(part, y)
    dense = GeneralizedLinearRegressor("poisson", fit_intercept=False, tol=1e-8).fit(one_hot(frame)[:, :4], y)
    np.testing.assert_allclose(model.std_errors_, dense.std_errors_, rtol=1e-5)
    robust = model.inference(part, y, cov_type="HC0")
    assert robust.names == ("age", "region=east", "region=north", "region=south")


@pytest.mark.parametrize("intercept", [True, False])
def test_levels_are_told_from_the_first(intercept):
    """As from columns of which that of the first level is left out."""
    frame, y = table()
    rows = one_hot(frame)
    model = GeneralizedLinearRegressor("poisson", fit_intercept=intercept, tol=1e-9, max_iter=500).fit(frame, y)
    names, result = model.coef_names_, model.inference(frame, y)
    first = [np.flatnonzero([name.startswith(f"{c}=") for name in names])[0] for c in ("region", "brand")]
    left_out = first if intercept else first[1:] if first[0] < first[1] else first[:1]
    keep = np.setdiff1d(np.arange(len(names)), left_out)
    dense = clone(model).fit(rows[:, keep], y)
    want = dense.inference(rows[:, keep], y)
    assert result.names == ("intercept",) * intercept + tuple(names[keep])
    np.testing.assert_allclose(result.params, want.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.std_errors, want.std_errors, rtol=1e-6)
    np.testing.assert_allclose(model.std_errors_, result.std_errors, rtol=1e-9)
    for kind in ("HC0", "HC3"):
        robust = [m.inference(r, y, cov_type=kind).std_errors for m, r in ((model, frame), (dense, rows[:, keep]))]
        np.testing.assert_allclose(*robust, rtol=1e-6)
    assert model.inference(frame, y).wald_test(["region=north", "region=south"]).df == 2


@pytest.mark.parametrize("library", [lambda frame: frame, pl.from_pandas], ids=["pandas", "polars"])
@pytest.mark.parametrize("kind", ["nonrobust", "HC3", "cluster"])
def test_inference_leaves_out_levels_that_weigh_nothing(kind, library):
    """A row of weight zero is no row, and its level none."""
    frame, y = table()
    w = np.where(frame["brand"] == "e", 0.0, 2.0)
    groups = np.arange(len(y)) // 6
    some, weighs = frame[w > 0.0], w > 0.0
    model = GeneralizedLinearRegressor("poisson", tol=1e-8).fit(library(frame), y, sample_weight=w)

    def told(rows, y, w, groups):
        groups = groups if kind == "cluster" else None
        return model.inference(rows, y, sample_weight=w, cov_type=kind, groups=groups).std_errors

    want = told(library(some), y[weighs], w[weighs], groups[weighs])
    np.testing.assert_allclose(told(library(frame), y, w, groups), want, rtol=1e-12)


def test_what_cannot_be_coded():
    frame, y = table()
    model = GeneralizedLinearRegressor("poisson", alpha=0.01).fit(frame, y)
    hole = frame.copy()
    hole.loc[3, "region"] = None
    fresh = frame.copy()
    fresh.loc[5, "brand"] = "z"
    with pytest.raises(ValueError, match="column 'region' is missing in row 3"):
        GeneralizedLinearRegressor("poisson").fit(hole, y)
    with pytest.raises(ValueError, match=r"column 'region' has .* in row 3, expected one of"):
        model.predict(hole)
    with pytest.raises(ValueError, match="column 'brand' has 'z' in row 5, expected one of the 5 levels"):
        model.predict(fresh)
    with pytest.raises(TypeError, match="expected a data frame"):
        model.predict(one_hot(frame))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"age": "years"}))
    frame.loc[2, "age"] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        GeneralizedLinearRegressor("poisson").fit(frame, y)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_many_levels_equal_one_hot_columns_with_the_same_bits(l1_ratio):
    """More columns than a Gram matrix in cache has, and than an L1 penalty takes without working sets."""
    rng = np.random.default_rng(0)
    n = 4000
    many, few = rng.integers(0, 560, n), rng.integers(0, 9, n)
    x = rng.standard_normal((n, 9)) * 100.0 + 50.0
    y = rng.poisson(np.exp(0.3 * rng.standard_normal(560)[many] + 0.1 * few + 1e-3 * x[:, 0])).astype(float)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(9)])
    frame.insert(4, "many", pd.Categorical(many))
    frame["few"] = pd.Categorical(few)
    encoded = np.hstack([x[:, :4], np.eye(560)[many], x[:, 4:], np.eye(9)[few]])
    settings = {"alpha": 1e-3, "l1_ratio": l1_ratio, "tol": 1e-5}
    model = GeneralizedLinearRegressor("poisson", **settings).fit(frame, y)
    dense = GeneralizedLinearRegressor("poisson", **settings).fit(encoded, y)
    assert model.converged_
    assert model.objective_ == pytest.approx(dense.objective_, rel=1e-7)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-4)
    np.testing.assert_allclose(model.predict(frame), dense.predict(encoded), rtol=1e-4)
    for n_threads in (1, 3):
        with threads.limit(n_threads):
            again = GeneralizedLinearRegressor("poisson", **settings).fit(frame, y)
        assert np.array_equal(again.coef_, model.coef_)


def test_categories_alone():
    frame, y = table()
    part, encoded = frame[["region", "brand"]], np.delete(one_hot(frame), [0, 4], axis=1)
    model, dense = (GeneralizedLinearRegressor("poisson", alpha=0.01, tol=1e-7).fit(X, y) for X in (part, encoded))
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-6)
    np.testing.assert_allclose(model.predict(part), np.exp(model.intercept_ + encoded @ model.coef_))
