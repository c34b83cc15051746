"""What a fitted model answers does not change with parameters that are set for the next fit."""

import numpy as np
import pytest
from sklearn.base import clone

import mlwright
from mlwright import linear_model as lm
from mlwright._runtime.errors import ModelFormatError
from mlwright.base import as_fitted
from mlwright.io import model as files

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 3)) + 2.0
Y = X @ [1.0, -1.0, 0.5] + RNG.standard_normal(120) + 3.0
COUNTS, CLASSES, TWO = RNG.poisson(2, 120) + 1.0, np.digitize(Y, np.quantile(Y, [0.3, 0.6])), (Y > 4.0).astype(int)
OTHERS = {
    "fit_intercept": False,
    "alpha": 7.0,
    "l1_ratio": 0.3,
    "positive": True,
    "quantile": [0.1, 0.2],
    "family": "gamma",
    "link": "identity",
    "power": 3,
    "dispersion": 9.0,
    "C": 0.01,
    "class_weight": "balanced",
    "loss": "hinge",
}
MODELS = [
    (lm.LinearRegression(), Y),
    (lm.Ridge(), Y),
    (lm.RidgeCV(), Y),
    (lm.ElasticNet(0.1), Y),
    (lm.LassoCV(alphas=10), Y),
    (lm.LassoLarsIC(), Y),
    (lm.PenalizedRegression(alpha=0.1), Y),
    (lm.MultiTaskLasso(0.1), np.column_stack([Y, COUNTS])),
    (lm.QuantileRegressor(alpha=0.0), Y),
    (lm.QuantileRegressor(quantile=[0.5, 0.95, 0.05], alpha=0.0, non_crossing=True), Y),
    (lm.HuberRegressor(), Y),
    (lm.SGDRegressor(random_state=0), Y),
    (lm.PoissonRegressor(alpha=0.0), COUNTS),
    (lm.TweedieRegressor(alpha=0.0, power=1.5), COUNTS),
    (lm.GeneralizedLinearRegressor("negative_binomial"), COUNTS),
    (lm.LogisticRegression(C=np.inf), TWO),
    (lm.LogisticRegression(C=np.inf), CLASSES),
    (lm.SGDClassifier(loss="log_loss", random_state=0), CLASSES),
]


def answers(model, y):
    """Of everything that a fitted model can be asked; errors by their words."""
    calls = [name for name in ("predict", "predict_proba", "predict_interval") if hasattr(model, name)]
    asked = {name: (lambda name=name: getattr(model, name)(X[:9])) for name in calls}
    values = [name for name in ("std_errors_", "singular_") if hasattr(model, name)]
    asked |= {name: (lambda name=name: getattr(model, name)) for name in values}
    if hasattr(model, "inference"):
        asked["inference"] = lambda: str(model.inference(X, y, cov_type="HC1"))
        asked["summary"] = lambda: str(model.summary())
    out = {}
    for name, call in asked.items():
        try:
            value = call()
        except ValueError as error:
            value = str(error)
        out[name] = value if isinstance(value, str) else np.asarray(value).tobytes()
    return out


@pytest.mark.parametrize(("model", "y"), MODELS, ids=[type(model).__name__ for model, _ in MODELS])
def test_set_params_changes_no_answer(model, y, tmp_path):
    model = clone(model).fit(X, y)
    want, parameters = answers(model, y), model.get_params()
    others = {name: value for name, value in OTHERS.items() if name in parameters}
    if isinstance(model, lm.SGDRegressor):
        others["loss"] = "huber"
    model.set_params(**others)
    assert answers(model, y) == want
    mlwright.save(model, tmp_path / "m.mlw")
    loaded = mlwright.load(tmp_path / "m.mlw")
    assert answers(loaded, y) == want
    assert {name: loaded.get_params()[name] for name in others} == others


def test_the_next_fit_takes_them():
    model = lm.Ridge(1.0).fit(X, Y).set_params(alpha=50.0, fit_intercept=False)
    fresh = lm.Ridge(50.0, fit_intercept=False).fit(X, Y)
    np.testing.assert_array_equal(model.fit(X, Y).predict_interval(X), fresh.predict_interval(X))


def test_a_failed_fit_leaves_them():
    model = lm.QuantileRegressor(quantile=[0.1, 0.9], alpha=0.0).fit(X, Y)
    want = answers(model, Y)
    model.set_params(quantile=[0.2, 0.8])
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), Y)
    assert answers(model, Y) == want


def test_lists_are_the_users_own():
    levels = [0.1, 0.9]
    model = lm.QuantileRegressor(quantile=levels, alpha=0.0).fit(X, Y)
    levels[0] = 0.3
    assert as_fitted(model, "quantile") == [0.1, 0.9]
    assert model.predict_interval(X, coverage=0.8).shape == (120, 2)


def test_files_that_name_other_parameters_are_refused():
    text, tensors = files.encode(lm.Ridge().fit(X, Y).set_params(alpha=9.0))
    assert '"fitted_with"' in text
    for wrong in ('{"alpha":-1.0}', '{"solver":"auto"}', '{"fit_intercept":"no"}', "[]"):
        broken = text.replace('{"alpha":1.0}', wrong)
        assert broken != text
        with pytest.raises(ModelFormatError):
            files.decode(broken, tensors)
