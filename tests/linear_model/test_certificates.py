"""Answers are checked by their optimality conditions, whatever the shape, the layout or the scale of the columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlwright.linear_model import BayesianRidge, LinearRegression, Ridge
from mlwright.testing.arrays import LAYOUTS, with_layout
from mlwright.testing.linear_model import regressions


def slopes(problem, model, alpha=0.0):
    """Gradient of the objective at the fitted model, relative to what its terms are made of."""
    X, y = np.asarray(problem.X, dtype=np.longdouble), problem.y
    w = np.ones(len(y)) if problem.w is None else problem.w
    centred = X - (w @ X) / w.sum()
    residual = y - X @ model.coef_ - model.intercept_
    gradient = centred.T @ (w * residual) - alpha * model.coef_
    size = np.sqrt((w[:, None] * centred**2).sum(axis=0) + alpha) * np.sqrt((w * (y - (w @ y) / w.sum()) ** 2).sum())
    noise = np.finfo(float).eps * np.abs(X).max() * np.sqrt(w.sum()) * np.sqrt((w * y * y).sum())
    return np.asarray(gradient / (size + 1e3 * noise + 1e-300), dtype=float)


@given(regressions(min_rows=2))
def test_least_squares_is_stationary(problem):
    model = LinearRegression().fit(problem.X, problem.y, problem.w)
    np.testing.assert_allclose(slopes(problem, model), 0.0, atol=1e-9)


@given(regressions(min_rows=2), st.floats(1e-6, 1e6))
def test_ridge_is_stationary(problem, alpha):
    model = Ridge(alpha).fit(problem.X, problem.y, problem.w)
    np.testing.assert_allclose(slopes(problem, model, alpha), 0.0, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_nonnegative_answers_satisfy_the_kkt_conditions(alpha):
    @given(regressions(min_rows=2))
    def check(problem):
        model = Ridge(alpha, positive=True) if alpha else LinearRegression(positive=True)
        model.fit(problem.X, problem.y, problem.w)
        slope = slopes(problem, model, alpha)
        assert (model.coef_ >= 0.0).all()
        assert model.kkt_violation_ < 1e-9
        np.testing.assert_allclose(slope[model.coef_ > 0.0], 0.0, atol=1e-7)
        assert (slope < 1e-7).all()

    check()


@pytest.mark.parametrize("spread", [1e-4, 1e-6, 1e-8])
def test_ill_conditioned_least_squares_keeps_its_digits(spread):
    """Nearly collinear columns with an exact answer: the Gram matrix alone would lose all digits of it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 5))
    X[:, 4] = X[:, 3] + spread * X[:, 4]
    coef = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    model = LinearRegression(tol=0.0).fit(X, X @ coef)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-13 / spread)
    weak = Ridge(1e-18).fit(X, X @ coef)
    np.testing.assert_allclose(weak.predict(X), X @ coef, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1e-150, 1e-20, 1e20, 1e150])
def test_columns_of_any_magnitude(size):
    rng = np.random.default_rng(0)
    X, coef = rng.standard_normal((50, 4)), np.array([1.0, -2.0, 3.0, 0.5])
    y = X @ coef + 1.0
    for model in (LinearRegression(), BayesianRidge(lambda_1=0, lambda_2=0, alpha_1=0, alpha_2=0, tol=1e-300)):
        scaled = LinearRegression().fit(X * size, y) if isinstance(model, LinearRegression) else None
        if scaled is not None:
            np.testing.assert_allclose(scaled.coef_ * size, coef, rtol=1e-10)
            np.testing.assert_allclose(scaled.predict(X * size), y, rtol=1e-10)
    tiny = LinearRegression().fit(X, y * size)
    np.testing.assert_allclose(tiny.coef_ / size, coef, rtol=1e-10)
    ridge = Ridge(1.0).fit(X * size, y)
    assert np.isfinite(ridge.coef_).all()
    if size > 1:
        np.testing.assert_allclose(ridge.predict(X * size), y, rtol=1e-10)
    else:
        np.testing.assert_allclose(ridge.predict(X * size), y.mean(), rtol=1e-10)


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), BayesianRidge()], ids=repr)
@pytest.mark.parametrize("layout", [*LAYOUTS, "memmap"])
def test_layouts_have_the_same_bits_and_stay_untouched(model, layout, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 7)), rng.standard_normal(200)
    want = model.fit(X, y)
    coef, predicted = want.coef_.tobytes(), want.predict(X).tobytes()
    if layout == "memmap":
        X.tofile(tmp_path / "X")
        other = np.memmap(tmp_path / "X", dtype=float, mode="r", shape=X.shape)
    else:
        other = with_layout(X, layout)
    got = model.fit(other, y)
    assert got.coef_.tobytes() == coef
    assert got.predict(other).tobytes() == predicted
    np.testing.assert_array_equal(other, X)


@pytest.mark.filterwarnings("ignore:.*say more of the prior:UserWarning")
def test_constant_target_and_single_row():
    X = np.random.default_rng(0).standard_normal((6, 3))
    for model in (LinearRegression(), Ridge(), BayesianRidge(), LinearRegression(positive=True)):
        np.testing.assert_array_equal(model.fit(X, np.full(6, 2.5)).coef_, 0.0)
        assert model.intercept_ == 2.5
        np.testing.assert_array_equal(model.fit(X[:1], [4.0]).predict(X), 4.0)
