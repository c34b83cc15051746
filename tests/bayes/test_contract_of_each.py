"""What every Bayesian estimator that can be imported promises: classes and counts too, one line each.

``test_contract.py`` asks regressions of a real y more closely.
"""

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

import mlwright
from mlwright import bayes
from mlwright._native import core
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.linear_model import ARDRegression, BayesianRidge

PACKAGES = ["bayes", "gaussian_process", "linear_model", "mixture", "ensemble"]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
SIGNAL = X @ [1.0, -2.0, 0.0]
REAL = SIGNAL + 0.5 * RNG.standard_normal(60)
COUNTS = RNG.poisson(np.exp(0.5 * SIGNAL + 0.5)).astype(float)
CLUSTERED = RNG.poisson(np.exp(0.7 * SIGNAL + 1.0) * RNG.gamma(2.0, 0.5, 60)).astype(float)
TWO = np.where(SIGNAL + RNG.standard_normal(60) > 0.0, "yes", "no")
THREE = np.digitize(SIGNAL + RNG.standard_normal(60), [-1.0, 1.0])
SERIES = 2.0 * X[:, 0] + REAL - SIGNAL
BY_GROUP = REAL + 2.0 * RNG.standard_normal(6)[np.arange(60) % 6]
GROUPED = np.column_stack([X[:, :2], np.arange(60) % 6])
NEW = np.random.default_rng(1).standard_normal((7, 3))
SHORT = {"n_trees": 20, "burn_in": 150, "draws": 150, "chains": 2}
GP = ConstantKernel(10.0) * RBF(3.0) + WhiteKernel()


@dataclass
class Case:
    """An estimator, rows for it, and what it has: by what its posterior is known, whether an evidence."""

    name: str
    model: Any
    y: np.ndarray
    X: np.ndarray = None
    chains: bool = False
    evidence: bool = False

    def __post_init__(self):
        self.X = X if self.X is None else self.X
        self.new = NEW[:, : self.X.shape[1]].copy()
        if self.X is GROUPED:
            self.new[:, 2] = [0, 1, 2, 5, 5, 99, 98]
        given = {"random_state": 0, "compute_loo": True}
        known = self.model.get_params()
        self.model.set_params(**{name: value for name, value in given.items() if name in known})

    def fit(self, y=None):
        return clone(self.model).fit(self.X, self.y if y is None else y)


CASES = [
    Case("BayesianRidge", BayesianRidge(), REAL, evidence=True),
    Case("ARDRegression", ARDRegression(), REAL, evidence=True),
    Case("BayesianLinearRegression", bayes.BayesianLinearRegression(), REAL, evidence=True),
    Case("NormalInverseGamma", bayes.NormalInverseGammaRegressor(), REAL, evidence=True),
    Case("SpikeSlab", bayes.SpikeSlabRegressor(), REAL, evidence=True),
    Case("SpikeSlab, chains", bayes.SpikeSlabRegressor(method="sample", inclusion=0.5), REAL, chains=True),
    Case("Horseshoe", bayes.HorseshoeRegressor(global_scale=1.0), REAL, chains=True),
    Case("GLM, normal", bayes.BayesianGLM(), REAL, chains=True, evidence=True),
    Case("GLM, nuts", bayes.BayesianGLM(method="nuts"), REAL, chains=True, evidence=True),
    Case("GLM, gamma", bayes.BayesianGLM("gamma"), np.exp(0.3 * REAL), chains=True, evidence=True),
    Case("GLM, Poisson", bayes.BayesianGLM("poisson"), COUNTS, chains=True, evidence=True),
    Case("GLM, negative binomial", bayes.BayesianGLM("negative_binomial"), CLUSTERED, chains=True, evidence=True),
    Case("GLM, binomial", bayes.BayesianGLM("binomial"), (TWO == "yes").astype(float), chains=True, evidence=True),
    Case(
        "GLM, groups",
        bayes.BayesianGLM(group_effects=[2], group_prior="half_normal", draws=2000),
        BY_GROUP,
        GROUPED,
        chains=True,
    ),
    Case("Poisson", bayes.BayesianPoissonRegressor(), COUNTS, chains=True, evidence=True),
    Case("Logistic", bayes.BayesianLogisticRegression(), TWO, chains=True, evidence=True),
    Case("BART", bayes.BARTRegressor(**SHORT), REAL, chains=True),
    Case("BART, heteroscedastic", bayes.BARTRegressor(n_variance_trees=10, **SHORT), REAL, chains=True),
    Case("BART, two classes", bayes.BARTClassifier(**SHORT), TWO, chains=True),
    Case("BART, three classes", bayes.BARTClassifier(**SHORT), THREE, chains=True),
    Case("GP, dense", GaussianProcessRegressor(GP), REAL, evidence=True),
    Case("GP, Vecchia", GaussianProcessRegressor(GP, solver="vecchia", n_neighbors=20), REAL, evidence=True),
    Case("GP, series", GaussianProcessRegressor(Matern(nu=1.5) + WhiteKernel()), SERIES, X[:, :1], evidence=True),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
# Short chains, to be asked about and not to be trusted.
pytestmark = [
    pytest.mark.filterwarnings("ignore:(BART|Horseshoe|SpikeSlab)[A-Za-z]*. :sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*score_loo_ is uncertain:UserWarning"),
]


@pytest.fixture(scope="module")
def fitted():
    cache = {}

    def fit(case):
        if case.name not in cache:
            cache[case.name] = case.fit()
        return cache[case.name]

    return fit


def answers(model, new):
    """Everything that the contract names, as bytes."""
    found = {
        "predict": model.predict(new),
        "interval": model.predict_interval(new, 0.8),
        "quantiles": model.predict_quantiles(new),
        "new": model.sample_predictive(new, 30, random_state=1),
        "loo": model.score_loo_,
        "rows left out": model.loo_log_density_,
        "evidence": getattr(model, "log_evidence_", 0.0),
        **{f"posterior {name}": x for name, x in model.sample_posterior(30, random_state=1).items()},
        **{f"{key} of {name}": x for name, told in model.diagnostics_.items() for key, x in told.items()},
    }
    if "return_std" in inspect.signature(model.predict).parameters:
        found["std"] = model.predict(new, return_std=True)[1]
    if hasattr(model, "predict_proba"):
        found["proba"] = model.predict_proba(new)
    return {name: np.asarray(x).tobytes() for name, x in found.items()}


def test_no_estimator_is_forgotten():
    modules = [importlib.import_module(f"mlwright.{name}") for name in PACKAGES]
    public = {getattr(module, name) for module in modules for name in module.__all__}
    classes = {x for x in public if inspect.isclass(x) and issubclass(x, bayes.BayesianMixin)}
    assert classes - {bayes.BayesianMixin} == {type(case.model) for case in CASES}


@each_case
def test_the_same_bits_from_fit_to_answer_for_any_number_of_threads(case, fitted):
    want = answers(fitted(case), case.new)
    try:
        for n_threads in (1, 2, 3):
            core.runtime.set_num_threads(n_threads)
            got = answers(case.fit(), case.new)
            assert [name for name in want if got[name] != want[name]] == []
    finally:
        core.runtime.set_num_threads(0)


@each_case
def test_a_model_file_answers_with_the_same_bits(case, fitted, tmp_path):
    mlwright.save(fitted(case), tmp_path / "model.mlw")
    again, want = mlwright.load(tmp_path / "model.mlw"), answers(fitted(case), case.new)
    got = answers(again, case.new)
    assert [name for name in want if got[name] != want[name]] == []


@each_case
def test_deviations_are_those_of_new_observations(case, fitted):
    model = fitted(case)
    if "return_std" not in inspect.signature(model.predict).parameters:
        assert hasattr(model, "classes_")  # an average of labels means nothing
        return
    rows = case.new[:5]  # groups that were not seen are drawn anew in each prediction
    mean, deviation = model.predict(rows, return_std=True)
    np.testing.assert_array_equal(mean, model.predict(rows))
    drawn = model.sample_predictive(rows, 20_000, random_state=2)
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=0.1)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.1 * deviation.max())


@each_case
def test_quantiles_rise_and_intervals_are_two_of_them(case, fitted):
    model, levels = fitted(case), [0.1, 0.3, 0.9]
    values = model.predict_quantiles(case.new, levels)
    assert (np.diff(values, axis=-1) >= 0.0).all()
    np.testing.assert_allclose(model.predict_interval(case.new, 0.8), values[..., [0, 2]], rtol=1e-10)
    np.testing.assert_array_equal(model.predict_quantiles(case.new, 0.3), values[..., 1])


@each_case
def test_new_counts_and_numbers_fall_within_their_quantiles(case, fitted):
    model, levels = fitted(case), np.array([0.1, 0.5, 0.9])
    if hasattr(model, "classes_"):
        return  # whose quantiles are of probabilities
    rows = case.new[:5]
    drawn, values = model.sample_predictive(rows, 20_000, random_state=3), model.predict_quantiles(rows, levels)
    assert ((drawn[:, :, None] <= values).mean(axis=0) > levels - 0.03).all()
    assert ((drawn[:, :, None] < values).mean(axis=0) < levels + 0.03).all()


@each_case
@pytest.mark.filterwarnings("ignore:BayesianGLM. [0-9]+ of [0-9]+ transitions diverged")  # of groups that are none
def test_rows_left_out_are_scored_and_shuffled_ones_score_less(case, fitted):
    model = fitted(case)
    assert model.score_loo_ == pytest.approx(model.loo_log_density_.sum())
    assert len(model.loo_log_density_) == len(case.y)
    shuffled = case.fit(np.random.default_rng(2).permutation(case.y))
    assert shuffled.score_loo_ < model.score_loo_ - 5.0
    assert hasattr(model, "log_evidence_") == case.evidence
    if case.evidence:
        assert shuffled.log_evidence_ < model.log_evidence_ - 5.0


@each_case
def test_chains_are_diagnosed_and_exported(case, fitted):
    model = fitted(case)
    told = model.diagnostics_
    assert bool(told) == case.chains
    for row in told.values():
        assert {"rhat", "ess_bulk", "ess_tail"} <= set(row)
        assert np.nanmin(row["ess_bulk"]) > 0.0
    pytest.importorskip("arviz")
    posterior = model.to_arviz()["posterior"]
    draws = model.sample_posterior(1, random_state=0)
    assert case.chains or set(posterior.data_vars) == set(draws)
    for name in told:
        assert np.nanmean(posterior[name]) == pytest.approx(np.nanmean(told[name]["mean"]), rel=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        bayes.BayesianGLM(method="nuts", draws=20, warm_up=5, chains=2),
        bayes.HorseshoeRegressor(draws=20, warm_up=0, chains=2),
        bayes.BARTRegressor(n_trees=20, draws=20, burn_in=0, chains=2),
        bayes.SpikeSlabRegressor(method="sample", draws=20, warm_up=0, chains=2),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_poor_chains_warn(model):
    with pytest.warns(ConvergenceWarning, match=r"effective sample size|R-hat"):
        model.set_params(random_state=0).fit(X, REAL)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_divergences_are_counted_kept_and_exported(tmp_path):
    # Groups without rows to speak of, a wide prior, no warm-up to speak of: the funnel's neck is too sharp.
    model = bayes.BayesianGLM(group_effects=[2], group_prior="half_cauchy", draws=200, warm_up=20, random_state=1)
    with pytest.warns(ConvergenceWarning, match="transitions diverged"):
        model.fit(np.column_stack([X[:8, :2], np.arange(8) % 4]), REAL[:8])
    assert model.n_divergences_ > 0
    mlwright.save(model, tmp_path / "model.mlw")
    assert mlwright.load(tmp_path / "model.mlw").n_divergences_ == model.n_divergences_
    pytest.importorskip("arviz")
    told = model.to_arviz()["sample_stats"]["diverging"]
    assert told.dtype == bool
    assert int(told.sum()) == model.n_divergences_


PARTIAL = [case for case in CASES if hasattr(case.model, "partial_fit")]


@pytest.mark.parametrize("case", PARTIAL, ids=lambda case: case.name)
def test_parts_are_fitted_as_the_whole(case, fitted):
    whole, parts = fitted(case), clone(case.model)
    for begin in range(0, 60, 20):
        parts.partial_fit(case.X[begin : begin + 20], case.y[begin : begin + 20])
    if isinstance(whole, GaussianProcessRegressor):
        whole = clone(case.model).set_params(kernel=parts.kernel_, optimizer=None).fit(case.X, case.y)
    np.testing.assert_allclose(parts.predict(case.new), whole.predict(case.new), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(parts.predict_interval(case.new), whole.predict_interval(case.new), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "model", [bayes.BayesianLogisticRegression(random_state=0), bayes.BARTClassifier(**SHORT, random_state=0)]
)
def test_classifiers_tell_logarithms_of_probabilities(model):
    model.fit(X, TWO)
    np.testing.assert_array_equal(model.predict_log_proba(NEW), np.log(model.predict_proba(NEW)))
