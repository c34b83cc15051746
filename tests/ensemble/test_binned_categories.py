"""BinnedData with categorical features: the bits of fitting the table, whatever its levels are."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from mlwright.ensemble import (
    BinnedData,
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)

SMALL = {"max_iter": 6, "min_samples_leaf": 3, "max_leaf_nodes": 8, "early_stopping": False, "random_state": 0}


def table(n_levels=12, n=600):
    """A number, text of some levels and a category of more; missing cells in all."""
    rng = np.random.default_rng(0)
    city = rng.integers(0, n_levels, n)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "city": [f"city {i:04d}" for i in city],
            "kind": pd.Categorical(rng.integers(0, 3, n).astype(str)),
            "age": rng.normal(size=n).astype(np.float32),
        }
    )
    effect = rng.normal(size=n_levels)
    y = frame["size"].to_numpy() + 2 * effect[city] + 0.3 * rng.normal(size=n)
    for column in frame:
        frame.loc[rng.random(n) < 0.1, column] = None
    return frame, y


def bits(model, X):
    return model._raw_predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


@pytest.mark.parametrize("n_levels", [2, 12, 255, 400])
@pytest.mark.parametrize(
    ("cls", "target"),
    [
        (HistGradientBoostingRegressor, lambda y: y),
        (HistGradientBoostingClassifier, lambda y: np.digitize(y, [-1.0, 1.0])),
        (HistGradientBoostingQuantileRegressor, lambda y: y),
        (HistGradientBoostingDistributionRegressor, lambda y: y),
    ],
)
def test_a_fit_on_it_is_the_fit_on_the_table(cls, target, n_levels):
    frame, y = table(n_levels)
    data, y = BinnedData(frame, random_state=0), target(y)
    on_bins, on_table = (cls(**SMALL).fit(X, y) for X in (data, frame))
    assert bits(on_bins, frame) == bits(on_table, frame)
    np.testing.assert_array_equal(on_bins._raw_predict(data), on_table._raw_predict(frame))
    for weight in (np.random.default_rng(1).integers(0, 3, len(y)), np.random.default_rng(1).uniform(0.5, 2, len(y))):
        data = BinnedData(frame, random_state=0, sample_weight=weight)
        assert bits(cls(**SMALL).fit(data, y, weight), frame) == bits(cls(**SMALL).fit(frame, y, weight), frame)


@pytest.mark.parametrize("n_levels", [12, 400])
def test_early_stopping_copies_and_parts(n_levels):
    frame, y = table(n_levels)
    data = BinnedData(frame, random_state=0)
    stopped = {**SMALL, "early_stopping": True, "max_iter": 30, "n_iter_no_change": 3}
    model = HistGradientBoostingRegressor(**stopped).fit(data, y)
    for other in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data), data.take(np.arange(len(y)))):
        assert bits(HistGradientBoostingRegressor(**stopped).fit(other, y), frame) == bits(model, frame)
    part = data.take(np.arange(0, len(y), 2))
    of_part = HistGradientBoostingRegressor(**SMALL).fit(part, y[::2])
    np.testing.assert_array_equal(of_part.predict(part), of_part.predict(frame[::2]))
    np.testing.assert_array_equal(of_part.predict(data), of_part.predict(frame))
    interval = model.predict_interval(data, coverage=0.8)
    np.testing.assert_array_equal(interval, model.predict_interval(frame, coverage=0.8))


def test_it_is_warm_started_continued_and_refitted_on():
    frame, y = table()
    data = BinnedData(frame, random_state=0)
    whole = HistGradientBoostingRegressor(**SMALL).fit(data, y)
    model = HistGradientBoostingRegressor(**SMALL, warm_start=True).set_params(max_iter=3).fit(data, y)
    np.testing.assert_array_equal(model.set_params(max_iter=6).fit(data, y).predict(frame), whole.predict(frame))
    more = [copy.deepcopy(whole).partial_fit(X, y, n_iter=2).refit_leaves(X, y) for X in (data, frame)]
    np.testing.assert_allclose(more[0].predict(frame), more[1].predict(frame), rtol=1e-12)


def test_categories_named_by_place():
    frame, y = table()
    X = np.column_stack([frame["size"], pd.factorize(frame["city"])[0], frame["age"]])
    data = BinnedData(X, categorical_features=[1], random_state=0)
    assert data.is_categorical_.tolist() == [False, True, False]
    assert [len(cuts) > 0 for cuts in data.thresholds_] == [True, False, True]
    on_rows = HistGradientBoostingRegressor(**SMALL, categorical_features=[1]).fit(X, y)
    assert bits(HistGradientBoostingRegressor(**SMALL).fit(data, y), X) == bits(on_rows, X)
    for asked in ([1], None):
        with pytest.raises(ValueError, match=r"expected 'from_dtype'.*BinnedData\(X, categorical_features="):
            HistGradientBoostingRegressor(categorical_features=asked).fit(data, y)


def test_categories_of_another_table_are_refused():
    frame, y = table()
    model = HistGradientBoostingRegressor(**SMALL).fit(frame, y)
    other = BinnedData(frame.replace({"city": {"city 0001": "elsewhere"}}), random_state=0)
    for call in (model.predict, lambda X: model.partial_fit(X, y), lambda X: model.refit_leaves(X, y)):
        with pytest.raises(ValueError, match="categories are not those the model was fitted with"):
            call(other)
    stopping = HistGradientBoostingRegressor(early_stopping=True)
    with pytest.raises(ValueError, match="X_val: got binned data"):
        stopping.fit(BinnedData(frame, random_state=0), y, X_val=other, y_val=y)
