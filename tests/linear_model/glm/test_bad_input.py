"""What cannot be fitted is said so: by row, by name, with a way out."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from mlwright.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor, TweedieRegressor

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
