"""Least squares of many float32 rows: summed in float32 where that changes nothing that float32 answers show."""

import numpy as np
import pytest

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._validation import rows_for_fit
from mlwright.linear_model import LinearRegression, Ridge
from mlwright.linear_model._single import single_statistics

N = 40_000


def table(seed=0, p=12, noise=1.0):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((N, p)) + rng.uniform(-2, 2, p)).astype(np.float32)
    return X, X @ rng.standard_normal(p) + 3.0 + noise * rng.standard_normal(N)


def singly(X, y, sample_weight=None, *, fit_intercept=True):
    return single_statistics(rows_for_fit(LinearRegression(), X, y, sample_weight), fit_intercept)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("model", [LinearRegression(), Ridge(alpha=10.0)], ids=["ols", "ridge"])
def test_answers_of_an_easy_table_are_those_of_float64(model, fit_intercept):
    X, y = table()
    model.set_params(fit_intercept=fit_intercept)
    assert singly(X, y, fit_intercept=fit_intercept) is not None
    fit = model.fit(X, y)
    coef, intercept, objective = fit.coef_.astype(float), float(fit.intercept_), fit.objective_
    model.fit(X.astype(float), y)
    np.testing.assert_allclose(coef, model.coef_, atol=2e-7)
    np.testing.assert_allclose(intercept, model.intercept_, rtol=1e-6)
    np.testing.assert_allclose(objective, model.objective_, rtol=1e-6)


def test_standard_errors_and_streams_keep_their_digits():
    X, y = table(1)
    single, double = LinearRegression().fit(X, y), LinearRegression().fit(X.astype(float), y)
    np.testing.assert_allclose(single.std_errors_, double.std_errors_, rtol=1e-6)
    rest = single.forget(X[: N // 2], y[: N // 2])
    want = LinearRegression().fit(X[N // 2 :].astype(float), y[N // 2 :])
    np.testing.assert_allclose(rest.coef_, want.coef_, atol=1e-6)


def hard_tables():
    X, y = table(2)
    twin = np.column_stack([X, X[:, 0] + np.float32(1e-3) * X[:, 1]])
    return {
        "columns alike": (twin, y),
        "explained but for rounding": (X, X @ np.arange(1.0, 13.0)),
        "few rows": (X[:1000], y[:1000]),
        "float64": (X.astype(float), y),
        "an outlier": (np.where(np.arange(N)[:, None] == 17, np.float32(1e25), X), y),
    }


@pytest.mark.parametrize("name", list(hard_tables()))
def test_hard_tables_are_summed_in_float64(name):
    X, y = hard_tables()[name]
    assert singly(X, y) is None
    model = LinearRegression().fit(X, y)
    exact = FoldStatistics.of_rows(X, y[:, None])
    assert np.array_equal(model._get_statistics().scatter, exact.scatter)


def test_weights_are_summed_in_float64():
    X, y = table(3)
    assert singly(X, y, np.ones(N)) is None


def test_not_finite_is_refused_as_ever():
    X, y = table(4)
    X[N - 1, 3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LinearRegression().fit(X, y)
