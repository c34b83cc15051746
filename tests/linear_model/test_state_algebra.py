"""fit(A + B) == fit(A).merge(fit(B)) == fit(A).partial_fit(B), and fit(A + B).forget(B) == fit(A), up to rounding."""

import copy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge
from mlwright.testing.linear_model import regressions

# Of rows that ARDRegression drops all columns of: tests/linear_model/test_ard.py.
pytestmark = pytest.mark.filterwarnings("ignore:ARDRegression. every column was dropped:UserWarning")

MODELS = [
    LinearRegression(),
    LinearRegression(positive=True),
    Ridge(0.5),
    Ridge(0.5, positive=True),
    BayesianRidge(),
    ARDRegression(),
]


def assert_same_model(got, want, rtol=1e-7):
    size = max(1e-8, np.abs(want.coef_).max())
    np.testing.assert_allclose(got.coef_, want.coef_, rtol=rtol, atol=rtol * size)
    shift = size * np.abs(want._statistics["mean"]).max()
    np.testing.assert_allclose(got.intercept_, want.intercept_, rtol=rtol, atol=rtol * (1 + shift))
    np.testing.assert_allclose(got._statistics["weight"], want._statistics["weight"])


def split(problem, cut):
    return problem.rows(slice(0, cut)), problem.rows(slice(cut, None))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_merge_and_partial_fit_equal_fit(model):
    @given(regressions(min_rows=30, deficient=False), st.integers(14, 16))
    def check(problem, cut):
        first, second = split(problem, cut)
        assume(problem.w is None or (first[2].any() and second[2].any()))
        whole = copy.deepcopy(model).fit(problem.X, problem.y, problem.w)
        a, b = copy.deepcopy(model).fit(*first), copy.deepcopy(model).fit(*second)
        before = b.coef_.copy()
        assert_same_model(copy.deepcopy(a).merge(b), whole)
        assert_same_model(copy.deepcopy(b).merge(a), whole)
        assert_same_model(a.partial_fit(*second), whole)
        np.testing.assert_array_equal(b.coef_, before)

    check()


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_forget_equals_never_having_seen(model):
    @given(regressions(min_rows=40, deficient=False), st.integers(20, 30))
    def check(problem, cut):
        first, second = split(problem, cut)
        assume(problem.w is None or (np.count_nonzero(first[2]) > 14 and second[2].any()))
        whole = copy.deepcopy(model).fit(problem.X, problem.y, problem.w)
        assert_same_model(whole.forget(*second), copy.deepcopy(model).fit(*first), rtol=1e-6)

    check()


def test_a_sliding_window_over_a_drifting_stream_keeps_its_digits():
    rng = np.random.default_rng(0)
    blocks = [(rng.standard_normal((50, 3)) + 1e4 * k, rng.standard_normal(50)) for k in range(60)]
    model = Ridge(1e-3).fit(*blocks[0])
    for old, new in pairwise(blocks):
        model.partial_fit(*new).forget(*old)
    np.testing.assert_allclose(model.coef_, Ridge(1e-3).fit(*blocks[-1]).coef_, atol=1e-3)


def test_forgetting_nearly_all_spread_warns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    wild = X[:10] * 1e7
    y = rng.standard_normal(20)
    model = Ridge().fit(np.vstack([wild, X[10:]]), y)
    with pytest.warns(LossOfPrecisionWarning, match="fit anew"):
        model.forget(wild, y[:10])


def test_an_ill_conditioned_stream_warns_and_gives_the_certain_part():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 3))
    X[:, 2] = X[:, 1] + 1e-6 * X[:, 2]
    with pytest.warns(LossOfPrecisionWarning, match="call fit on all rows"):
        model = LinearRegression(tol=0.0).partial_fit(X, X @ [1.0, 2.0, 3.0])
    np.testing.assert_allclose(model.predict(X), X @ [1.0, 2.0, 3.0], atol=1e-4)


def test_the_svd_route_can_be_continued():
    X, y = np.random.default_rng(0).standard_normal((40, 3)), np.arange(40.0)
    model = Ridge(solver="svd").fit(X[:20], y[:20]).partial_fit(X[20:], y[20:])
    np.testing.assert_allclose(model.coef_, Ridge().fit(X, y).coef_, rtol=1e-10)


def test_what_cannot_be_added_is_refused():
    X, y = np.eye(4), np.arange(4.0)
    model = Ridge().fit(X, y)
    with pytest.raises(TypeError, match="expected a fitted Ridge"):
        model.merge(LinearRegression().fit(X, y))
    with pytest.raises(ValueError, match="got 2 features and 1 targets, expected 4 and 1"):
        model.merge(Ridge().fit(X[:, :2], y))
    with pytest.raises(ValueError, match="fewer than the 4 rows"):
        model.forget(X, y)
    with pytest.raises(ValueError, match="keeps no statistics"):
        Ridge().forget(X, y)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :2], y)
    wide = np.random.default_rng(0).standard_normal((4, 600))
    with pytest.raises(ValueError, match=r"^partial_fit: .*keeps no statistics"):
        Ridge().fit(wide, y).partial_fit(wide, y)
    np.testing.assert_array_equal(model.coef_, Ridge().fit(X, y).coef_)


def test_models_of_other_columns_do_not_merge():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.standard_normal((20, 3)), columns=["a", "b", "c"]), rng.standard_normal(20)
    model, turned = Ridge().fit(X, y), Ridge().fit(X[["b", "a", "c"]], y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="merge: got a Ridge fitted on the columns 'b', 'a', 'c'; expected 'a'"):
        model.merge(turned)
    np.testing.assert_array_equal(model.coef_, before)
    model.merge(Ridge().fit(X.to_numpy(), y)).merge(Ridge().fit(X, y))  # names that are not known are not asked for
