"""Inference of generalized linear models: equal to statsmodels', and its laws and errors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

import mlwright
from mlwright.linear_model import (
    GammaRegressor,
    GeneralizedLinearRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)

REFERENCES = dict(np.load(Path(__file__).with_name("references.npz")))
KEYS = sorted(key for key in REFERENCES if key.startswith("glm/") and key.count("/") == 4)
X, GROUPS, OFTEN = (REFERENCES[f"glm/{part}"] for part in ("X", "groups", "often"))


def fit(name, y, w=None, rows=X):
    family, link = name.split("/")
    model = GeneralizedLinearRegressor(family, link=link, dispersion=0.5, tol=1e-9, max_iter=500)
    return model.fit(rows, y, w)


@pytest.mark.parametrize("key", KEYS)
def test_equals_statsmodels(key):
    _, family, link, weights, kind = key.split("/")
    y, w, k = REFERENCES[f"glm/{family}/{link}/y"], OFTEN if weights == "often" else None, 4
    params, errors, p, interval, covariance, fit_, scale = np.split(
        REFERENCES[key], np.cumsum([k, k, k, 2 * k, k * k, 4])
    )
    groups = GROUPS if kind == "cluster" else None
    result = fit(f"{family}/{link}", y, w).inference(X, y, w, cov_type=kind, groups=groups)
    np.testing.assert_allclose(result.params, params, rtol=1e-6, atol=1e-7 * errors.max())
    np.testing.assert_allclose(result.std_errors, errors, rtol=1e-7)
    size = np.outer(errors, errors)
    np.testing.assert_allclose(result.cov_params / size, covariance.reshape(k, k) / size, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(result.p_values, p, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(result.conf_int(0.1), interval.reshape(k, 2), rtol=1e-6, atol=1e-6 * errors.max())
    np.testing.assert_allclose(
        [result.log_likelihood, result.aic, result.bic, result.df_resid, result.dispersion], [*fit_, *scale], rtol=1e-8
    )
    assert not result.use_t


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LogisticRegression(C=np.inf, tol=1e-9), "binomial/logit"),
        (PoissonRegressor(alpha=0.0, tol=1e-9), "poisson/log"),
        (GammaRegressor(alpha=0.0, tol=1e-9), "gamma/log"),
        (TweedieRegressor(power=3, link="log", alpha=0.0, tol=1e-9), "inverse_gaussian/log"),
    ],
)
def test_scikit_learns_classes_say_the_same(model, name):
    y = REFERENCES[f"glm/{name}/y"]
    want = fit(name, y).inference(X, y, cov_type="HC1")
    for rows in (X, sparse.csr_array(X)):
        result = model.fit(rows, y).inference(rows, y, cov_type="HC1")
        np.testing.assert_allclose(result.std_errors, want.std_errors, rtol=1e-7)
        np.testing.assert_allclose(result.log_likelihood, want.log_likelihood, rtol=1e-9)


@pytest.mark.parametrize("kind", ["nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"])
def test_a_weight_is_a_row_seen_so_often(kind):
    y, often = REFERENCES["glm/poisson/log/y"], np.arange(150) % 3
    again = np.repeat(np.arange(150), often)

    def groups(at):
        return GROUPS[at] if kind == "cluster" else None

    one = fit("poisson/log", y, often.astype(float)).inference(X, y, often, cov_type=kind, groups=groups(slice(None)))
    other = fit("poisson/log", y[again], rows=X[again]).inference(
        X[again], y[again], cov_type=kind, groups=groups(again)
    )
    np.testing.assert_allclose(one.std_errors, other.std_errors, rtol=1e-7)
    np.testing.assert_allclose([one.bic, one.df_resid], [other.bic, other.df_resid], rtol=1e-8)


def test_labels_of_any_kind_and_tests():
    y = REFERENCES["glm/binomial/logit/y"]
    labels = np.where(y > 0, "yes", "no")
    full = LogisticRegression(C=np.inf, tol=1e-9).fit(X, labels).inference(X, labels)
    small = LogisticRegression(C=np.inf, tol=1e-9).fit(X[:, :1], labels).inference(X[:, :1], labels)
    test = full.lr_test(small)
    assert test.df == 2
    np.testing.assert_allclose(test.statistic, 2 * (full.log_likelihood - small.log_likelihood), rtol=1e-9)
    assert full.wald_test(["x1", "x2"]).statistic == pytest.approx(test.statistic, rel=0.1)
    assert "z" in str(full.summary())


def test_offsets_are_part_of_the_rows():
    rng = np.random.default_rng(0)
    years = rng.uniform(0.2, 2.0, 150)
    y = rng.poisson(years * np.exp(0.5 * X[:, 0])).astype(float)
    model = GeneralizedLinearRegressor("poisson", tol=1e-9).fit(X, y, exposure=years)
    want = model.inference(X, y, exposure=years).std_errors
    np.testing.assert_allclose(model.inference(X, y, offset=np.log(years)).std_errors, want, rtol=1e-9)
    with pytest.raises(ValueError, match="gradient at the model's coefficients is not zero"):
        model.inference(X, y)


def test_estimated_negative_binomial_counts_its_parameter():
    y = REFERENCES["glm/negative_binomial/log/y"]
    fixed = GeneralizedLinearRegressor("negative_binomial", dispersion=0.5, tol=1e-8).fit(X, y).inference(X, y)
    estimated = GeneralizedLinearRegressor("negative_binomial", tol=1e-8).fit(X, y).inference(X, y)
    assert estimated.n_estimated == fixed.n_estimated + 1
    assert estimated.log_likelihood >= fixed.log_likelihood


def test_refusals():
    y = REFERENCES["glm/poisson/log/y"]
    positive = y > 1
    poisson = PoissonRegressor(alpha=0.0).fit(X, y)
    logistic = LogisticRegression(C=np.inf).fit(X, positive)
    for call, message in [
        (lambda: PoissonRegressor().fit(X, y).inference(X, y), r"a penalty biases .* \(alpha=0\)"),
        (lambda: LogisticRegression().fit(X, positive).inference(X, positive), r"a penalty biases .* \(C=np.inf\)"),
        (
            lambda: LogisticRegression(C=np.inf, class_weight="balanced").fit(X, positive).inference(X, positive),
            "expected class_weight=None",
        ),
        (lambda: logistic.inference(X, y), "the classes that the model was fitted on"),
        (lambda: poisson.inference(X, y, weights="precision"), "is for least squares"),
        (lambda: poisson.inference(X, y[::-1]), "gradient at the model's coefficients is not zero"),
        (lambda: poisson.inference(X, np.where(np.arange(150) == 3, np.nan, y)), "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    twice = np.column_stack([X, X[:, 0] + X[:, 2]])
    model = PoissonRegressor(alpha=0.0).fit(twice, y)
    assert not hasattr(model, "std_errors_")
    with pytest.raises(ValueError, match=r"expected inference\(X, y\)"):
        model.inference()
    with pytest.raises(ValueError, match="combinations of those before them: x3"):
        model.inference(twice, y)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(C=np.inf),
        PoissonRegressor(alpha=0.0),
        GammaRegressor(alpha=0.0, fit_intercept=False),
        GeneralizedLinearRegressor("negative_binomial"),
    ],
)
def test_standard_errors_without_the_rows(model, tmp_path):
    """They are those of the rows, to the bit; in model files too; and go with the next fit."""
    y = REFERENCES["glm/poisson/log/y"]
    y = y > 0 if isinstance(model, LogisticRegression) else y + 1.0
    want = model.fit(X, y, OFTEN).inference(X, y, OFTEN)
    np.testing.assert_array_equal(model.std_errors_, want.std_errors)
    np.testing.assert_array_equal(model.conf_int(0.1), want.conf_int(0.1))
    assert str(model.summary()) == str(want.summary())
    if want.dispersion == 1.0:  # the likelihood is at its maximum, also in the dispersion
        assert model.inference().lr_test(clone(model).fit(X[:, :2], y, OFTEN).inference()).df == 1
    mlwright.save(model, tmp_path / "m.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "m.mlw").p_values_, want.p_values)
    penalty = {"C": 1.0} if isinstance(model, LogisticRegression) else {"alpha": 1.0}
    assert not hasattr(model.set_params(**penalty).fit(X, y), "std_errors_")


def test_frames_are_not_asked_for_their_names_twice():
    """A fit on a frame warns of nothing when it looks at its own rows."""
    y = REFERENCES["glm/poisson/log/y"]
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = GeneralizedLinearRegressor("negative_binomial").fit(frame, y)
    assert model.inference().names == ("intercept", "a", "b", "c")
    assert LogisticRegression(C=np.inf).fit(frame, np.minimum(y, 2)).inference().names[1] == "1.0: a"
