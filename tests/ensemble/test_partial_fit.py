"""More trees on new rows: values outside the old range, levels that are new, bins of other tables."""

import copy

import numpy as np
import pandas as pd
import pytest

import mlwright
from mlwright.ensemble import BinnedData, HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.ensemble._boosting.new_levels import with_levels

SMALL = {"max_iter": 20, "min_samples_leaf": 5, "early_stopping": False, "random_state": 0}


def test_new_trees_cut_outside_the_old_range():
    X = np.arange(400.0)[:, None]
    y = np.where(X[:, 0] < 100, 0.0, np.where(X[:, 0] < 300, 1.0, 5.0))
    model = HistGradientBoostingRegressor(**SMALL).fit(X[:200], y[:200])
    np.testing.assert_allclose(model.predict([[350.0]]), 1, atol=0.2)
    model.partial_fit(X[200:], y[200:], n_iter=60)
    np.testing.assert_allclose(model.predict([[250.0], [350.0], [1e9]]), [1, 5, 5], atol=0.1)
    assert model._trees["threshold"].max() > 200


def shops(cities, seed, n=600):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"city": rng.choice(cities, n), "size": rng.normal(size=n)})
    frame.loc[rng.random(n) < 0.1, "city"] = None
    effect = {"Bern": 0.0, "Oslo": 2.0, "Rome": -2.0, "Aarhus": 5.0, "Zug": -5.0, None: 1.0}
    return frame, frame["city"].map(lambda c: effect[c if isinstance(c, str) else None]).to_numpy() + 0.1 * frame[
        "size"
    ]


@pytest.mark.parametrize("kind", ["regression", "classes"])
def test_new_levels_are_learnt_and_old_predictions_are_kept(kind, tmp_path):
    old, y_old = shops(["Bern", "Oslo", "Rome"], 0)
    new, y_new = shops(["Aarhus", "Oslo", "Zug"], 1)
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    if kind == "classes":
        y_old, y_new = (np.digitize(y, [-1, 1]) for y in (y_old, y_new))
    model = cls(**SMALL).fit(old, y_old)
    of_new, of_old = model._raw_predict(new), model._raw_predict(old)
    model.partial_fit(new, y_new, n_iter=1)
    first = len(model._trees["offsets"]) - 1 - model.n_trees_per_iteration_
    raw = [model._staged_raw_predict(X) for X in (new, old)]
    for _ in range(first // model.n_trees_per_iteration_ - 1):
        [next(stages) for stages in raw]
    np.testing.assert_array_equal(next(raw[0]), of_new)  # as missing, as before
    np.testing.assert_array_equal(next(raw[1]), of_old)
    assert model._levels[0].tolist() == ["Aarhus", "Bern", "Oslo", "Rome", "Zug"]
    model.partial_fit(new, y_new, n_iter=80)
    if kind == "regression":
        cities = pd.DataFrame({"city": ["Aarhus", "Zug"], "size": [0.0, 0.0]})
        np.testing.assert_allclose(model.predict(cities), [5, -5], atol=0.3)
    else:
        assert (model.predict(new) == y_new).mean() > 0.95
    mlwright.save(model, tmp_path / "model.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "model.mlw").predict(new), model.predict(new))


def test_a_feature_may_grow_beyond_a_byte_of_levels():
    frame, y = shops(["Bern", "Oslo", "Rome"], 0)
    rng = np.random.default_rng(2)
    wide = pd.DataFrame({"city": [f"shop {i:03d}" for i in rng.integers(0, 400, 900)], "size": rng.normal(size=900)})
    model = HistGradientBoostingRegressor(**SMALL).fit(frame, y)
    before = model.predict(frame)
    model.partial_fit(wide, np.zeros(900), n_iter=1)
    assert len(model._levels[0]) == 3 + wide["city"].nunique()
    staged = list(model.staged_predict(frame))
    np.testing.assert_array_equal(staged[-2], before)
    model.partial_fit(frame, y, n_iter=40)
    assert np.abs(model.predict(frame) - y).mean() < 0.3


def test_no_new_level_changes_nothing():
    frame, y = shops(["Bern", "Oslo", "Rome"], 0)
    model = HistGradientBoostingRegressor(**SMALL).fit(frame, y)
    trees = model._trees
    assert with_levels(trees, {}, {}) is trees
    again = copy.deepcopy(model).partial_fit(frame[frame["city"] != "Rome"], y[frame["city"] != "Rome"], n_iter=1)
    assert again._levels[0].tolist() == model._levels[0].tolist()
    np.testing.assert_array_equal(list(again.staged_predict(frame))[-2], model.predict(frame))


def test_bad_rows_leave_levels_and_trees_alone():
    frame, y = shops(["Bern", "Oslo", "Rome"], 0)
    new, y_new = shops(["Aarhus", "Oslo"], 1)
    model = HistGradientBoostingRegressor(**SMALL).fit(frame, y)
    before = model.predict(new)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(new, np.full(len(new), np.nan))
    with pytest.raises(TypeError, match="got numbers, expected text as in fit"):
        model.partial_fit(new.assign(city=1.0), y_new)
    assert model._levels[0].tolist() == ["Bern", "Oslo", "Rome"]
    np.testing.assert_array_equal(model.predict(new), before)


def test_bins_that_the_trees_do_not_fall_between_are_refused():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 2)), rng.normal(size=500)
    model = HistGradientBoostingRegressor(**SMALL).fit(X, y)
    for call in (model.partial_fit, model.refit_leaves):
        with pytest.raises(ValueError, match="bins are not those the model was fitted by"):
            call(BinnedData(X, max_bins=5), y)
