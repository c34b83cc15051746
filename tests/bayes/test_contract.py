"""What every Bayesian estimator promises, asked of each of them in the same words.

To add one, add a line to MODELS: a regressor whose predictive law is of y itself.
"""

import copy
import pickle
import tracemalloc
from functools import partial

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.utils import get_tags

from mlwright import bayes
from mlwright._native import core
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.linear_model import ARDRegression, BayesianRidge

MODELS = [
    BayesianRidge(),
    BayesianRidge(fit_intercept=False, scale_invariant=True),
    ARDRegression(),
    bayes.BARTRegressor(n_trees=30, burn_in=150, draws=150, chains=2, random_state=0),
    bayes.BARTRegressor(n_trees=20, n_variance_trees=10, burn_in=150, draws=150, chains=2, random_state=0),
    bayes.BayesianGLM(random_state=0),
    bayes.BayesianLinearRegression(),
    bayes.HorseshoeRegressor(global_scale=1.0, random_state=0),
    bayes.NormalInverseGammaRegressor(),
    GaussianProcessRegressor(ConstantKernel(10.0) * RBF(3.0) + WhiteKernel()),
    GaussianProcessRegressor(
        ConstantKernel(10.0) * RBF(3.0) + WhiteKernel(0.2), alpha=0.05, solver="vecchia", n_neighbors=40
    ),
    bayes.SpikeSlabRegressor(),
    bayes.SpikeSlabRegressor(method="sample", inclusion=0.5, random_state=0),
    bayes.NormalInverseGammaRegressor(fit_intercept=False, prior_mean=[1.0, 0.0, 0.0], prior_precision=[1.0, 0.0, 2.0]),
    ARDRegression(fit_intercept=False, scale_invariant=True),
]
# Short chains, to be asked about and not to be trusted.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BARTRegressor. R-hat:sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:HorseshoeRegressor. :sklearn.exceptions.ConvergenceWarning"),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=repr)


def data(n=60, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ np.array([1.0, -2.0, 0.0, *np.ones(p - 3)]) + 0.5 * rng.standard_normal(n)


@pytest.fixture(scope="module")
def fitted():
    cache = {}

    def fit(model):
        if repr(model) not in cache:
            cache[repr(model)] = copy.deepcopy(model).fit(*data())
        return cache[repr(model)]

    return fit


@each_model
def test_it_is_one(model):
    assert isinstance(model, bayes.BayesianMixin)


@each_model
def test_intervals_are_quantiles_and_quantiles_rise(model, fitted):
    model, X = fitted(model), data(seed=1)[0][:7]
    ends = model.predict_interval(X, coverage=0.8)
    values = model.predict_quantiles(X, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(ends, values[:, [0, 2]], rtol=1e-10)
    assert (np.diff(values, axis=1) > 0).all()
    np.testing.assert_allclose(model.predict_quantiles(X, 0.5), values[:, 1], rtol=1e-10)
    assert model.predict_quantiles(X).shape == (7, 3)


@each_model
def test_draws_of_observations_follow_the_predictive_law(model, fitted):
    model, X = fitted(model), data(seed=1)[0][:5]
    draws = model.sample_predictive(X, 20_000, random_state=0)
    assert draws.shape == (20_000, 5)
    levels = np.array([0.05, 0.5, 0.95])
    below = (draws[:, :, None] < model.predict_quantiles(X, levels)).mean(axis=0)
    np.testing.assert_allclose(below, np.broadcast_to(levels, below.shape), atol=0.02)


@each_model
def test_the_mean_of_the_draws_is_the_prediction(model, fitted):
    model, X = fitted(model), data(seed=1)[0][:5]
    draws = model.sample_predictive(X, 20_000, random_state=1)
    error = draws.std(axis=0) / np.sqrt(len(draws) / 10)
    assert (np.abs(draws.mean(axis=0) - model.predict(X)) < 5 * error).all()


@each_model
def test_draws_depend_on_the_seed_alone(model, fitted):
    model, X = fitted(model), data(seed=1)[0][:4]
    want = model.sample_posterior(20, random_state=3), model.sample_predictive(X, 20, random_state=3)
    assert all(len(x) == 20 for x in want[0].values())
    try:
        for n_threads in (1, 2, 3, 8):
            core.runtime.set_num_threads(n_threads)
            got = model.sample_posterior(20, random_state=3)
            assert {k: x.tobytes() for k, x in got.items()} == {k: x.tobytes() for k, x in want[0].items()}
            assert model.sample_predictive(X, 20, random_state=3).tobytes() == want[1].tobytes()
    finally:
        core.runtime.set_num_threads(0)
    other = model.sample_posterior(20, random_state=4)
    assert any((other[k] != x).any() for k, x in want[0].items())
    again = pickle.loads(pickle.dumps(model)).sample_predictive(X, 20, random_state=3)
    np.testing.assert_array_equal(again, want[1])


def answers(model, X):
    draws = model.sample_posterior(20, random_state=3)
    tables = [
        model.predict(X),
        model.predict_interval(X),
        model.sample_predictive(X, 20, random_state=3),
        *draws.values(),
    ]
    return [np.asarray(table).tobytes() for table in tables]


OTHERS = {
    "family": "poisson",
    "link": "log",
    "noise_rate": 9.0,
    "noise_shape": 9.0,
    "prior_precision": 77.0,
    "prior_mean": 5.0,
    "prior_scale": 0.1,
    "slab_precision": 8.0,
    "n_trees": 3,
    "n_variance_trees": 2,
    "chains": 1,
    "draws": 7,
}


@each_model
def test_parameters_set_after_the_fit_are_for_the_next_fit(model, fitted):
    model, X = copy.deepcopy(fitted(model)), data(seed=1)[0][:5]
    want, parameters = answers(model, X), model.get_params()
    model.set_params(**{name: value for name, value in OTHERS.items() if name in parameters})
    if "fit_intercept" in parameters:
        model.set_params(fit_intercept=not parameters["fit_intercept"])
    assert answers(model, X) == want


@each_model
def test_the_layout_of_rows_is_nothing(model, fitted):
    X, y = data()
    columns = copy.deepcopy(model).fit(np.asfortranarray(X), y)
    assert answers(columns, X[:5]) == answers(fitted(model), X[:5])


@each_model
def test_the_law_of_a_row_is_its_own(model, fitted):
    """Whatever other rows are asked about."""
    model, X = fitted(model), data(seed=1)[0][:9]
    np.testing.assert_allclose(model.predict_interval(X)[4:5], model.predict_interval(X[4:5]), rtol=1e-9)
    deviations = [model.predict(rows, return_std=True)[1] for rows in (X, X[4:5])]
    np.testing.assert_allclose(deviations[0][4:5], deviations[1], rtol=1e-9)


@each_model
def test_every_row_of_many_is_predicted(model, fitted):
    model, X = fitted(model), np.repeat(data(seed=1)[0][:1], 1500, axis=0)
    np.testing.assert_allclose(model.predict(X), np.full(1500, model.predict(X[:1])[0]), rtol=1e-9)


@each_model
def test_diagnostics_name_the_parameters_of_chains(model, fitted):
    told = fitted(model).diagnostics_
    for row in told.values():
        assert set(row) >= {"rhat", "ess_bulk", "ess_tail"}


@each_model
def test_export_to_arviz(model, fitted):
    pytest.importorskip("arviz")
    exported = fitted(model).to_arviz()
    draws = fitted(model).sample_posterior(1)
    assert set(exported["posterior"].data_vars) >= set(draws)


@pytest.mark.parametrize("model", [bayes.BayesianLinearRegression(), bayes.SpikeSlabRegressor()], ids=repr)
def test_laws_of_many_rows_take_little_memory(model, fitted):
    model, X = fitted(model), np.zeros((40_000, 3))
    tracemalloc.start()
    try:
        model.predict(X)
        tracemalloc.reset_peak()
        next(iter(model._predictive_law(X)._parts())).quantiles(np.array([0.5]))
        assert tracemalloc.get_traced_memory()[1] < 250e6
    finally:
        tracemalloc.stop()


OF_SQUARES = [m for m in MODELS if not isinstance(m, GaussianProcessRegressor)]


# What scikit-learn's units make of such y: tests/linear_model/test_evidence_warnings.py.
@pytest.mark.filterwarnings("ignore:.*ended at the mean:UserWarning")
@pytest.mark.parametrize("model", OF_SQUARES, ids=repr)
def test_targets_of_any_size_are_fitted_or_refused(model, fitted):
    X, y = data()
    scaled = copy.deepcopy(model).fit(X, 1e150 * y)
    assert np.isfinite(scaled.predict_interval(X)).all()
    with pytest.raises((FloatingPointError, ValueError), match=r"1e\+?[0-9]{3}"):
        copy.deepcopy(model).fit(X, 1e200 * y)


@each_model
def test_bad_arguments_are_named(model, fitted):
    model, X = fitted(model), data()[0]
    for call, message in [
        (lambda: model.sample_posterior(0), "n_samples: got 0"),
        (lambda: model.sample_predictive(X, True), "n_samples: got True"),
        (lambda: model.predict_quantiles(X, [0.5, 1.0]), "quantiles: got"),
        (lambda: model.predict_quantiles(X, []), "quantiles: got"),
        (lambda: model.predict_quantiles(X, "median"), "quantiles: got 'median'"),
        (lambda: model.predict_interval(X, 1.0), "coverage: got 1.0"),
        (lambda: model.sample_posterior(3, random_state=-1), "random_state: got -1"),
        (lambda: model.sample_predictive(X[:, :2], 3), "2 features"),
        *([] if get_tags(model).input_tags.allow_nan else [(lambda: model.predict_quantiles(X * np.nan), "NaN")]),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@each_model
def test_an_unfitted_model_says_so(model):
    model = copy.deepcopy(model)
    of_rows = (model.predict_interval, model.predict_quantiles, model.sample_predictive)
    for call in (model.sample_posterior, lambda: model.diagnostics_, *(partial(f, data()[0]) for f in of_rows)):
        with pytest.raises(Exception, match="not fitted"):
            call()


def covered(model, n, fits=20):
    """The share of new rows inside intervals of 80 %, over fits to n rows each."""
    hits = []
    for seed in range(fits):
        X, y = data(n + 40, seed=seed)
        ends = copy.deepcopy(model).fit(X[:n], y[:n]).predict_interval(X[n:], 0.8)
        hits.append((ends[:, 0] <= y[n:]) & (y[n:] <= ends[:, 1]))
    return np.mean(hits)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, marks=[pytest.mark.slow] if isinstance(model, bayes.HorseshoeRegressor) else [])
        for model in [*MODELS, bayes.NormalInverseGammaRegressor(prior_precision=1e-6)]
    ],
    ids=repr,
)
def test_intervals_cover_what_they_say(model):
    # Priors in units of the noise see large coefficients as a sign of noise: there rows have to outweigh them.
    in_units = isinstance(model, bayes.SpikeSlabRegressor) or getattr(model, "prior_precision", None) == 1.0
    assert covered(model, 200 if in_units else 40) == pytest.approx(0.8, abs=0.06)
