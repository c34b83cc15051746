"""Weights of any size: refused by name where sums would be lost, and where they are not, one answer for all sizes."""

import inspect

import numpy as np
import pytest

from mlwright import bayes, cluster, decomposition, linear_model, preprocessing
from mlwright.linear_model import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    GeneralizedLinearRegressor,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PenalizedRegression,
    PenalizedRegressionCV,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
    RidgeCV,
    TweedieRegressor,
)

# Their weights are divided by the mean on the way in: tests/linear_model/glm/test_bad_input.py; BART's are shares of
# their sum: tests/bayes/test_bart.py.
ANY_WEIGHTS = {
    bayes.BARTRegressor,
    GammaRegressor,
    GeneralizedLinearRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    TweedieRegressor,
}

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 4))
Y = X @ [1.0, 2.0, 0.0, -1.0] + 0.5 * RNG.standard_normal(80) + 1.0
POSITIVE = np.exp(0.3 * Y)
LABELS = (Y + RNG.standard_normal(80) > 1.0).astype(int)
W = RNG.uniform(0.5, 2.0, 80)


def classes_that_take_weights():
    for package in (linear_model, cluster, decomposition, preprocessing, bayes):
        for name in package.__all__:
            found = getattr(package, name)
            fit = getattr(found, "fit", None) if inspect.isclass(found) else None
            if fit and found not in ANY_WEIGHTS and "sample_weight" in inspect.signature(fit).parameters:
                yield found


def name_of(part):
    return repr(part)[:50] if hasattr(part, "fit") else ""


@pytest.mark.parametrize("cls", list(classes_that_take_weights()), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_weights_that_sums_do_not_bear_are_refused(cls, factor):
    model = cls()
    y = LABELS if "Logistic" in cls.__name__ or "Classifier" in cls.__name__ else Y
    if "Poisson" in cls.__name__:
        y = np.floor(POSITIVE)
    if "MultiTask" in cls.__name__:
        y = np.column_stack([y, y])
    before = dict(vars(model))
    with pytest.raises(ValueError, match=r"sample_weight: the largest is .*, expected one between"):
        model.fit(X, y, sample_weight=factor * W)
    assert vars(model) == before


FREE = [
    (LinearRegression(), Y),
    (LinearRegression(positive=True), Y),
    (Lasso(0.1), Y),
    (ElasticNet(0.1), Y),
    (LassoCV(), Y),
    (ElasticNetCV(), Y),
    (PenalizedRegression(alpha=0.1), Y),
    (PenalizedRegressionCV(), Y),
    (QuantileRegressor(alpha=0.01), Y),
]


@pytest.mark.parametrize("factor", [1e-90, 1e90])
@pytest.mark.parametrize(("model", "y"), FREE, ids=name_of)
def test_a_common_factor_changes_nothing_where_losses_are_means(model, y, factor):
    want = model.fit(X, y, W).coef_.copy()
    np.testing.assert_allclose(model.fit(X, y, factor * W).coef_, want, rtol=1e-5, atol=1e-6)


PENALISED = [
    (lambda c: Ridge(c), Y),
    (lambda c: RidgeCV(c * np.array([0.1, 1.0, 10.0])), Y),
    (lambda c: RidgeClassifier(c), LABELS),
    (lambda c: HuberRegressor(alpha=1e-2 * c), Y),
    (lambda c: LogisticRegression(C=1.0 / c), LABELS),
]


GLMS = [
    (PoissonRegressor(), POSITIVE),
    (GammaRegressor(), POSITIVE),
    (TweedieRegressor(power=1.5), POSITIVE),
    (GeneralizedLinearRegressor(family="poisson", alpha=0.05, l1_ratio=1.0), POSITIVE),
    (LogisticRegression(C=np.inf), LABELS),
]


@pytest.mark.parametrize("factor", [1e-200, 1e200])
@pytest.mark.parametrize(("model", "y"), GLMS, ids=name_of)
def test_generalized_linear_models_take_any_common_factor(model, y, factor):
    want = model.fit(X, y, W).coef_.copy()
    np.testing.assert_allclose(model.fit(X, y, factor * W).coef_, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factor", [1e-90, 1e90])
@pytest.mark.parametrize(("of", "y"), PENALISED)
def test_a_common_factor_of_weights_and_penalty_changes_nothing(of, y, factor):
    want = of(1.0).fit(X, y, W).coef_
    np.testing.assert_allclose(of(factor).fit(X, y, factor * W).coef_, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("model", "y"), [*FREE, (Ridge(), Y)], ids=name_of)
def test_rows_that_weigh_nothing_beside_others_are_as_left_out(model, y):
    w = np.where(np.arange(80) < 20, 1e-300, W)
    settings = {"cv": [(np.arange(0, 50), np.arange(50, 80))]} if "CV" in type(model).__name__ else {}
    left = {"cv": [(np.arange(20, 50) - 20, np.arange(50, 80) - 20)]} if settings else {}
    got = model.set_params(**settings).fit(X, y, w).coef_.copy()
    want = model.set_params(**left).fit(X[20:], y[20:], W[20:]).coef_
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1e-150, 1e-146, 1e-80])
@pytest.mark.parametrize("positive", [False, True])
def test_ridge_of_tiny_columns(size, positive):
    """Under a penalty that leaves next to nothing of coefficients they are X'y / alpha."""
    got = Ridge(1.0, fit_intercept=False, positive=positive).fit(size * X, Y).coef_
    want = size * (X.T @ Y)
    np.testing.assert_allclose(got, np.maximum(want, 0.0) if positive else want, rtol=1e-6)
