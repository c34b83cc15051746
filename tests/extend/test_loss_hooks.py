"""Leaves, starts and domains of a user's loss: the built-in trees to the bit, bounds kept, errors that say where."""

import pickle

import numpy as np
import pytest

import mlwright
from mlwright import NumericalError
from mlwright.ensemble import HistGradientBoostingRegressor
from mlwright.extend import array_loss, loss
from mlwright.linear_model import GeneralizedLinearRegressor

SMALL = {"max_iter": 15, "min_samples_leaf": 5, "random_state": 0}
both = pytest.mark.parametrize("make", [loss, array_loss])


def absolute(y, raw):
    return np.abs(y - raw)


def absolute_slope(y, raw):
    return np.sign(raw - y), 1.0


def median_step(y, raw, weight):
    """Midpoint of the weighted medians of the residuals."""
    order = np.argsort(y - raw)
    residuals, below = (y - raw)[order], np.cumsum(weight[order])
    first = np.searchsorted(below, below[-1] / 2)
    last = first + 1 if below[first] == below[-1] / 2 else first
    return (residuals[first] + residuals[last]) / 2


def median_start(y, weight):
    return median_step(y, np.zeros(len(y)), weight)


def above_minus_fifty(y):
    return y > -50


def squared(y, raw):
    return (y - raw) ** 2 / 2


def squared_grad_hess(y, raw):
    return raw - y, 1.0


def own_absolute(make):
    return make(absolute, absolute_slope, leaf_step=median_step, start=median_start, domain=above_minus_fifty)


def problem(n=600):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    X[rng.random((n, 4)) < 0.05] = np.nan
    return X, np.nan_to_num(X[:, 0]) + rng.standard_t(3, size=n)


def bits(model, X):
    return model.predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


@both
@pytest.mark.parametrize("weights", [None, "integers", "reals"])
@pytest.mark.parametrize("rules", [{}, {"monotonic_cst": [1, 0, -1, 0]}, {"subsample": 0.5}, {"sampling": "goss"}])
def test_absolute_error_gives_the_built_in_model_to_the_bit(make, weights, rules):
    X, y = problem()
    rng = np.random.default_rng(1)
    weight = {None: None, "integers": rng.integers(0, 3, len(y)), "reals": rng.uniform(0.5, 2, len(y))}[weights]
    own = HistGradientBoostingRegressor(loss=own_absolute(make), **SMALL, **rules).fit(X, y, weight)
    built_in = HistGradientBoostingRegressor(loss="absolute_error", **SMALL, **rules).fit(X, y, weight)
    assert bits(own, X) == bits(built_in, X)
    for model in (own, built_in):
        model.partial_fit(X[:300], y[:300], n_iter=3).refit_leaves(X[300:], y[300:], decay=0.5)
    assert bits(own, X) == bits(built_in, X)


@both
def test_same_bits_for_any_threads(make):
    X, y = problem(20_000)
    seen = set()
    try:
        for n_threads in (1, 2, 3, 8):
            mlwright.set_num_threads(n_threads)
            model = HistGradientBoostingRegressor(loss=own_absolute(make), **SMALL).set_params(max_iter=2)
            seen.add(bits(model.fit(X, y), X))
    finally:
        mlwright.set_num_threads(None)
    assert len(seen) == 1


@both
def test_copies_and_files_keep_the_hooks(make, tmp_path):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=own_absolute(make), **SMALL).fit(X, y)
    copied = pickle.loads(pickle.dumps(model))
    assert copied.loss == model.loss
    assert bits(copied.fit(X, y), X) == bits(model, X)
    mlwright.save(model, tmp_path / "model.mlw")
    assert bits(mlwright.load(tmp_path / "model.mlw"), X) == bits(model, X)
    with pytest.raises(pickle.PicklingError, match="its function domain"):
        pickle.dumps(make(absolute, absolute_slope, domain=lambda y: y > 0))


@both
def test_targets_outside_the_domain_name_the_row(make):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=own_absolute(make), **SMALL).fit(X, y)
    before = bits(model, X)
    y[7] = -60
    message = r"y: row 7 is -60.0, expected targets in the domain of your loss 'absolute'"
    for call in (model.fit, model.partial_fit, model.refit_leaves, model.calibrate_interval):
        with pytest.raises(ValueError, match=message):
            call(X, y)
    assert bits(model, X) == before


def _raise(*arguments):
    raise ValueError("not today")


def _nowhere(y, raw, weight):
    return np.nan


def _past_the_end(y, raw, weight):
    return y[len(y) :].min()


@pytest.mark.parametrize(
    ("make", "hooks", "message"),
    [
        (loss, {"leaf_step": _nowhere}, r"leaf_step returned nan for a leaf of \d+ rows"),
        (loss, {"leaf_step": _past_the_end}, "leaf_step raised an exception"),
        (array_loss, {"leaf_step": _nowhere}, "leaf_step returned nan"),
        (array_loss, {"leaf_step": _past_the_end}, "leaf_step raised ValueError"),
        (array_loss, {"start": lambda y, weight: np.inf}, "start returned inf, expected a finite number"),
        (array_loss, {"start": lambda y, weight: y}, r"start returned an array of shape \(600,\), expected a number"),
        (loss, {"start": _raise}, "start raised ValueError: not today"),
    ],
)
def test_hooks_that_fail_are_one_clear_error(make, hooks, message, capfd):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss="absolute_error", **SMALL).fit(X, y)
    before = bits(model, X)
    model.set_params(loss=make(absolute, absolute_slope, **hooks))
    with pytest.raises(NumericalError, match=message):
        model.fit(X, y)
    assert bits(model, X) == before
    assert capfd.readouterr() == ("", "")


def test_a_domain_that_raises_says_where():
    X, y = problem()

    def fails_above_two(y):
        if y > 2:
            raise ValueError("no")
        return True

    model = HistGradientBoostingRegressor(loss=loss(absolute, absolute_slope, domain=fails_above_two))
    with pytest.raises(NumericalError, match=r"domain raised an exception at y = [2-9]"):
        model.fit(X, y)
    model.set_params(loss=array_loss(absolute, absolute_slope, domain=_raise))
    with pytest.raises(NumericalError, match="domain raised ValueError: not today"):
        model.fit(X, y)


def test_a_value_that_is_no_number_ends_the_fit():
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=loss(lambda y, raw: np.nan, absolute_slope, start=0.0))
    with pytest.raises(NumericalError, match=r"value returned nan at y = "):
        model.set_params(early_stopping=True).fit(X, y)


@pytest.mark.parametrize("hook", ["leaf_step", "domain"])
def test_numba_says_why_it_cannot_compile_a_hook(hook):
    X, y = problem()
    model = HistGradientBoostingRegressor(loss=loss(absolute, absolute_slope, **{hook: lambda *args: pickle.dumps(0)}))
    with pytest.raises(TypeError, match=f"Numba cannot compile {hook}"):
        model.fit(X, y)
    with pytest.raises(TypeError, match=f"{hook} is 3, expected a function of"):
        loss(absolute, absolute_slope, **{hook: 3})


def test_linear_models_heed_domain_and_start():
    X, y = problem()
    X = np.nan_to_num(X)
    own = loss(squared, squared_grad_hess, domain=above_minus_fifty, start=lambda y, weight: np.average(y))
    model = GeneralizedLinearRegressor(own).fit(X, y)
    np.testing.assert_allclose(model.coef_, GeneralizedLinearRegressor("normal").fit(X, y).coef_, atol=1e-6)
    y[7] = -60
    with pytest.raises(ValueError, match=r"y: row 7 is -60.0, expected targets in the domain of your loss"):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"expected a loss made by mlwright\.extend\.loss"):
        GeneralizedLinearRegressor(array_loss(squared, squared_grad_hess)).fit(X, y)


@pytest.mark.parametrize(
    ("value", "grad_hess", "message"),
    [
        (lambda y, raw: np.nan, squared_grad_hess, "value returned nan at y ="),
        (squared, lambda y, raw: (np.nan, 1.0), "first derivative nan at y ="),
        (squared, lambda y, raw: (raw - y, np.nan), "second derivative nan at y ="),
    ],
)
def test_linear_models_refuse_losses_that_are_no_numbers(value, grad_hess, message):
    X, y = problem()
    with pytest.raises(NumericalError, match=message):
        GeneralizedLinearRegressor(loss(value, grad_hess)).fit(np.nan_to_num(X), y)
