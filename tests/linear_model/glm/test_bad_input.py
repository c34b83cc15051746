"""What cannot be fitted is said so: by row, by name, with a way out."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from mlwright.linear_model import (
    GammaRegressor,
    GeneralizedLinearRegressor,
    HuberRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)

X = np.random.default_rng(0).standard_normal((60, 3))
Y = np.tile([0, 1], 30)


def test_separable_classes_have_no_optimum():
    with pytest.warns(ConvergenceWarning, match=r"no finite optimum.*separable"):
        model = LogisticRegression(C=np.inf).fit(X, X[:, 0] > 0)
    assert not model.converged_
    assert np.isfinite(model.coef_).all()
    assert LogisticRegression(C=1e3).fit(X, X[:, 0] > 0).converged_


def test_quasi_separable_classes_have_no_optimum():
    y = np.where(X[:, 0] > 0, 1, np.tile([0, 1, 0], 20))
    indicator = np.column_stack([X[:, 1:], (X[:, 0] > 0).astype(float)])
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        LogisticRegression(C=np.inf).fit(indicator, y)


def test_a_category_without_counts_has_no_optimum():
    y = np.where(X[:, 0] > 0, 0.0, np.random.default_rng(1).poisson(3, 60))
    with pytest.warns(ConvergenceWarning, match="only zero counts"):
        PoissonRegressor(alpha=0.0).fit((X[:, [0]] > 0).astype(float), y)


@pytest.mark.parametrize(
    ("model", "value"),
    [(PoissonRegressor(), -1.0), (GammaRegressor(), 0.0), (TweedieRegressor(power=1.5), -0.5)],
    ids=lambda v: str(v),
)
def test_targets_outside_the_domain_name_their_row(model, value):
    y = np.ones(60)
    y[17] = value
    with pytest.raises(ValueError, match=r"y: row 17 is .*expected numbers >"):
        model.fit(X, y)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky", "newton-cg", "sag"])
def test_a_solver_without_proximal_step_names_it(solver):
    with pytest.raises(ValueError, match=r"proximal step.*'auto' or 'saga'"):
        LogisticRegression(solver=solver, l1_ratio=1.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"proximal step.*expected 'auto' \(or"):
        GeneralizedLinearRegressor("poisson", solver="lbfgs", alpha=1.0, l1_ratio=0.5).fit(X, Y)


def test_dependent_and_constant_columns():
    wide = np.column_stack([X, X[:, 0] + X[:, 1], np.full(60, 7.0), X[:, 2]])
    rng = np.random.default_rng(0)
    y = (rng.random(60) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    dependent, plain = LogisticRegression(C=np.inf).fit(wide, y), LogisticRegression(C=np.inf).fit(X, y)
    assert dependent.converged_
    assert dependent.objective_ == pytest.approx(plain.objective_, rel=1e-7)


def test_a_failed_fit_leaves_the_model_as_it_was():
    model = PoissonRegressor().fit(X, Y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="row 0"):
        model.fit(X[:, :2], -np.ones(60))
    assert np.array_equal(model.coef_, before)
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("model", [LogisticRegression(), PoissonRegressor()], ids=lambda m: type(m).__name__)
def test_values_that_are_not_finite(model, value):
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.fit(bad, Y)


def test_weights():
    with pytest.raises(ValueError, match="at least one non-zero"):
        LogisticRegression().fit(X, Y, np.zeros(60))
    with pytest.raises(ValueError, match="one class only"):
        LogisticRegression().fit(X, Y, Y)


def several_classes(n=200):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, 3))
    return X, (X + rng.gumbel(size=(n, 3))).argmax(axis=1)


@pytest.mark.parametrize(("shift", "fit_intercept"), [(0.0, True), (0.0, False), (3.0, True), (100.0, True)])
def test_several_separable_classes_have_no_optimum(shift, fit_intercept):
    """Wholly apart, or one class by a column of its own."""
    X, y = several_classes()
    X = X + shift * y[:, None] if shift else np.column_stack([X, y == 2])
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        model = LogisticRegression(C=np.inf, fit_intercept=fit_intercept).fit(X, y)
    assert not model.converged_
    assert not hasattr(model, "std_errors_")
    assert LogisticRegression(C=1e3).fit(X, y).converged_


def test_several_classes_that_overlap_have_one():
    X, y = several_classes()
    far = np.vstack([X, [[30.0, 0.0, 0.0]]])  # a row far out has a large score, and that alone is no divergence
    model = LogisticRegression(C=np.inf).fit(far, np.append(y, 0))
    assert model.converged_
    assert np.ptp(model.decision_function(far), axis=1).max() > 8.0


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LogisticRegression(C=np.inf),
        LogisticRegression(l1_ratio=0.5),
        PoissonRegressor(),
        GammaRegressor(alpha=0.0),
        GeneralizedLinearRegressor("inverse_gaussian", alpha=0.1, l1_ratio=0.5),
        HuberRegressor(),
        QuantileRegressor(alpha=0.0),
        QuantileRegressor(alpha=0.1),
    ],
)
@pytest.mark.parametrize("scale", [1e-150, 1e150, (1e-150, 1.0, 1e150)])
def test_columns_of_any_size_are_certified(model, scale):
    X, y = several_classes()
    model.fit(X * scale, y + 1.0)
    assert model.converged_
    assert np.isfinite(model.predict(X * scale)).all()
    if not getattr(model, "alpha", 1 / getattr(model, "C", 1.0)):  # without a penalty, units are nothing
        other = clone(model).fit(X, y + 1.0)
        np.testing.assert_allclose(model.predict(X * scale), other.predict(X), rtol=1e-3)


@pytest.mark.parametrize("model", [GammaRegressor(alpha=0.0), GeneralizedLinearRegressor("normal")])
def test_a_perfect_fit_has_no_standard_errors(model):
    X, _ = several_classes()
    model.fit(X, np.ones(len(X)))
    assert model.dispersion_ < 1e-20
    assert model.inference(X, np.ones(len(X))).log_likelihood is None or model.dispersion_ > 0.0


def test_inverse_gaussian_with_its_own_link():
    """The canonical one, ``mu = eta^(-1/2)``; its loss is convex, and means stay inside."""
    rng = np.random.default_rng(4)
    X = rng.uniform(0.0, 1.0, (3000, 2))
    mu = (1.0 + X @ [2.0, 0.5]) ** -0.5
    y = rng.wald(mu, 20.0)
    model = GeneralizedLinearRegressor("inverse_gaussian", link="inverse_squared", tol=1e-8).fit(X, y)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, [2.0, 0.5], atol=6 * model.std_errors_[1:].max())
    score = (y - model.predict(X)) @ np.column_stack([np.ones(3000), X])  # of the canonical link: residuals by columns
    np.testing.assert_allclose(score, 0.0, atol=1e-5 * np.abs(y).sum())
    np.testing.assert_allclose(model.predict(X) ** -2.0, model.intercept_ + X @ model.coef_, rtol=1e-10)


@pytest.mark.parametrize("power", [3.0, 4.0])
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_targets_whose_powers_overflow_are_refused(power, scale):
    """They were once certified with coefficients of zero."""
    rng = np.random.default_rng(5)
    y = rng.wald(np.exp(0.5 * X[:, 0]), 8.0)
    with pytest.raises(ArithmeticError, match=r"y: row 0 is .* whose powers overflow"):
        TweedieRegressor(power=power, alpha=0.0).fit(X, y * scale)
    for unit in (1e-60, 1e60):
        model = TweedieRegressor(power=power, alpha=0.0).fit(X, y * unit)
        np.testing.assert_allclose(model.coef_, TweedieRegressor(power=power, alpha=0.0).fit(X, y).coef_, rtol=1e-3)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_of_classes_that_cannot_be(weight):
    with pytest.raises(ValueError, match=r"class_weight: got .*expected finite weights of 0 or more"):
        LogisticRegression(class_weight={0: weight, 1: 1.0, 2: 1.0}).fit(X, np.arange(60) % 3)


def test_what_a_cross_validated_solver_has_no_step_for():
    with pytest.raises(ValueError, match="multiclass"):
        LogisticRegressionCV(solver="liblinear", cv=2).fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match="l1_ratios"):
        LogisticRegressionCV(penalty="elasticnet", cv=2).fit(X, Y)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_weights_of_any_size_are_certified(n_classes, l1_ratio, unit):
    y = np.random.default_rng(6).integers(0, n_classes, 60)
    plain = LogisticRegression(C=0.2, l1_ratio=l1_ratio, tol=1e-6).fit(X, y)
    other = LogisticRegression(C=0.2 / unit, l1_ratio=l1_ratio, tol=1e-6).fit(X, y, np.full(60, unit))
    assert other.converged_
    np.testing.assert_allclose(other.coef_, plain.coef_, atol=1e-4)


@pytest.mark.parametrize("C", [5e-324, 1e-300, 1e300])
def test_penalties_of_any_size(C):
    model = LogisticRegression(C=C).fit(X, np.random.default_rng(6).integers(0, 2, 60))
    assert model.converged_
    assert np.isfinite(model.objective_)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (PoissonRegressor(), np.zeros(60)),
        (TweedieRegressor(power=1.5), np.zeros(60)),
        (GeneralizedLinearRegressor("binomial"), np.ones(60)),
        (GeneralizedLinearRegressor("negative_binomial"), np.zeros(60)),
    ],
)
def test_the_score_of_targets_that_a_constant_fits_is_zero_as_of_r2(model, y):
    rng = np.random.default_rng(7)
    model.fit(X, rng.integers(0, 2, 60).astype(float))
    assert model.score(X, y) == 0.0
    assert model.score(X[:1], y[:1]) == 0.0
