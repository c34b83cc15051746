"""Losses of the user's: the same trees as the built-in one, right starts, errors instead of crashes, copies."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

import mlwright
from mlwright import NumericalError
from mlwright.ensemble import HistGradientBoostingRegressor
from mlwright.extend import loss


def squared(y, raw):
    return (y - raw) * (y - raw) * 0.5


def squared_grad_hess(y, raw):
    return raw - y, 1.0


def log_cosh(y, raw):
    return abs(raw - y) + np.log1p(np.exp(-2 * abs(raw - y)))


def log_cosh_grad_hess(y, raw):
    slope = np.tanh(raw - y)
    return slope, max(1 - slope * slope, 0.05)


def absolute(y, raw):
    return abs(y - raw)


def absolute_grad_hess(y, raw):
    return np.sign(raw - y), 1.0


def poisson(y, raw):
    return np.exp(raw) - y * raw


def poisson_grad_hess(y, raw):
    return np.exp(raw) - y, np.exp(raw)


def raising(y, raw):
    if y > 2:
        raise ValueError("no such target")
    return raw - y, 1.0


def dividing_by_zero(y, raw):
    return (raw - y) / 0.0, 1.0


def not_a_number(y, raw):
    return np.nan, 1.0


def importing(y, raw):
    import math as other  # what Numba has no word for

    return raw - y, other.fabs(1.0)


def negative_hessian(y, raw):
    return raw - y, -1.0


SQUARED = loss(squared, squared_grad_hess)
SMALL = {"max_iter": 20, "min_samples_leaf": 5, "random_state": 0}


def problem(n=500):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    X[rng.random((n, 4)) < 0.05] = np.nan
    return X, np.nan_to_num(X[:, 0]) + rng.normal(size=n)


def bits(model, X):
    return model.predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


@pytest.mark.parametrize("weights", [None, "integers", "reals"])
def test_squared_error_gives_the_built_in_trees_to_the_bit(weights):
    X, y = problem(20_000)
    rng = np.random.default_rng(1)
    weight = {None: None, "integers": rng.integers(0, 3, len(y)), "reals": rng.uniform(0.5, 2, len(y))}[weights]
    own = HistGradientBoostingRegressor(loss=SQUARED, **SMALL).fit(X, y, weight)
    built_in = HistGradientBoostingRegressor(**SMALL).fit(X, y, weight)
    assert own.do_early_stopping_
    assert bits(own, X) == bits(built_in, X)
    assert_array_equal(own.train_score_, built_in.train_score_)
    np.testing.assert_allclose(own.validation_score_, built_in.validation_score_, rtol=1e-13)


def test_same_bits_for_any_threads():
    X, y = problem(40_000)
    seen = set()
    try:
        for n_threads in (1, 2, 3, 8):
            mlwright.set_num_threads(n_threads)
            model = HistGradientBoostingRegressor(loss=loss(log_cosh, log_cosh_grad_hess), **SMALL)
            seen.add(bits(model.set_params(max_iter=3).fit(X, y), X))
    finally:
        mlwright.set_num_threads(None)
    assert len(seen) == 1


def start_of(own, y):
    return (
        HistGradientBoostingRegressor(loss=own, max_iter=1, learning_rate=1e-300)
        .fit(np.zeros((len(y), 1)), y)
        ._start[0]
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_the_start_value_is_the_constant_of_least_loss(scale):
    y = np.random.default_rng(0).exponential(size=301) * scale
    assert start_of(SQUARED, y) == start_of("squared_error", y)
    np.testing.assert_allclose(start_of(loss(absolute, absolute_grad_hess), y), np.median(y), rtol=1e-3)
    np.testing.assert_allclose(start_of(loss(poisson, poisson_grad_hess, link="log"), y), np.log(y.mean()), rtol=1e-9)
    assert start_of(loss(squared, squared_grad_hess, start=7.5), y) == 7.5


def test_predictions_go_through_the_link():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    mean = np.exp(0.5 * X[:, 0])
    y = rng.poisson(mean).astype(float)
    model = HistGradientBoostingRegressor(loss=loss(poisson, poisson_grad_hess, link="log"), **SMALL).fit(X, y)
    assert (model.predict(X) > 0).all()
    assert np.corrcoef(model.predict(X), mean)[0, 1] > 0.85
    assert_array_equal(list(model.staged_predict(X))[-1], model.predict(X))


@pytest.mark.parametrize(
    ("grad_hess", "error", "message"),
    [
        (raising, NumericalError, r"raised an exception at y = 2\.|raised an exception at y = 3\."),
        (dividing_by_zero, NumericalError, "not a finite number"),
        (not_a_number, NumericalError, "not a finite number"),
        (negative_hessian, NumericalError, "negative Hessian"),
        (lambda y, raw: pickle.dumps(y), TypeError, "Numba cannot compile"),
        (lambda y, raw: raw, TypeError, "Numba cannot compile"),
        (importing, TypeError, "Numba cannot compile"),
    ],
)
def test_errors_in_user_code_are_python_errors(grad_hess, error, message, capfd):
    X, y = problem()
    y[3] = 3.5
    y = np.minimum(y, 3.5)
    y[:3] = 1.0
    model = HistGradientBoostingRegressor(loss=loss(squared, grad_hess, start=0.0), **SMALL)
    with pytest.raises(error, match=message):
        model.fit(X, np.where(y > 2, 3.5, y))
    assert not hasattr(model, "_trees")
    assert capfd.readouterr() == ("", "")


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="expected a function"):
        loss(3, squared_grad_hess)
    with pytest.raises(ValueError, match="link"):
        loss(squared, squared_grad_hess, link="probit")
    with pytest.raises(ValueError, match="start"):
        loss(squared, squared_grad_hess, start=np.nan)


def test_copies_fit_and_predict_alike():
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=loss(log_cosh, log_cosh_grad_hess), **SMALL).fit(X, y)
    expected = bits(model, X)
    assert bits(clone(model).fit(X, y), X) == expected
    copy = pickle.loads(pickle.dumps(model))
    assert bits(copy, X) == expected
    assert bits(copy.fit(X, y), X) == expected


def test_a_loss_that_cannot_be_imported_does_not_pickle():
    with pytest.raises(pickle.PicklingError, match="cannot be imported by name"):
        pickle.dumps(loss(lambda y, raw: 0.0, squared_grad_hess))


def test_a_model_file_predicts_without_the_loss_and_without_numba(tmp_path):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=loss(log_cosh, log_cosh_grad_hess), **SMALL).fit(X, y)
    mlwright.save(model, tmp_path / "model.mlw")
    np.savez(tmp_path / "rows.npz", X=X, predicted=model.predict(X))
    code = (
        "import sys, numpy as np, mlwright; rows = np.load('rows.npz'); model = mlwright.load('model.mlw')\n"
        "assert (model.predict(rows['X']) == rows['predicted']).all()\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    loaded = mlwright.load(tmp_path / "model.mlw")
    with pytest.raises(ValueError, match="user:log_cosh"):
        loaded.fit(X, y)


def test_many_threads_fit_at_once():
    X, y = problem()
    expected = bits(HistGradientBoostingRegressor(loss=SQUARED, **SMALL).fit(X, y), X)
    seen = []

    def work():
        seen.append(bits(HistGradientBoostingRegressor(loss=SQUARED, **SMALL).fit(X, y), X))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 8
