"""Losses in NumPy: the built-in trees, starts, errors that leave the estimator alone."""

import pickle

import numpy as np
import pytest

import mlwright
from mlwright import NumericalError
from mlwright.ensemble import HistGradientBoostingRegressor
from mlwright.extend import array_loss

SMALL = {"max_iter": 20, "min_samples_leaf": 5, "random_state": 0}


def squared(y, raw):
    return (y - raw) ** 2 / 2


def squared_grad_hess(y, raw):
    return raw - y, 1.0


SQUARED = array_loss(squared, squared_grad_hess)


def problem(n=600):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    return X, X[:, 0] + rng.normal(size=n)


def bits(model, X):
    return model.predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_squared_error_gives_the_built_in_trees(weighted, early_stopping):
    X, y = problem()
    weight = np.random.default_rng(1).integers(0, 3, len(y)) if weighted else None
    own = HistGradientBoostingRegressor(loss=SQUARED, early_stopping=early_stopping, **SMALL).fit(X, y, weight)
    built_in = HistGradientBoostingRegressor(early_stopping=early_stopping, **SMALL).fit(X, y, weight)
    np.testing.assert_array_equal(own._trees["feature"], built_in._trees["feature"])
    np.testing.assert_allclose(own.predict(X), built_in.predict(X), rtol=1e-10)
    np.testing.assert_allclose(own.train_score_, built_in.train_score_, rtol=1e-10)
    assert bits(pickle.loads(pickle.dumps(own)).fit(X, y, weight), X) == bits(own, X)


def test_starts_are_the_constants_of_least_loss():
    X = np.zeros((301, 1))
    y = np.random.default_rng(0).exponential(size=301)
    absolute = array_loss(lambda y, raw: abs(y - raw), lambda y, raw: (np.sign(raw - y), 1.0))
    poisson = array_loss(
        lambda y, raw: np.exp(raw) - y * raw, lambda y, raw: (np.exp(raw) - y, np.exp(raw)), link="log"
    )
    for own, expected in ((absolute, np.median(y)), (poisson, np.log(y.mean())), (SQUARED, y.mean())):
        model = HistGradientBoostingRegressor(loss=own, max_iter=1).fit(X, y)
        np.testing.assert_allclose(model._start, expected, rtol=1e-3)
    assert (HistGradientBoostingRegressor(loss=poisson, max_iter=3).fit(X, y).predict(X) > 0).all()
    fixed = array_loss(squared, squared_grad_hess, start=7.5)
    assert HistGradientBoostingRegressor(loss=fixed, max_iter=1).fit(X, y)._start == 7.5


def _raises(y, raw):
    raise KeyError("no such row")


@pytest.mark.parametrize(
    ("grad_hess", "message"),
    [
        (_raises, "grad_hess raised KeyError"),
        (lambda y, raw: (raw * np.nan, 1.0), r"grad_hess returned nan for row 0"),
        (lambda y, raw: raw - y, "expected a pair of arrays"),
        (lambda y, raw: (raw[:5], 1.0), r"shape \(5,\), expected numbers of shape \(600,\)"),
        (lambda y, raw: (raw - y, -1.0), "negative Hessian"),
        (lambda y, raw: (np.add(raw, 1, out=raw), 1.0), "raised ValueError: output array is read-only"),
    ],
)
def test_errors_leave_the_estimator_as_it_was(grad_hess, message):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=SQUARED, **SMALL).fit(X, y)
    before = bits(model, X)
    model.set_params(loss=array_loss(squared, grad_hess, start=0.0))
    with pytest.raises(NumericalError, match=message):
        model.fit(X, y)
    assert bits(model, X) == before


def test_a_saved_model_predicts_but_does_not_fit(tmp_path):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=SQUARED, **SMALL).fit(X, y)
    mlwright.save(model, tmp_path / "model.mlw")
    loaded = mlwright.load(tmp_path / "model.mlw")
    assert bits(loaded, X) == bits(model, X)
    with pytest.raises(ValueError, match="expected one of 'squared_error'"):
        loaded.fit(X, y)
