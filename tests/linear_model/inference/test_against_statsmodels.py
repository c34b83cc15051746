"""Inference equal to statsmodels'; ``make_references.py`` wrote its numbers down."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from mlwright.linear_model import LinearRegression

REFERENCES = dict(np.load(Path(__file__).with_name("references.npz")))
LEAST_SQUARES = sorted(key for key in REFERENCES if key.startswith("ols/"))


@dataclass
class Expected:
    params: np.ndarray
    std_errors: np.ndarray
    p_values: np.ndarray
    conf_int: np.ndarray
    cov_params: np.ndarray
    fit: np.ndarray
    more: np.ndarray

    @classmethod
    def of(cls, numbers, k):
        sizes = (k, k, k, 2 * k, k * k, 4)
        parts = np.split(numbers, np.cumsum(sizes))
        return cls(*parts[:3], parts[3].reshape(k, 2), parts[4].reshape(k, k), *parts[5:])


def data_of(name):
    return (REFERENCES[f"design/{name}/{part}"] for part in ("X", "y", "w", "groups"))


def arguments(kind, groups):
    if kind == "cluster":
        return {"cov_type": "cluster", "groups": groups[:, 0]}
    if kind == "two-way":
        return {"cov_type": "cluster", "groups": groups}
    return {"cov_type": kind, "maxlags": 3} if kind == "HAC" else {"cov_type": kind}


def compare(result, want, rtol):
    """Covariances are compared relative to the standard errors: an entry may be zero."""
    np.testing.assert_allclose(result.params, want.params, rtol=rtol)
    np.testing.assert_allclose(result.std_errors, want.std_errors, rtol=rtol)
    size = np.outer(want.std_errors, want.std_errors)
    np.testing.assert_allclose(result.cov_params / size, want.cov_params / size, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(result.p_values, want.p_values, rtol=30 * rtol, atol=1e-300)
    reach = want.std_errors[:, None]
    np.testing.assert_allclose(result.conf_int(0.1) / reach, want.conf_int / reach, rtol=rtol, atol=rtol)
    if np.isfinite(want.fit[0]):
        got = [result.log_likelihood, result.aic, result.bic, result.df_resid]
        np.testing.assert_allclose(got, want.fit, rtol=rtol)


@pytest.mark.parametrize("key", LEAST_SQUARES)
def test_least_squares(key):
    _, name, intercept, weights, kind = key.split("/")
    X, y, w, groups = data_of(name)
    intercept, w = intercept == "True", None if weights == "None" else w
    k = X.shape[1] + intercept
    want = Expected.of(REFERENCES[key], k)
    model = LinearRegression(fit_intercept=intercept, tol=1e-14).fit(X, y, w)
    ask = arguments(kind, groups) | {"weights": "frequency" if w is None else "precision"}
    if np.isnan(want.std_errors).any():
        with pytest.raises(ValueError, match="two-way clustering"):
            model.inference(X, y, w, **ask)
        return
    result = model.inference(X, y, w, **ask)
    compare(result, want, 1e-7)
    last = result.wald_test(np.eye(k)[-1])
    got = [result.r_squared, result.figures["r_squared_adjusted"], last.statistic, last.p_value]
    if len(want.more) == 6:
        got += [result.f_test().statistic, result.f_test().p_value]
    np.testing.assert_allclose(got, want.more, rtol=1e-6)


@pytest.mark.parametrize("name", ["plain", "wide scales", "one column", "few rows"])
def test_without_the_rows_from_the_sums_that_the_fit_kept(name):
    X, y, _, _ = data_of(name)
    want = Expected.of(REFERENCES[f"ols/{name}/True/None/nonrobust"], X.shape[1] + 1)
    model = LinearRegression().fit(X, y)
    compare(model.inference(), want, 1e-8)
    np.testing.assert_allclose(model.std_errors_, want.std_errors, rtol=1e-8)
    np.testing.assert_allclose(model.conf_int(0.1), want.conf_int, rtol=1e-6)
    np.testing.assert_allclose(model.p_values_, want.p_values, rtol=1e-6)


@pytest.mark.parametrize("kind", ["nonrobust", "HC1", "HC3", "cluster", "HAC"])
def test_sparse_and_float32_rows(kind):
    X, y, _, groups = data_of("plain")
    want = Expected.of(REFERENCES[f"ols/plain/True/None/{kind}"], X.shape[1] + 1)
    S = sparse.csc_array(X)
    compare(LinearRegression().fit(S, y).inference(S, y, **arguments(kind, groups)), want, 1e-9)
    F = X.astype(np.float32)
    got = LinearRegression().fit(F, y).inference(F, y, **arguments(kind, groups))
    np.testing.assert_allclose(got.std_errors, want.std_errors, rtol=1e-5)
