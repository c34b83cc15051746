"""Inference of GLMs, classes and quantiles on generated designs: against the definitions in extended precision."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from mlwright.linear_model import GeneralizedLinearRegressor, LogisticRegression, QuantileRegressor
from mlwright.reference import inference_glm as twin

KINDS = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC")
DRAWS = {
    "normal": lambda rng, m: m + 0.3 * rng.standard_normal(len(m)),
    "binomial": lambda rng, m: (rng.random(len(m)) < m).astype(float),
    "poisson": lambda rng, m: rng.poisson(m).astype(float),
    "gamma": lambda rng, m: m * rng.gamma(3.0, 1 / 3, len(m)),
    "inverse_gaussian": lambda rng, m: rng.wald(m, 4.0),
    "negative_binomial": lambda rng, m: rng.poisson(m * rng.gamma(2.0, 0.5, len(m))).astype(float),
    "tweedie": lambda rng, m: rng.poisson(m) * rng.gamma(3.0, 1 / 3, len(m)),
}
LAWS = [
    ("normal", "identity"),
    ("normal", "log"),
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("gamma", "log"),
    ("gamma", "inverse"),
    ("inverse_gaussian", "log"),
    ("inverse_gaussian", "inverse_squared"),
    ("negative_binomial", "log"),
    ("tweedie", "log"),
]


@st.composite
def designs(draw, most_columns=4):
    """Columns of several scales and shifts, weights with zeros, an offset, groups of one row and of many."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.integers(60, 90)), draw(st.integers(1, most_columns))
    Z = rng.standard_normal((n, p))
    if p > 1 and draw(st.booleans()):
        Z[:, 1] = 0.9 * Z[:, 0] + 0.44 * Z[:, 1]
    w = rng.integers(0, 4, n).astype(float) if draw(st.booleans()) else None
    groups = rng.integers(0, draw(st.sampled_from([6, n, 10 * n])), n)
    scale = 10.0 ** rng.integers(-3, 4, p)
    return {"Z": Z, "X": (Z + draw(st.sampled_from([0.0, 5.0]))) * scale, "w": w, "groups": groups, "rng": rng}


def asked(kind, design):
    if kind == "cluster":
        return {"groups": design["groups"]}
    return {"maxlags": 3} if kind == "HAC" else {}


def expected(kind, design):
    groups, w = design["groups"], design["w"]
    return {"kind": kind, "groups": groups if w is None else groups.repeat(w.astype(int)), "lags": 3, "w": w}


def fitted(model, *rows, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return model.fit(*rows, **more)
        except ConvergenceWarning:  # separable, say
            assume(False)


def close(result, params, covariance, rtol):
    errors = np.sqrt(np.diagonal(covariance)).astype(float)
    np.testing.assert_allclose(result.std_errors, errors, rtol=rtol)
    np.testing.assert_allclose(result.params / errors, (params / errors).astype(float), atol=1e-7, rtol=1e-7)
    size = np.outer(errors, errors)
    np.testing.assert_allclose(result.cov_params / size, (covariance / size).astype(float), atol=rtol, rtol=rtol)


@pytest.mark.parametrize(("family", "link"), LAWS)
@given(design=designs(), kind=st.sampled_from(KINDS), intercept=st.booleans(), with_offset=st.booleans())
def test_generalized_linear_models(family, link, design, kind, intercept, with_offset):
    X, Z, w, rng = design["X"], design["Z"], design["w"], design["rng"]
    assume(not (kind == "HAC" and w is not None))
    inner = link in ("inverse", "inverse_squared")
    assume(intercept or not inner)
    slopes = rng.uniform(-0.4, 0.4, Z.shape[1]) * (0.1 if inner else 1.0)
    offset = rng.uniform(-0.2, 0.2, len(Z)) if with_offset and not inner else None
    eta = (2.0 if inner else 0.3) + Z @ slopes + (0.0 if offset is None else offset)
    y = DRAWS[family](rng, np.asarray(twin.LINKS[link](eta.astype(np.longdouble))[0], dtype=float))
    model = GeneralizedLinearRegressor(
        family, link=link, power=1.5, dispersion=0.5, fit_intercept=intercept, tol=1e-9, max_iter=500
    )
    model = fitted(model, X, y, w, offset=offset)
    result = model.inference(X, y, w, cov_type=kind, offset=offset, **asked(kind, design))
    parameter = {"negative_binomial": 0.5, "tweedie": 1.5}.get(family, 1.0)
    more = {"a": parameter, "intercept": intercept, "offset": 0.0 if offset is None else offset}
    params, covariance = twin.glm(X, y, family, link, result.params, **more, **expected(kind, design))
    close(result, params, covariance, 1e-7)


@given(design=designs(3), kind=st.sampled_from(["nonrobust", "HC0", "HC1", "cluster", "HAC"]), intercept=st.booleans())
def test_several_classes(design, kind, intercept):
    X, Z, w, rng = design["X"], design["Z"], design["w"], design["rng"]
    assume(not (kind == "HAC" and w is not None))
    scores = Z @ rng.uniform(-0.5, 0.5, (Z.shape[1], 3))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    assume(w is None or len(np.unique(y[w > 0])) == 3)
    model = fitted(LogisticRegression(C=np.inf, fit_intercept=intercept, tol=1e-10, max_iter=500), X, y, w)
    result = model.inference(X, y, w, cov_type=kind, **asked(kind, design))
    params, covariance = twin.classes(X, y, result.params, intercept=intercept, **expected(kind, design))
    close(result, params, covariance, 1e-7)


@given(
    design=designs(3),
    kind=st.sampled_from(KINDS),
    level=st.sampled_from([0.3, 0.5, 0.65]),
    intercept=st.booleans(),
)
def test_quantiles(design, kind, level, intercept):
    X, Z, w, rng = design["X"], design["Z"], design["w"], design["rng"]
    assume(not (kind == "HAC" and w is not None))
    y = 1.0 + Z @ rng.uniform(-1, 1, Z.shape[1]) + rng.standard_normal(len(Z)) * (0.5 + rng.random(len(Z)))
    model = QuantileRegressor(quantile=level, alpha=0.0, fit_intercept=intercept).fit(X, y, w)
    on = np.abs(y - model.predict(X)) < 1e-9
    assume(on.sum() == len(np.ravel(model.coef_)) + intercept)  # one plane is best
    result = model.inference(X, y, w, cov_type=kind, **asked(kind, design))
    covariance = twin.quantile(X, y, result.params, level, intercept=intercept, **expected(kind, design))
    close(result, result.params, covariance, 1e-7)
