"""Quantile regression against HiGHS, by its certificate, and by the laws it obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as peer

from mlwright._native import core
from mlwright._runtime import simd
from mlwright.linear_model import QuantileRegressor
from mlwright.linear_model._robust import quantile_fit as _quantile_fit
from mlwright.testing.linear_model import regressions

levels = st.sampled_from([0.02, 0.25, 0.5, 0.9])
penalties = st.sampled_from([0.0, 1e-3, 0.1, 10.0])


def objective(coef, intercept, X, y, w, level, alpha):
    residual = np.asarray(y, dtype=np.longdouble) - X @ np.asarray(coef, dtype=np.longdouble) - intercept
    return np.average(np.maximum(level * residual, (level - 1) * residual), weights=w) + alpha * np.abs(coef).sum()


@given(regressions(), levels, penalties, st.booleans())
def test_the_certificate_holds(problem, level, alpha, fit_intercept):
    X, y, w = problem.X, problem.y, problem.w
    model = QuantileRegressor(quantile=level, alpha=alpha, fit_intercept=fit_intercept).fit(X, y, w)
    size = np.average(np.abs(y), weights=w)
    got = objective(model.coef_, model.intercept_, X, y, w, level, alpha)
    assert model.objective_ == pytest.approx(float(got), rel=1e-9, abs=1e-11 * size)
    assert model.converged_
    assert model.dual_gap_ <= 1e-9 * model.objective_ + 1e-11 * size


@given(regressions(max_rows=40, max_columns=5), levels, penalties, st.booleans())
def test_objective_is_that_of_highs(problem, level, alpha, fit_intercept):
    X, y, w = problem.X, problem.y, problem.w
    theirs = peer.QuantileRegressor(quantile=level, alpha=alpha, fit_intercept=fit_intercept).fit(X, y, w)
    ours = QuantileRegressor(quantile=level, alpha=alpha, fit_intercept=fit_intercept).fit(X, y, w)
    want = objective(theirs.coef_, theirs.intercept_, X, y, w, level, alpha)
    got = objective(ours.coef_, ours.intercept_, X, y, w, level, alpha)
    assert got <= want * (1 + 1e-9) + 1e-11 * np.abs(y).mean()


def table(n=400, p=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 1.0
    return X, X @ rng.standard_normal(p) + rng.standard_t(3, n)


@pytest.mark.parametrize("alpha", [0.0, 0.02])
def test_the_answer_is_a_vertex(alpha):
    X, y = table()
    model = QuantileRegressor(alpha=alpha).fit(X, y)
    exact = np.abs(y - model.predict(X)) < 1e-12
    assert exact.sum() == 1 + np.count_nonzero(model.coef_)


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("alpha", [1e-3, 0.05, 0.2, 1.0])
@pytest.mark.parametrize(("n", "p"), [(200, 3), (50, 100), (1000, 30)])
def test_coefficients_that_the_penalty_stops_are_zero(n, p, alpha, level):
    """Exactly, where the vertex is not unique too: a median of an even number of rows, say; those of HiGHS are."""
    X = np.random.default_rng(0).normal(size=(n, p))
    y = X[:, :2].sum(axis=1) + np.random.default_rng(1).normal(size=n)
    ours, theirs = (cls(alpha=alpha, quantile=level).fit(X, y) for cls in (QuantileRegressor, peer.QuantileRegressor))
    np.testing.assert_array_equal(ours.coef_ == 0.0, theirs.coef_ == 0.0)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-9)


def test_equivariance():
    """Of y: scale, shift along X and reflection. Of X: scale of columns, and their order."""
    X, y = table()

    def coef(X, y, level=0.3):
        model = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
        return np.append(model.coef_, model.intercept_)

    base = coef(X, y)
    np.testing.assert_allclose(coef(X, 1e-3 * y), 1e-3 * base, rtol=1e-10)
    np.testing.assert_allclose(coef(X, y + X[:, 2] + 5.0), base + np.array([0, 0, 1, 0, 0, 5]), rtol=1e-9)
    np.testing.assert_allclose(coef(X, -y, 0.7), -base, rtol=1e-9)
    scale = np.array([1e-150, 1e-6, 1.0, 1e6, 1e150])
    np.testing.assert_allclose(coef(X * scale, y)[:5] * scale, base[:5], rtol=1e-9)
    np.testing.assert_allclose(coef(X[:, ::-1], y)[:5], base[:5][::-1], rtol=1e-9)
    np.testing.assert_allclose(coef(X, y * 1e150), base * 1e150, rtol=1e-9)


@given(st.integers(0, 10_000), levels, penalties)
def test_a_weight_is_a_repetition(seed, level, alpha):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((20, 3)).round(1), rng.standard_normal(20).round(1)
    w = rng.integers(0, 4, 20)
    w[0] = 1
    weighted = QuantileRegressor(quantile=level, alpha=alpha).fit(X, y, w)
    repeated = QuantileRegressor(quantile=level, alpha=alpha).fit(X.repeat(w, axis=0), y.repeat(w))
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-9, abs=1e-13)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-5, atol=1e-5)


def test_same_bits_for_any_thread_count_level_and_container():
    X, y = table(3000, 12)
    X[X < 1.0] = 0.0
    w = np.random.default_rng(1).random(3000)

    def bits(X):
        model = QuantileRegressor(quantile=[0.1, 0.5, 0.8], alpha=1e-3).fit(X, y, w)
        return model.coef_.tobytes() + model.intercept_.tobytes() + model.dual_gap_.tobytes()

    want = bits(X)
    csr = sparse.csr_matrix(X)
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert bits(X) == want
    finally:
        core.runtime.set_num_threads(0)
    assert bits(np.asfortranarray(X)) == want
    theirs = QuantileRegressor(quantile=[0.1, 0.5, 0.8], alpha=1e-3).fit(csr, y, w)
    ours = QuantileRegressor(quantile=[0.1, 0.5, 0.8], alpha=1e-3).fit(X, y, w)
    np.testing.assert_allclose(theirs.coef_, ours.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.01])
@pytest.mark.parametrize("kind", ["dense", "sparse", "ties", "sorted"])
def test_leaving_out_rows_changes_nothing(monkeypatch, alpha, kind):
    X, y = table(8000, 3)
    if kind == "ties":
        X, y = X.round(), y.round()
    if kind == "sorted":
        order = np.argsort(y)
        X, y = X[order], y[order]
    X = sparse.csr_matrix(X) if kind == "sparse" else X
    w = np.random.default_rng(0).integers(0, 3, 8000)
    fits = []
    for share in (1e9, 1):
        monkeypatch.setattr(_quantile_fit, "_LEAST_SHARE", share)
        fits.append(QuantileRegressor(quantile=[0.2, 0.5], alpha=alpha).fit(X, y, w))
    whole, reduced = fits
    assert reduced.converged_
    np.testing.assert_allclose(reduced.objective_, whole.objective_, rtol=1e-10)


def test_several_quantiles_equal_each_alone_and_can_be_kept_from_crossing():
    X, y = table(60, 4)
    wanted = [0.6, 0.1, 0.5, 0.55]
    model = QuantileRegressor(quantile=wanted, alpha=0.0).fit(X, y)
    assert model.coef_.shape == (4, 4)
    assert model.intercept_.shape == model.n_iter_.shape == (4,)
    for k, level in enumerate(wanted):
        alone = QuantileRegressor(quantile=level, alpha=0.0).fit(X, y)
        np.testing.assert_array_equal(alone.coef_, model.coef_[k])
        np.testing.assert_array_equal(alone.predict(X), model.predict(X)[:, k])
    far = 10.0 * np.random.default_rng(3).standard_normal((500, 4))
    order = np.argsort(wanted)
    assert (np.diff(model.predict(far)[:, order], axis=1) < 0).any()
    kept = model.set_params(non_crossing=True).predict(far)
    assert (np.diff(kept[:, order], axis=1) >= 0).all()
    assert 0.0 < model.score(X, y) < 1.0


def test_interval_needs_both_levels():
    X, y = table(2000)
    model = QuantileRegressor(quantile=[0.05, 0.5, 0.95], alpha=0.0).fit(X, y)
    lower, upper = model.predict_interval(X).T
    assert 0.89 < np.mean((lower <= y) & (y <= upper)) < 0.91
    with pytest.raises(ValueError, match=r"needs the levels 0\.1, 0\.9, but the model has 0\.05, 0\.5, 0\.95; fit"):
        model.predict_interval(X, coverage=0.8)
    with pytest.raises(ValueError, match="coverage: got 1"):
        model.predict_interval(X, coverage=1)


def test_hard_input():
    rng = np.random.default_rng(0)
    wide, y = rng.standard_normal((10, 30)), rng.standard_normal(10)
    assert QuantileRegressor(alpha=0.0).fit(wide, y).objective_ < 1e-12  # every row fits exactly
    constant = QuantileRegressor(alpha=0.0).fit(np.full((9, 2), 3.0), np.arange(9.0))
    assert constant.predict([[3.0, 3.0]]) == pytest.approx(4.0)
    assert (constant.coef_ == 0.0).all()
    one = QuantileRegressor().fit([[1.0, 2.0]], [5.0])
    assert one.predict([[7.0, 7.0]]) == pytest.approx(5.0)
    same = QuantileRegressor(alpha=0.1).fit(wide[:, :2], np.full(10, 2.5))
    np.testing.assert_allclose(same.predict(wide[:, :2]), 2.5)
    single = QuantileRegressor(alpha=0.01).fit(wide.astype(np.float32), y)
    assert single.coef_.dtype == np.float32


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"quantile": [0.1, 1.0]}, r"quantile: got .* expected levels between 0 and 1, exclusive"),
        ({"quantile": []}, "quantile: got .* expected a number"),
        ({"quantile": 1.0}, "quantile"),
        ({"solver": "simplex"}, "solver"),
        ({"solver_options": {"presolve": True}}, "solver_options: got 'presolve', expected 'tol' or 'max_iter'"),
        ({"solver_options": {"tol": -1.0}}, "solver_options: got .* tol of at least 0"),
    ],
)
def test_bad_parameters_say_what_was_expected(parameters, message):
    X, y = table(20)
    with pytest.raises(ValueError, match=message):
        QuantileRegressor(**parameters).fit(X, y)


def test_bad_data_leave_the_model_alone():
    X, y = table(50)
    model = QuantileRegressor(alpha=0.0).fit(X, y)
    before = model.coef_
    holed = X.copy()
    holed[3, 1] = np.nan
    for call in (lambda: model.fit(holed, y), lambda: model.predict(holed), lambda: model.predict_interval(holed)):
        with pytest.raises(ValueError, match=r"NaN|needs the levels"):
            call()
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X, y, np.zeros(50))
    assert model.coef_ is before


def test_a_cut_short_fit_warns_and_says_how_far_it_may_be():
    X, y = table()
    with pytest.warns(match="after 2 iterations the objective may be up to"):
        model = QuantileRegressor(alpha=0.0, solver_options={"max_iter": 2}).fit(X, y)
    best = QuantileRegressor(alpha=0.0).fit(X, y)
    assert not model.converged_
    assert model.objective_ - best.objective_ <= model.dual_gap_
