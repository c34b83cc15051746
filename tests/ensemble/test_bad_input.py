"""Every boosting estimator on data at the edge of what can be fitted and beyond: an answer, or an error, no change."""

import numpy as np
import pytest

from mlwright.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)

ESTIMATORS = {
    "regressor": HistGradientBoostingRegressor(),
    "absolute_error": HistGradientBoostingRegressor("absolute_error"),
    "gamma": HistGradientBoostingRegressor("gamma"),
    "classifier": HistGradientBoostingClassifier(),
    "quantiles": HistGradientBoostingQuantileRegressor([0.2, 0.8]),
    "normal": HistGradientBoostingDistributionRegressor(),
    "lognormal": HistGradientBoostingDistributionRegressor("lognormal"),
}
every_estimator = pytest.mark.parametrize("name", ESTIMATORS)
ONES = np.ones(60)


def unfitted(name):
    model = ESTIMATORS[name]
    return type(model)(**{**model.get_params(), "max_iter": 5, "min_samples_leaf": 2, "random_state": 0})


def rows(name):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.abs(X[:, 0]) + 0.1
    return X, (y > 0.7).astype(int) if name == "classifier" else y


@every_estimator
def test_rows_at_the_edge_give_finite_answers(name):
    X, y = rows(name)
    missing, infinite = X.copy(), X.copy()
    missing[:, 1] = np.nan
    infinite[X > 1], infinite[X < -1] = np.inf, -np.inf
    one = np.eye(60)[0]
    cases = {
        "one row": (X[:1], y[:1], None),
        "constant y": (X, np.full(60, 3), None),
        "a column of missing values": (missing, y, None),
        "missing values only": (np.full_like(X, np.nan), y, None),
        "infinities": (infinite, y, None),
        "weight of one row": (X, y, one),
        "tiny weights": (X, y, ONES * 1e-320),
        "huge weights": (X, y, ONES * 1e300),
    }
    if name != "classifier":
        cases["huge y"] = X, y * 1e300, None
        cases["tiny y"] = X, y * 1e-300, None
    for case, (X_fit, y_fit, weight) in cases.items():
        model = unfitted(name).fit(X_fit, y_fit, weight)
        predicted = np.asarray(model.predict(X))
        assert np.isfinite(predicted).all(), case
        if case == "constant y":
            np.testing.assert_allclose(predicted, 3, rtol=1e-9)
    raw = unfitted(name).fit(X, y, one)
    np.testing.assert_allclose(raw.predict(X[:3]), unfitted(name).fit(X[:1], y[:1]).predict(X[:3]))


@pytest.mark.parametrize("labels", [["a", None], ["a", 1]])
def test_labels_of_several_kinds_are_refused(labels):
    y = np.array(labels * 30, dtype=object)
    with pytest.raises(TypeError, match=f"y: got labels of the types {type(labels[1]).__name__}, str, expected"):
        unfitted("classifier").fit(rows("classifier")[0], y)


def test_a_class_without_weight_is_balanced_by_leaving_it_out():
    X, y = rows("classifier")
    y[:20] = 2
    model = unfitted("classifier").set_params(class_weight="balanced").fit(X, y, (y != 2) * 1.0)
    assert model.classes_.tolist() == [0, 1, 2]
    p = model.predict_proba(X)
    assert (p[:, 2] < 1e-10).all()
    assert (p[:, :2].max(axis=0) > 0.6).all()


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_class_weights_that_are_none_are_refused(weight):
    with pytest.raises(ValueError, match=r"class_weight: got .*, expected finite numbers that are not negative"):
        unfitted("classifier").set_params(class_weight={0: weight, 1: 1.0}).fit(*rows("classifier"))


@every_estimator
def test_rows_that_cannot_be_fitted_are_refused_and_change_nothing(name):
    X, y = rows(name)
    with_nan, with_inf = y.astype(float), y.astype(float)
    with_nan[5], with_inf[5] = np.nan, np.inf
    model = unfitted(name).fit(X, y)
    before = {key: value for key, value in vars(model).items() if key != "_trees"}, dict(model._trees)
    for arguments, message in {
        "no rows": ((X[:0], y[:0]), "0 sample"),
        "no columns": ((X[:, :0], y), "0 feature"),
        "fewer targets": ((X, y[:50]), "inconsistent numbers of samples"),
        "fewer weights": ((X, y, ONES[:50]), "sample_weight"),
        "negative weights": ((X, y, -ONES), "Negative values in data passed to `sample_weight`"),
        "zero weights": ((X, y, 0 * ONES), "at least one"),
        "infinite weights": ((X, y, np.inf * ONES), "sample_weight contains infinity"),
        "missing target": ((X, with_nan), "contains NaN"),
        "infinite target": ((X, with_inf), "contains infinity"),
        "two targets": ((X, np.column_stack([y, y])), "1d array"),
        "text": ((X.astype(str) + np.array("a"), y), "could not convert string"),
        "complex": ((X + 1j, y), "Complex data not supported"),
    }.values():
        with pytest.raises(ValueError, match=message):
            model.fit(*arguments)
    with pytest.raises(ValueError, match="X has 2 features, but"):
        model.predict(X[:, :2])
    after = {key: value for key, value in vars(model).items() if key != "_trees"}, dict(model._trees)
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        assert all(new[key] is old[key] for key in old)
