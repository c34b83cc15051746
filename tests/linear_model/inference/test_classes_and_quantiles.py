"""Inference of several classes and of quantiles: statsmodels' MNLogit and QuantReg, their laws and errors."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import mlwright
from mlwright.linear_model import LogisticRegression, QuantileRegressor

REFERENCES = dict(np.load(Path(__file__).with_name("references.npz")))
X, Y, GROUPS = (REFERENCES[f"classes/{part}"] for part in ("X", "y", "groups"))
CLASSES = sorted(key for key in REFERENCES if key.startswith("classes/") and key.count("/") == 2)
QX, QY = REFERENCES["quantile/X"], REFERENCES["quantile/y"]
QUANTILES = sorted(key for key in REFERENCES if key.startswith("quantile/") and key.count("/") == 4)
KERNELS = {"epa": "epanechnikov", "gau": "gaussian", "biw": "biweight", "cos": "cosine", "par": "parzen"}
BANDWIDTHS = {"hsheather": "hall-sheather", "bofinger": "bofinger", "chamberlain": "chamberlain"}


def classes(intercept=True, rows=X, labels=Y, w=None, tol=1e-10):
    return LogisticRegression(C=np.inf, fit_intercept=intercept, tol=tol, max_iter=500).fit(rows, labels, w)


def compare(result, numbers, k):
    """All but the last four numbers, which are returned."""
    params, errors, p, interval, covariance, more = np.split(numbers, np.cumsum([k, k, k, 2 * k, k * k]))
    np.testing.assert_allclose(result.params, params, rtol=1e-6, atol=1e-7 * errors.max())
    np.testing.assert_allclose(result.std_errors, errors, rtol=1e-7)
    size = np.outer(errors, errors)
    np.testing.assert_allclose(result.cov_params / size, covariance.reshape(k, k) / size, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(result.p_values, p, rtol=1e-5, atol=1e-12)
    interval = interval.reshape(k, 2)
    np.testing.assert_allclose(result.conf_int(0.1) / errors[:, None], interval / errors[:, None], rtol=1e-6, atol=1e-6)
    return more


@pytest.mark.parametrize("key", CLASSES)
@pytest.mark.parametrize("form", [np.asarray, sparse.coo_array])
def test_several_classes_equal_statsmodels(key, form):
    _, intercept, kind = key.split("/")
    model, k = classes(intercept == "True"), 2 * (3 + (intercept == "True"))
    ask = {"groups": GROUPS} if kind == "cluster" else {"maxlags": 3} if kind == "HAC" else {}
    result = model.inference(form(X), Y, cov_type=kind, **ask)
    log_likelihood, aic, null, pseudo = compare(result, REFERENCES[key], k)
    assert result.log_likelihood == pytest.approx(log_likelihood, rel=1e-9)
    if intercept == "True":
        assert result.aic == pytest.approx(aic, rel=1e-9)
        assert result.figures["log_likelihood_null"] == pytest.approx(null, rel=1e-9)
        assert result.figures["pseudo_r_squared"] == pytest.approx(pseudo, rel=1e-8)


def test_hc1_counts_all_parameters():
    """statsmodels gives HC0 under this name, for models other than least squares."""
    model = classes()
    ratio = model.inference(X, Y, cov_type="HC1").std_errors / model.inference(X, Y, cov_type="HC0").std_errors
    np.testing.assert_allclose(ratio**2, 200 / (200 - 8))


def test_several_classes_without_the_rows():
    model = classes(labels=np.array(["fox", "hen", "owl"])[Y])
    want = model.inference(X, np.array(["fox", "hen", "owl"])[Y])
    assert model.std_errors_.shape == model.p_values_.shape == (2, 4)
    np.testing.assert_array_equal(model.std_errors_.ravel(), want.std_errors)
    assert model.conf_int().shape == (2, 4, 2)
    assert model.inference().names[4:6] == ("owl: intercept", "owl: x0")
    page = model.summary()
    assert "hen: x1" in str(page)
    assert "Pseudo r squared" in str(page)
    assert "<th>owl: x2</th>" in page._repr_html_()
    small = classes(rows=X[:, :2], labels=np.array(["fox", "hen", "owl"])[Y]).inference()
    assert model.inference().lr_test(small).df == 2
    assert model.inference().wald_test(["hen: x2", "owl: x2"]).p_value < 0.1


@pytest.mark.parametrize("kind", ["nonrobust", "HC0", "HC1", "cluster"])
def test_a_weight_is_a_row_seen_so_often(kind):
    often = np.arange(200) % 3
    again = np.repeat(np.arange(200), often)
    ask = {"groups": GROUPS} if kind == "cluster" else {}
    one = classes(w=often).inference(X, Y, often, cov_type=kind, **ask)
    ask = {"groups": GROUPS[again]} if kind == "cluster" else {}
    other = classes(rows=X[again], labels=Y[again]).inference(X[again], Y[again], cov_type=kind, **ask)
    np.testing.assert_allclose(one.std_errors, other.std_errors, rtol=1e-6)


def test_nearly_dependent_columns_of_classes_keep_their_digits():
    near = np.column_stack([X, X[:, 0] - 20 * X[:, 2] + 1e-4 * np.random.default_rng(0).standard_normal(200)])
    turned = near.copy()
    turned[:, 3] = (near[:, 3] - near[:, 0] + 20 * near[:, 2]) * 1e4
    near_errors = classes(rows=near, tol=1e-7).inference(near, Y).std_errors.reshape(2, 5)
    errors = classes(rows=turned, tol=1e-7).inference(turned, Y).std_errors.reshape(2, 5)
    np.testing.assert_allclose(near_errors[:, [0, 2]], errors[:, [0, 2]], rtol=1e-5)
    np.testing.assert_allclose(near_errors[:, 4], errors[:, 4] * 1e4, rtol=1e-5)


def test_refusals_of_classes():
    model = classes()
    with pytest.raises(ValueError, match="no single leverage"):
        model.inference(X, Y, cov_type="HC3")
    with pytest.raises(ValueError, match="gradient at the model's coefficients is not zero"):
        model.inference(X, Y[::-1])
    with pytest.raises(ValueError, match="a penalty biases"):
        LogisticRegression().fit(X, Y).inference(X, Y)


def plane(level, **more):
    return QuantileRegressor(quantile=level, alpha=0.0, **more)


def from_scores(level, result, above):
    """The standard errors by the scores' covariance, by hand, with rows on the plane above it or below."""
    A = np.column_stack([np.ones(len(QX)), QX])
    e = QY - A @ result.params
    e[np.abs(e) < 1e-6] = above - 0.5
    inverse = np.linalg.inv(A.T @ A)
    d = np.where(e > 0, level, 1 - level) ** 2 * result.figures["sparsity"] ** 2
    return np.sqrt(np.diag(inverse @ (A.T * d @ A) @ inverse))


@pytest.mark.parametrize("key", QUANTILES)
def test_quantiles_equal_statsmodels(key):
    """Rows on the plane have no sign: here they count as below, in statsmodels as the rounding of residuals has it."""
    _, level, vcov, kernel, bandwidth = key.split("/")
    ask = {"kernel": KERNELS[kernel], "bandwidth": BANDWIDTHS[bandwidth]}
    kind, level = "nonrobust" if vcov == "iid" else "HC0", float(level)
    result = plane(level).fit(QX, QY).inference(QX, QY, cov_type=kind, **ask)
    if vcov == "iid" or level == 0.5:
        compare(result, REFERENCES[key], 4)
    else:
        below, above = (from_scores(level, result, above) for above in (False, True))
        np.testing.assert_allclose(result.std_errors, below, rtol=1e-7)
        least, most = np.minimum(below, above), np.maximum(below, above)
        theirs = REFERENCES[key][4:8]
        assert (least * (1 - 1e-7) <= theirs).all()
        assert (theirs <= most * (1 + 1e-7)).all()
    got = [result.figures[name] for name in ("pseudo_r_squared", "sparsity", "bandwidth")]
    np.testing.assert_allclose([*got, result.df_resid], REFERENCES[key][-4:], rtol=1e-7)
    assert result.use_t


def test_several_levels_and_model_files(tmp_path):
    model = plane([0.25, 0.5]).fit(QX, QY)
    results = model.inference(QX, QY)
    np.testing.assert_array_equal(model.std_errors_, [one.std_errors for one in results])
    assert model.conf_int().shape == (2, 4, 2)
    assert "level 0.25" in str(model.summary()[0])
    mlwright.save(model, tmp_path / "q.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "q.mlw").p_values_, model.p_values_)
    S = sparse.csr_array(QX)
    np.testing.assert_allclose(plane(0.5).fit(S, QY).std_errors_, results[1].std_errors, rtol=1e-6)


@pytest.mark.parametrize("kind", ["nonrobust", "HC1", "cluster"])
def test_a_weight_of_a_quantile_is_a_row_seen_so_often(kind):
    often = np.arange(151) % 3
    again = np.repeat(np.arange(151), often)
    groups = np.arange(151) % 11
    ask = (lambda at: {"groups": groups[at]}) if kind == "cluster" else (lambda at: {})
    one = plane(0.3).fit(QX, QY, often).inference(QX, QY, often, cov_type=kind, **ask(slice(None)))
    other = plane(0.3).fit(QX[again], QY[again]).inference(QX[again], QY[again], cov_type=kind, **ask(again))
    np.testing.assert_allclose(one.std_errors, other.std_errors, rtol=1e-6)


def test_refusals_of_quantiles():
    model = plane(0.5).fit(QX, QY)
    for call, message in [
        (lambda: model.inference(QX, QY, kernel="box"), "kernel: got 'box'"),
        (lambda: model.inference(QX, QY, bandwidth="wide"), "bandwidth: got 'wide'"),
        (lambda: model.inference(QX, QY[::-1]), "gradient at the model's coefficients is not zero"),
        (lambda: plane(0.01).fit(QX, QY).inference(QX, QY), "level 0.01 is within the bandwidth"),
        (lambda: plane(0.01).fit(QX, QY).inference(), "kept no standard errors"),
        (lambda: QuantileRegressor().fit(QX, QY).inference(QX, QY), "a penalty biases"),
        (lambda: plane(0.5).fit(QX, QX[:, 0]).inference(QX, QX[:, 0]), "fitted exactly"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
