"""Inference on many random designs beside statsmodels itself, where that can be imported; it is no dependency."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from mlwright.linear_model import GeneralizedLinearRegressor, LinearRegression, LogisticRegression, QuantileRegressor

sm = pytest.importorskip("statsmodels.api")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # its own, of negative variances
KINDS = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "two-way", "HAC")


def design(seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(30, 200)), int(rng.integers(1, 7))
    Z = rng.standard_normal((n, p)) @ (np.eye(p) + 0.5 * rng.standard_normal((p, p)))
    X = (Z + rng.choice([0.0, 3.0])) * 10.0 ** rng.uniform(-2, 2, p)
    groups = np.column_stack([rng.integers(0, rng.choice([8, n]), n), rng.integers(0, 7, n)])
    return rng, Z / np.abs(Z).max(), X, groups


def of_kind(kind, groups, lags):
    """What each of the two is asked."""
    if kind == "cluster":
        return {"cov_type": kind, "groups": groups[:, 0]}, {"cov_type": kind, "cov_kwds": {"groups": groups[:, 0]}}
    if kind == "two-way":
        return {"cov_type": "cluster", "groups": groups}, {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    if kind == "HAC":
        return {"cov_type": kind, "maxlags": lags}, {"cov_type": kind, "cov_kwds": {"maxlags": lags}}
    return {"cov_type": kind}, {"cov_type": kind}


def compare(ours, theirs, rtol=1e-7):
    errors = np.ravel(np.asarray(theirs.bse).T)
    np.testing.assert_allclose(
        ours.params / errors, np.ravel(np.asarray(theirs.params).T) / errors, rtol=rtol, atol=rtol
    )
    np.testing.assert_allclose(ours.std_errors, errors, rtol=rtol)
    size = np.outer(errors, errors)
    np.testing.assert_allclose(ours.cov_params / size, np.asarray(theirs.cov_params()) / size, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(ours.statistics, np.ravel(np.asarray(theirs.tvalues).T), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(ours.p_values, np.ravel(np.asarray(theirs.pvalues).T), rtol=1e-5, atol=1e-12)
    interval = np.asarray(theirs.conf_int(0.1)).reshape(-1, 2)
    np.testing.assert_allclose(ours.conf_int(0.1) / errors[:, None], interval / errors[:, None], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("seed", range(40))
def test_least_squares(seed):
    rng, Z, X, groups = design(seed)
    y = 1.0 + Z @ rng.standard_normal(Z.shape[1]) + rng.standard_normal(len(Z)) * (0.5 + rng.random(len(Z)))
    intercept = bool(rng.integers(0, 4))
    w = rng.random(len(y)) + 0.1 if rng.integers(0, 2) else None
    A = sm.add_constant(X, has_constant="add") if intercept else X
    peer = sm.OLS(y, A) if w is None else sm.WLS(y, A, weights=w)
    model = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    for kind in KINDS:
        ask, theirs = of_kind(kind, groups, int(rng.integers(0, 6)))
        found = peer.fit(**theirs)
        if not np.isfinite(found.bse).all():  # two ways at once may have no answer
            continue
        for use_t in (None, True, False):
            if use_t is not None:
                found = peer.fit(**theirs, use_t=use_t)
            ours = model.inference(X, y, w, weights="precision", use_t=use_t, **ask)
            compare(ours, found)
        R = rng.standard_normal((min(2, A.shape[1]), A.shape[1]))
        want = found.wald_test(R, use_f=True, scalar=True)
        np.testing.assert_allclose(ours.wald_test(R, use_f=True).statistic, want.statistic, rtol=1e-6)
        np.testing.assert_allclose(ours.wald_test(R, use_f=True).p_value, want.pvalue, rtol=1e-5, atol=1e-14)
        got = [ours.log_likelihood, ours.aic, ours.bic, ours.df_resid, ours.r_squared]
        np.testing.assert_allclose(got, [found.llf, found.aic, found.bic, found.df_resid, found.rsquared], rtol=1e-7)
    if A.shape[1] > 2:
        small = (
            LinearRegression(fit_intercept=intercept)
            .fit(X[:, :-1], y, w)
            .inference(X[:, :-1], y, w, weights="precision")
        )
        less = sm.WLS(y, A[:, :-1], weights=1.0 if w is None else w).fit()
        test = model.inference(X, y, w, weights="precision").lr_test(small)
        want = peer.fit().compare_lr_test(less)
        np.testing.assert_allclose([test.statistic, test.p_value, test.df], want, rtol=1e-6, atol=1e-9)


F, L = sm.families, sm.families.links
LAWS = {
    ("normal", "identity"): (F.Gaussian(), lambda rng, e: e + rng.standard_normal(len(e))),
    ("normal", "log"): (F.Gaussian(L.Log()), lambda rng, e: np.exp(e) + 0.2 * rng.standard_normal(len(e))),
    ("binomial", "logit"): (F.Binomial(), lambda rng, e: (rng.random(len(e)) < 1 / (1 + np.exp(-e))) * 1.0),
    ("binomial", "probit"): (F.Binomial(L.Probit()), lambda rng, e: (rng.standard_normal(len(e)) < e) * 1.0),
    ("binomial", "cloglog"): (
        F.Binomial(L.CLogLog()),
        lambda rng, e: (rng.random(len(e)) < -np.expm1(-np.exp(e))) * 1.0,
    ),
    ("poisson", "log"): (F.Poisson(), lambda rng, e: rng.poisson(np.exp(e)) * 1.0),
    ("gamma", "log"): (F.Gamma(L.Log()), lambda rng, e: np.exp(e) * rng.gamma(3.0, 1 / 3, len(e))),
    ("gamma", "inverse"): (F.Gamma(L.InversePower()), lambda rng, e: rng.gamma(9.0, 1 / 9, len(e)) / (3.0 + e)),
    ("inverse_gaussian", "log"): (F.InverseGaussian(L.Log()), lambda rng, e: rng.wald(np.exp(e), 4.0)),
    ("negative_binomial", "log"): (
        F.NegativeBinomial(alpha=0.5),
        lambda rng, e: rng.poisson(np.exp(e) * rng.gamma(2.0, 0.5, len(e))) * 1.0,
    ),
    ("tweedie", "log"): (
        F.Tweedie(L.Log(), var_power=1.5),
        lambda rng, e: rng.poisson(np.exp(e)) * rng.gamma(3.0, 1 / 3, len(e)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids="-".join)
@pytest.mark.parametrize("seed", range(8))
def test_generalized_linear_models(law, seed):
    (family, draw), (rng, Z, X, groups) = LAWS[law], design(1000 + seed)
    offset = rng.uniform(-0.3, 0.3, len(Z)) if rng.integers(0, 2) and law[1] != "inverse" else None
    y = draw(rng, 0.3 + Z @ rng.uniform(-0.7, 0.7, Z.shape[1]) + (0.0 if offset is None else offset))
    often = rng.integers(1, 4, len(y)).astype(float) if rng.integers(0, 2) else None
    model = GeneralizedLinearRegressor(*law[:1], link=law[1], power=1.5, dispersion=0.5, tol=1e-10, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(X, y, often, offset=offset)
        except ConvergenceWarning:
            return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = sm.GLM(y, sm.add_constant(X), family=family, offset=offset, freq_weights=often)
        start = np.append(model.intercept_, model.coef_)
        for kind in ("nonrobust", "HC0", "cluster", "two-way", "HAC"):
            if often is not None and kind not in ("nonrobust", "HC0"):
                continue  # it does not count repetitions there
            ask, theirs = of_kind(kind, groups, 3)
            found = peer.fit(tol=1e-15, maxiter=300, start_params=start, **theirs)
            if not np.isfinite(found.bse).all():
                continue
            ours = model.inference(X, y, often, offset=offset, **ask)
            compare(ours, found)
            assert ours.dispersion == pytest.approx(found.scale, rel=1e-7)
            if law[0] != "tweedie":
                got = [ours.log_likelihood, ours.aic, ours.bic]
                np.testing.assert_allclose(got, [found.llf, found.aic, found.bic_llf], rtol=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_several_classes(seed):
    rng, Z, X, groups = design(2000 + seed)
    X, Z = X[:, :4], Z[:, :4]
    score = Z @ rng.uniform(-1, 1, (Z.shape[1], 3))
    y = (score + rng.gumbel(size=score.shape)).argmax(axis=1)
    model = LogisticRegression(C=np.inf, tol=1e-11, max_iter=1000).fit(X, y)
    peer = sm.MNLogit(y, sm.add_constant(X))
    start = np.column_stack([model.intercept_, model.coef_])
    start = (start[1:] - start[0]).T
    for kind in ("nonrobust", "HC0", "cluster", "two-way", "HAC"):
        ask, theirs = of_kind(kind, groups, 2)
        if kind == "HAC":
            theirs["cov_kwds"]["use_correction"] = False
        found = peer.fit(method="newton", tol=1e-14, disp=0, start_params=np.ravel(start, order="F"), **theirs)
        if not np.isfinite(found.bse).all():
            continue
        ours = model.inference(X, y, **ask)
        compare(ours, found)
        np.testing.assert_allclose(
            [ours.log_likelihood, ours.aic, ours.bic], [found.llf, found.aic, found.bic], rtol=1e-8
        )


@pytest.mark.parametrize("seed", range(20))
def test_quantiles(seed):
    """Of its iteration, which ends near the plane, residuals below a millionth count as none here too."""
    rng, Z, X, _ = design(3000 + seed)
    y = 1e6 * (1.0 + Z @ rng.standard_normal(Z.shape[1]) + rng.standard_normal(len(Z)))
    level = float(rng.uniform(0.3, 0.7))
    model = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sm.QuantReg(y, sm.add_constant(X)).fit(q=level, vcov="iid", max_iter=20000, p_tol=1e-9)
    if np.abs(found.params[1:] - model.coef_).max() > 1e-6 * np.abs(model.coef_).max():
        return  # its iteration has not converged
    ours = model.inference(X, y)
    np.testing.assert_allclose(ours.std_errors, found.bse, rtol=1e-6)
    np.testing.assert_allclose(ours.figures["sparsity"], found.sparsity, rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("intercept", [True, False])
def test_categories_are_those_of_formulas(seed, intercept):
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(size=200),
            "region": pd.Categorical(rng.choice(["north", "south", "west"], 200)),
            "kind": rng.choice(["a", "b"], 200),
        }
    )
    y = rng.poisson(np.exp(0.3 * frame["age"] + 0.5 * (frame["region"] == "west") - 0.4 * (frame["kind"] == "b")))
    model = GeneralizedLinearRegressor("poisson", fit_intercept=intercept, tol=1e-10, max_iter=500).fit(frame, y)
    formula = "y ~ age + region + kind" if intercept else "y ~ region + kind + age - 1"
    peer = smf.glm(formula, frame.assign(y=y), family=sm.families.Poisson())
    for kind in ("nonrobust", "HC0"):
        found, ours = peer.fit(cov_type=kind, tol=1e-15, maxiter=300), model.inference(frame, y, cov_type=kind)
        names = [_as_ours(name) for name in found.params.index]
        assert sorted(ours.names) == sorted(names)
        at = [ours.names.index(name) for name in names]
        np.testing.assert_allclose(ours.params[at], found.params, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(ours.std_errors[at], found.bse, rtol=1e-7)
    np.testing.assert_allclose(model.std_errors_, model.inference(frame, y).std_errors, rtol=1e-8)


def _as_ours(name):
    return {"Intercept": "intercept"}.get(name, name.replace("[T.", "=").replace("[", "=").rstrip("]"))
