"""A fitted model answers as it was fitted: parameters set later change the next fit alone."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import mlwright
from mlwright.extend import loss
from mlwright.linear_model import (
    GammaRegressor,
    GeneralizedLinearRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    TweedieRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((150, 3))
ETA = X @ [0.5, -0.3, 0.2]
COUNTS, AMOUNTS = RNG.poisson(np.exp(ETA)).astype(float), RNG.gamma(2.0, np.exp(ETA) / 2.0)
TWO, THREE = RNG.random(150) < 1 / (1 + np.exp(-ETA)), (X + RNG.gumbel(size=(150, 3))).argmax(axis=1)
LOGISTIC = {"C": 2.0, "fit_intercept": False, "l1_ratio": 0.5, "class_weight": "balanced"}
REGRESSOR = {"alpha": 1.0, "fit_intercept": False, "tol": 1e-3}
CASES = [
    (LogisticRegression(C=np.inf), TWO, LOGISTIC),
    (LogisticRegression(C=np.inf), THREE, LOGISTIC),
    (LogisticRegression(C=1.0), THREE, {"C": np.inf, "fit_intercept": False}),
    (LogisticRegressionCV(Cs=2, cv=2), TWO, {"l1_ratios": [0.5], "use_legacy_attributes": False, "Cs": 3, "cv": 3}),
    (LogisticRegressionCV(Cs=2, cv=2, l1_ratios=[0.0, 1.0]), THREE, {"l1_ratios": None, "refit": False}),
    (PoissonRegressor(alpha=0.0), COUNTS, REGRESSOR),
    (PoissonRegressor(alpha=1.0), COUNTS, {"alpha": 0.0, "fit_intercept": False}),
    (GammaRegressor(alpha=0.0), AMOUNTS, REGRESSOR),
    (TweedieRegressor(alpha=0.0, power=1.5), AMOUNTS, {**REGRESSOR, "power": 0.0, "link": "identity"}),
    (GeneralizedLinearRegressor("poisson"), COUNTS, {**REGRESSOR, "family": "binomial", "link": "probit"}),
    (GeneralizedLinearRegressor("negative_binomial"), COUNTS, {"dispersion": 3.0, "family": "poisson"}),
    (GeneralizedLinearRegressor("tweedie", power=1.5), AMOUNTS, {"power": 1.9, "link": "identity"}),
]


def answers(model, y):
    """What a user may ask a fitted model, errors included."""
    said = {}
    asked = {
        **{name: (lambda f=name: getattr(model, f)(X)) for name in ("predict", "predict_proba", "predict_interval")},
        **{name: (lambda a=name: getattr(model, a)) for name in ("std_errors_", "C_", "scores_", "coefs_paths_")},
        "score": lambda: model.score(X, y),
        "robust": lambda: model.inference(X, y, cov_type="HC0").std_errors,
        "intervals": lambda: model.conf_int(),
        "page": lambda: str(model.summary()),
    }
    for name, ask in asked.items():
        try:
            said[name] = ask()
        except (AttributeError, ValueError) as error:
            said[name] = str(error)
    return said


def assert_same(after, before):
    assert type(after) is type(before)
    if isinstance(before, dict):
        assert after.keys() == before.keys()
        for key in before:
            assert_same(after[key], before[key])
    else:
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(("model", "y", "changes"), CASES, ids=lambda v: type(v).__name__)
def test_parameters_set_later_change_nothing(model, y, changes, tmp_path):
    model = clone(model).fit(X, y)
    before = answers(model, y)
    for name, value in changes.items():
        usual = model.get_params()[name]
        model.set_params(**{name: value})
        assert_same(answers(model, y), before)
        model.set_params(**{name: usual})
    model.set_params(**changes)
    mlwright.save(model, tmp_path / "m.mlw")
    for copy in (mlwright.load(tmp_path / "m.mlw"), pickle.loads(pickle.dumps(model))):
        assert_same(answers(copy, y), before)


LOG_COSH = loss(
    lambda y, raw: np.log(np.cosh(raw - y)),
    lambda y, raw: (np.tanh(raw - y), max(1.0 - np.tanh(raw - y) ** 2, 0.1)),
    name="log_cosh",
)


def test_a_file_of_a_loss_of_the_users_predicts(tmp_path):
    model = GeneralizedLinearRegressor(LOG_COSH).fit(X, AMOUNTS)
    mlwright.save(model, tmp_path / "m.mlw")
    loaded = mlwright.load(tmp_path / "m.mlw")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="no longer there"):
        loaded.score(X, AMOUNTS)
    with pytest.raises(ValueError, match="no longer there"):
        loaded.fit(X, AMOUNTS)
    assert loaded.set_params(family=LOG_COSH).score(X, AMOUNTS) == model.score(X, AMOUNTS)
    model.set_params(family="poisson")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_an_estimated_dispersion_counts_all_reads_and_warns_of_the_answer_alone():
    y = RNG.negative_binomial(2, 2 / (2 + np.exp(ETA))).astype(float)
    estimated = GeneralizedLinearRegressor("negative_binomial").fit(X, y)
    given = GeneralizedLinearRegressor("negative_binomial", dispersion=estimated.dispersion_).fit(X, y)
    assert estimated.converged_
    assert estimated.n_passes_ > given.n_passes_
    np.testing.assert_allclose(estimated.coef_, given.coef_, atol=1e-4)
