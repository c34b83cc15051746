"""Laws of the inference of least squares, against its definitions in extended precision; and its errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mlwright._native import core
from mlwright._runtime import simd
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.linear_model import LinearRegression
from mlwright.reference.inference import covariance
from mlwright.testing.linear_model import regressions

KINDS = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC")


def data(n=120, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * [1.0, 100.0, 0.01][:p] + [0.0, 1000.0, 5.0][:p]
    y = X @ [1.0, 0.02, -100.0][:p] + rng.standard_normal(n) * (0.5 + rng.random(n))
    return X, y, rng.integers(0, 12, n)


def ask(kind, groups):
    return {"cov_type": kind, "groups": groups if kind == "cluster" else None, "maxlags": 4 if kind == "HAC" else None}


def infer(kind, X, y, w=None, groups=None, **keywords):
    return LinearRegression(tol=0.0).fit(X, y, w).inference(X, y, w, **ask(kind, groups), **keywords)


def close(result, want, rtol=1e-8):
    errors = np.sqrt(np.diagonal(want)).astype(np.float64)
    np.testing.assert_allclose(result.std_errors, errors, rtol=rtol)
    size = np.outer(errors, errors)
    np.testing.assert_allclose(result.cov_params / size, want.astype(np.float64) / size, rtol=rtol, atol=rtol)


@given(
    problem=regressions(min_rows=30, max_columns=6, deficient=False),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 9),
)
def test_equals_the_definitions(problem, kind, seed):
    X, y = problem.X, problem.y
    w = None if problem.w is None else problem.w + 0.1
    groups = np.random.default_rng(seed).integers(0, 8, len(y))
    want = covariance(X, y, w, kind, groups=groups, lags=4)
    close(infer(kind, X, y, w, groups, weights="precision"), want)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mixed", "rtol"), [(1.0, 1e-9), (1e-2, 1e-8), (1e-4, 1e-6)])
def test_keeps_its_digits_where_columns_are_nearly_dependent(kind, mixed, rtol):
    X, y, groups = data()
    X[:, 2] = X[:, 0] + X[:, 1] / 100 + mixed * X[:, 2]
    close(infer(kind, X, y, groups=groups), covariance(X, y, None, kind, groups=groups, lags=4), rtol)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "HAC"])
def test_a_weight_is_a_row_seen_so_often(kind):
    X, y, groups = data()
    w = np.arange(len(y)) % 4
    result = infer(kind, X, y, w.astype(float), groups)
    close(result, covariance(X, y, w, kind, groups=np.repeat(groups, w), repeats=True))
    R, again = np.repeat(X, w, axis=0), np.repeat(y, w)
    repeated = infer(kind, R, again, groups=np.repeat(groups, w))
    for name in ("std_errors", "p_values", "log_likelihood", "aic", "bic", "df_resid", "n_obs", "r_squared"):
        np.testing.assert_allclose(getattr(result, name), getattr(repeated, name), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_precisions_have_no_unit_and_rows_without_any_do_not_count(kind):
    X, y, groups = data()
    w = np.where(np.arange(len(y)) < 90, 0.5 + np.arange(len(y)) % 3, 0.0)
    want = infer(kind, X, y, w, groups, weights="precision")
    np.testing.assert_allclose(infer(kind, X, y, 1e3 * w, groups, weights="precision").std_errors, want.std_errors)
    few = infer(kind, X[:90], y[:90], w[:90], groups[:90], weights="precision")
    np.testing.assert_allclose(few.std_errors, want.std_errors, rtol=1e-9)
    np.testing.assert_allclose([few.log_likelihood, few.n_obs], [want.log_likelihood, want.n_obs])


@pytest.mark.parametrize("kind", KINDS)
def test_scales_shifts_and_order(kind):
    X, y, groups = data()
    want = infer(kind, X, y, groups=groups)
    scale = np.array([1e3, 1e-20, 1e40])
    other = infer(kind, (X - X[0]) * scale, 5.0 * y + 3.0, groups=groups)
    np.testing.assert_allclose(other.std_errors[1:] * scale, 5.0 * want.std_errors[1:], rtol=1e-8)
    np.testing.assert_allclose(other.p_values[1:], want.p_values[1:], rtol=1e-6)
    if kind != "HAC":
        at = np.random.default_rng(0).permutation(len(y))
        np.testing.assert_allclose(infer(kind, X[at], y[at], groups=groups[at]).std_errors, want.std_errors, rtol=1e-9)


def test_groups_of_one_row_and_no_lags_are_hc0():
    X, y, _ = data()
    n, k = len(y), 4
    want = infer("HC0", X, y).cov_params
    alone = infer("cluster", X, y, groups=np.arange(n).astype(str)).cov_params
    np.testing.assert_allclose(alone, want * n / (n - 1) * (n - 1) / (n - k), rtol=1e-8)
    np.testing.assert_allclose(
        LinearRegression().fit(X, y).inference(X, y, cov_type="HAC", maxlags=0).cov_params, want, rtol=1e-8
    )


def test_lags_across_pieces_of_a_long_series(monkeypatch):
    from mlwright.linear_model._inference import meat

    X, y, _ = data()
    monkeypatch.setattr(meat, "_ROWS_AT_ONCE", 7)
    for lags in (0, 1, 4, 9, 119):
        result = LinearRegression().fit(X, y).inference(X, y, cov_type="HAC", maxlags=lags)
        want = np.sqrt(covariance(X, y, None, "HAC", lags=lags).diagonal()).astype(float)
        np.testing.assert_allclose(result.std_errors, want, rtol=1e-6)


def test_groups_across_pieces_in_any_order_and_of_sparse_rows(monkeypatch):
    from mlwright.linear_model._inference import meat

    X, y, groups = data()
    want = np.sqrt(covariance(X, y, None, "cluster", groups=groups).diagonal()).astype(float)
    monkeypatch.setattr(meat, "_ROWS_AT_ONCE", 7)
    order = np.argsort(groups)
    for at in (slice(None), order):
        np.testing.assert_allclose(infer("cluster", X[at], y[at], groups=groups[at]).std_errors, want, rtol=1e-8)
        S = sparse.csr_array(X[at])
        np.testing.assert_allclose(infer("cluster", S, y[at], groups=groups[at]).std_errors, want, rtol=1e-8)


def test_wald_of_one_coefficient_is_its_t_squared():
    X, y, _ = data()
    result = LinearRegression().fit(X, y).inference()
    for j, name in enumerate(result.names):
        test = result.wald_test(name)
        np.testing.assert_allclose(test.statistic, result.statistics[j] ** 2, rtol=1e-9)
        np.testing.assert_allclose(test.p_value, result.p_values[j], rtol=1e-9)
    both = result.wald_test(["x0", "x2"])
    rows = np.eye(4)[[1, 3]]
    assert both == result.wald_test(rows)
    mixed = result.wald_test(np.array([[1.0, 2.0], [0.0, 3.0]]) @ rows)
    np.testing.assert_allclose(mixed.statistic, both.statistic, rtol=1e-9)
    np.testing.assert_allclose(result.wald_test(rows, result.params[[1, 3]]).p_value, 1.0)
    assert "F(2, 116)" in str(both)
    assert "chi2(2)" in str(result.wald_test(["x0", "x2"], use_f=False))


def test_f_test_compares_with_the_mean_alone():
    X, y, _ = data()
    result = LinearRegression().fit(X, y).inference()
    r2 = result.r_squared
    np.testing.assert_allclose(result.f_test().statistic, r2 / 3 / ((1 - r2) / 116), rtol=1e-9)


def test_likelihood_ratio_of_nested_models():
    X, y, _ = data()
    full = LinearRegression().fit(X, y).inference()
    small = LinearRegression().fit(X[:, :2], y).inference()
    test = full.lr_test(small)
    rss = [((y - LinearRegression().fit(Z, y).predict(Z)) ** 2).sum() for Z in (X, X[:, :2])]
    np.testing.assert_allclose(test.statistic, len(y) * np.log(rss[1] / rss[0]), rtol=1e-9)
    assert test.df == 1
    with pytest.raises(ValueError, match="call it on the larger model"):
        small.lr_test(full)
    with pytest.raises(ValueError, match="different rows"):
        full.lr_test(LinearRegression().fit(X[1:, :2], y[1:]).inference())
    with pytest.raises(ValueError, match="different rows"):
        full.lr_test(LinearRegression().fit(X[:, :2], y**2).inference())
    with pytest.raises(TypeError, match=r"restricted_model\.inference"):
        full.lr_test(LinearRegression().fit(X[:, :2], y))
    other = np.column_stack([y, X[:, 0]])
    with pytest.raises(ValueError, match="not nested"):
        full.lr_test(LinearRegression().fit(other, y).inference())


def test_several_targets_are_as_many_fits():
    X, y, groups = data()
    both = np.column_stack([y, y**2])
    model = LinearRegression().fit(X, both)
    for kind in KINDS:
        for result, target in zip(model.inference(X, both, **ask(kind, groups)), both.T, strict=True):
            np.testing.assert_allclose(result.std_errors, infer(kind, X, target, groups=groups).std_errors, rtol=1e-9)
    assert model.std_errors_.shape == (2, 4)
    assert model.conf_int().shape == (2, 4, 2)
    assert len(model.summary()) == 2


def test_same_bits_for_any_thread_count_and_simd_level():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 12))
    y, groups = X[:, 0] + rng.standard_normal(5000), rng.integers(0, 40, 5000)
    model = LinearRegression().fit(X, y)

    def bits():
        return [model.inference(X, y, **ask(kind, groups)).cov_params.tobytes() for kind in KINDS]

    want = bits()
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert bits() == want
    finally:
        core.runtime.set_num_threads(0)


def test_a_stream_has_the_standard_errors_of_all_rows():
    X, y, _ = data()
    stream = LinearRegression().fit(X[:60], y[:60]).partial_fit(X[60:], y[60:])
    np.testing.assert_allclose(stream.std_errors_, LinearRegression().fit(X, y).std_errors_, rtol=1e-9)


def test_names_and_summary():
    X, y, _ = data()
    frame = pd.DataFrame(X, columns=["age", "<b>income</b>", "größe"])
    model = LinearRegression().fit(frame, y)
    assert model.inference().names == ("intercept", "age", "<b>income</b>", "größe")
    text = str(model.summary())
    assert [line.split()[0] for line in text.splitlines() if line.startswith(("int", "age", "<b>", "gr"))] == [
        "intercept",
        "age",
        "<b>income</b>",
        "größe",
    ]
    assert max(map(len, text.splitlines())) <= 80
    html = model.summary()._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;income&lt;/b&gt;" in html
    clustered = model.inference(frame, y, cov_type="cluster", groups=pd.Series(["a", "b", "c"] * 40))
    assert "robust to clusters (3 groups)" in str(clustered.summary(0.1))
    assert "[0.05" in str(clustered.summary(0.1))
    assert clustered._repr_html_() == clustered.summary()._repr_html_()


def test_columns_without_standard_errors_are_named():
    X, y, _ = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["d"] = frame["a"] + frame["b"] / 100
    frame["e"] = 2.0
    model = LinearRegression().fit(frame, y)
    with pytest.raises(ValueError, match="without spread, which the intercept stands for already: e"):
        model.inference()
    del frame["e"]
    model.fit(frame, y)
    for rows in ((), (frame, y)):
        with pytest.raises(ValueError, match="combinations of those before them: d"):
            model.inference(*rows)
    assert not hasattr(model, "std_errors_")
    wide = np.random.default_rng(0).standard_normal((5, 8))
    with pytest.raises(ValueError, match="5 observations and 9 parameters leave no degrees of freedom"):
        LinearRegression().fit(wide, y[:5]).inference(wide, y[:5])
    zero = X.copy()
    zero[:, 1] = 0.0
    with pytest.raises(ValueError, match="columns of zeros: x1"):
        LinearRegression(fit_intercept=False).fit(zero, y).inference()
    with pytest.raises(ValueError, match="fitted with rank 2 of 3"):
        LinearRegression(tol=1e-3).fit(X, y).inference()


def test_sums_alone_say_where_they_lose_digits():
    X, y, _ = data()
    X[:, 2] = X[:, 0] + X[:, 1] / 100 + 3e-3 * X[:, 2]
    model = LinearRegression(tol=1e-14).fit(X, y)
    with pytest.warns(LossOfPrecisionWarning, match="fewer than eight digits"):
        errors = model.inference().std_errors
    np.testing.assert_allclose(errors, model.inference(X, y).std_errors, rtol=1e-4)


def test_wrong_arguments_say_what_would_do():
    X, y, groups = data()
    w = np.ones(len(y))
    model = LinearRegression().fit(X, y)
    for call, message in [
        (lambda: model.inference(cov_type="HC1"), "needs the rows"),
        (lambda: model.inference(X, y, cov_type="HC9"), "cov_type: got 'HC9'"),
        (lambda: model.inference(X), "got one of X and y"),
        (lambda: model.inference(sample_weight=w), "sample_weight or offsets without X and y"),
        (lambda: model.inference(X, y, cov_type="cluster"), "groups: got none"),
        (lambda: model.inference(X, y, groups=groups), "groups go with"),
        (lambda: model.inference(X, y, cov_type="cluster", groups=groups[:5]), "expected one group a row"),
        (lambda: model.inference(X, y, cov_type="cluster", groups=np.zeros(len(y))), "a single group"),
        (lambda: model.inference(X, y, cov_type="cluster", groups=np.full(len(y), np.nan)), "got NaN"),
        (lambda: model.inference(X, y, maxlags=2), "maxlags: got 2"),
        (lambda: model.inference(X, y, cov_type="HAC", maxlags=len(y)), "expected an integer from 0"),
        (lambda: model.inference(X, y, cov_type="HAC", maxlags=1.5), "expected an integer from 0"),
        (lambda: model.inference(X, y, w, cov_type="HAC"), "no order in time"),
        (lambda: model.inference(X, y, weights="robust"), "expected 'frequency' or 'precision'"),
        (lambda: model.inference(weights="precision"), "counts rows"),
        (lambda: model.inference(X[:50], y[:50]), "expected what the model was fitted on"),
        (lambda: model.inference(X, y, 2 * w), "expected what the model was fitted on"),
        (lambda: model.inference(X, y[::-1]), "gradient at the model's coefficients is not zero"),
        (lambda: model.inference(X[::-1], y, cov_type="HC0"), "gradient at the model's coefficients is not zero"),
        (lambda: model.inference(np.where(X[3, 0] == X, np.nan, X), y), "NaN"),
        (lambda: model.inference(X[:, :2], y), "features"),
        (lambda: model.inference().conf_int(1.0), "alpha: got 1.0"),
        (lambda: model.inference().wald_test("x7"), "got 'x7', expected names among intercept, x0"),
        (lambda: model.inference().wald_test(np.eye(3)), r"expected finite numbers of shape \(r, 4\)"),
        (lambda: model.inference().wald_test(["x1", "x1"]), "linearly independent"),
        (lambda: LinearRegression(positive=True).fit(X, y).inference(), "positive=True has no standard errors"),
        (lambda: LinearRegression().inference(), "not fitted"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    leverage = np.column_stack([X, np.arange(len(y)) == 7])
    for kind in ("HC2", "HC3"):
        with pytest.raises(ValueError, match="row 7 has leverage 1"):
            LinearRegression().fit(leverage, y).inference(leverage, y, cov_type=kind)


def test_a_fit_without_residuals_has_no_errors_to_speak_of():
    X = np.arange(12.0).reshape(6, 2) ** 2
    y = X @ [1.0, 2.0] + 3.0
    model = LinearRegression().fit(X, y)
    result = model.inference(X, y)
    assert (result.std_errors < 1e-10).all()
    assert result.r_squared == pytest.approx(1.0)
    assert "summary" in str(result.summary())


@pytest.mark.parametrize("weights", ["frequency", "precision"])
@pytest.mark.parametrize("two_ways", [False, True])
def test_groups_without_weight_are_none(weights, two_ways):
    X, y, groups = data()
    w = np.where(groups < 9, 1.0 + np.arange(len(y)) % 2, 0.0)
    groups = np.column_stack([groups, np.where(w > 0, np.arange(len(y)) % 8, 99)]) if two_ways else groups
    one = LinearRegression().fit(X, y, w).inference(X, y, w, cov_type="cluster", groups=groups, weights=weights)
    X, y, groups, w = X[w > 0], y[w > 0], groups[w > 0], w[w > 0]
    few = LinearRegression().fit(X, y, w).inference(X, y, w, cov_type="cluster", groups=groups, weights=weights)
    np.testing.assert_allclose(one.std_errors, few.std_errors, rtol=1e-9)
    assert one.df_tests == few.df_tests


def test_groups_of_one_row_are_independent_rows():
    X, y, _ = data()
    n, k = len(y), 4
    alone = infer("cluster", X, y, groups=np.arange(n))
    ratio = alone.std_errors / infer("HC0", X, y).std_errors
    np.testing.assert_allclose(ratio, np.sqrt(n / (n - 1) * (n - 1) / (n - k)), rtol=1e-9)


def test_the_intercept_may_be_what_is_tested():
    X, y, _ = data()
    full, small = (LinearRegression(fit_intercept=fit_intercept).fit(X, y) for fit_intercept in (True, False))
    test = full.inference().lr_test(small.inference())
    assert test.df == 1
    assert test.statistic == pytest.approx(2 * (full.inference().log_likelihood - small.inference().log_likelihood))
    with pytest.raises(ValueError, match="different rows"):
        full.inference().lr_test(LinearRegression(fit_intercept=False).fit(X, 2 * y).inference())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda r, m: r.wald_test([[0, 1, 0, 0]], [1, 2]),
            r"q is \[1, 2\], expected a finite number for each of the 1",
        ),
        (lambda r, m: r.wald_test("x0", np.nan), "expected a finite number"),
        (lambda r, m: r.wald_test([]), "R is empty"),
        (lambda r, m: LinearRegression().fit(*data()[:2]).inference(*data()[:2], offset=[0.0]), "takes no offset"),
        (lambda r, m: m(["a", None] * 60), "expected a group for every row"),
        (lambda r, m: m(["a", np.nan] * 60), "expected a group for every row"),
        (lambda r, m: m(np.array(["a", 1] * 60, dtype=object)), "labels of several kinds"),
    ],
)
def test_bad_tests_and_groups_are_named(call, message):
    X, y, _ = data()
    model = LinearRegression().fit(X, y)

    def clustered(groups):
        return model.inference(X, y, cov_type="cluster", groups=np.array(groups, dtype=object))

    with pytest.raises((TypeError, ValueError), match=message):
        call(model.inference(), clustered)
