"""Multi-task lasso: scikit-learn's optimum, certificates, working sets, folds, state algebra, bad input."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit

from mlwright._runtime import threads
from mlwright.linear_model import MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV

TIGHT = {"tol": 1e-12, "max_iter": 20_000}
WIDE = (40, 700)


def data(n=80, p=12, t=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.exp(rng.normal(0.0, 0.5, p)) + 1.5
    k = min(4, p)
    return X, X[:, :k] @ rng.standard_normal((k, t)) + rng.standard_normal((n, t)), rng.random(n) + 0.1


def objective(X, Y, w, coef, intercept, alpha, l1_ratio):
    w = np.ones(len(Y)) if w is None else w
    residuals = Y - X @ coef.T - intercept
    lengths = np.linalg.norm(coef, axis=0)
    penalty = alpha * (l1_ratio * lengths.sum() + (1 - l1_ratio) / 2 * (lengths**2).sum())
    return (w[:, None] * residuals**2).sum() / (2 * w.sum()) + penalty


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(80, 12), (12, 30), (3, 5), (1, 2), (40, 1), WIDE]),
    st.sampled_from([1.0, 0.7, 0.05, 0.0]),
    st.sampled_from([0.5, 0.05]),
    st.booleans(),
    st.sampled_from(["dense", "F", "csr", "csc"]),
)
def test_the_certificate_holds_and_scikit_learn_is_no_better(seed, shape, l1_ratio, alpha, intercept, layout):
    X, Y, w = data(*shape, seed=seed)
    if layout in ("csr", "csc"):
        X = X * (X > 1.0)
    given_X = {"dense": np.array, "F": np.asfortranarray, "csr": sparse.csr_array, "csc": sparse.csc_array}[layout](X)
    model = MultiTaskElasticNet(alpha, l1_ratio=l1_ratio, fit_intercept=intercept, **TIGHT).fit(given_X, Y, w)
    reached = objective(X, Y, w, model.coef_, model.intercept_, alpha, l1_ratio)
    np.testing.assert_allclose(reached, model.objective_, rtol=1e-8, atol=1e-9)
    assert model.converged_
    assert model.dual_gap_ <= 1e-12 * (w[:, None] * Y**2).sum() / w.sum() + 1e-300
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = peer.MultiTaskElasticNet(alpha, l1_ratio=l1_ratio, fit_intercept=intercept, tol=1e-9)
        theirs.fit(X.copy(), Y.copy(), w)  # which it scales in place
    assert reached <= objective(X, Y, w, theirs.coef_, theirs.intercept_, alpha, l1_ratio) * (1 + 1e-10) + 1e-12


@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learns_answers(weighted):
    X, Y, w = data(100, 8)
    w = w if weighted else None
    for ours, theirs in [
        (MultiTaskLasso(0.1, **TIGHT), peer.MultiTaskLasso(0.1, **TIGHT)),
        (MultiTaskElasticNet(0.1, **TIGHT), peer.MultiTaskElasticNet(0.1, **TIGHT)),
    ]:
        ours.fit(X, Y, w)
        theirs.fit(X, Y, w)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-5)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
        assert ours.sparse_coef_.shape == theirs.sparse_coef_.shape
        assert weighted or ours.eps_ == pytest.approx(theirs.eps_)


@pytest.mark.parametrize("cv", [3, ShuffleSplit(2, random_state=0)], ids=str)
@pytest.mark.parametrize("layout", [np.array, sparse.csr_array])
def test_scikit_learns_cross_validation(cv, layout):
    X, Y, w = data(90, 6)
    X = X * (X > 1.0)
    options = {"l1_ratio": [0.5, 1.0], "alphas": 6, "eps": 1e-2, "cv": cv, **TIGHT}
    ours = MultiTaskElasticNetCV(**options).fit(layout(X), Y, w)
    theirs = peer.MultiTaskElasticNetCV(**options).fit(X, Y, w)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-5)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert (ours.l1_ratio_, ours.alpha_) == (theirs.l1_ratio_, pytest.approx(theirs.alpha_, rel=1e-10))


@pytest.mark.parametrize("layout", [np.array, sparse.csc_array])
def test_cross_validation_of_wide_rows(layout):
    X, Y, _ = data(*WIDE)
    X = X * (X > 1.0)
    options = {"alphas": 5, "eps": 0.1, "cv": 3, **TIGHT}
    ours, theirs = MultiTaskLassoCV(**options).fit(layout(X), Y), peer.MultiTaskLassoCV(**options).fit(X, Y)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert not hasattr(ours, "l1_ratio_")


def test_weights_are_repetitions_and_rows_come_and_go():
    X, Y, w = data(120, 7)
    counts = np.random.default_rng(0).integers(0, 4, len(Y))
    again = np.repeat(np.arange(len(Y)), counts)
    weighted = MultiTaskLasso(0.05, **TIGHT).fit(X, Y, counts.astype(float))
    np.testing.assert_allclose(weighted.coef_, MultiTaskLasso(0.05, **TIGHT).fit(X[again], Y[again]).coef_, atol=1e-7)

    def new():
        return MultiTaskLasso(0.05, **TIGHT)

    whole, first = new().fit(X, Y, w), new().fit(X[:70], Y[:70], w[:70])
    before = first.coef_
    np.testing.assert_allclose(first.partial_fit(X[70:], Y[70:], w[70:]).coef_, whole.coef_, atol=1e-8)
    merged = new().fit(X[:70], Y[:70], w[:70]).merge(new().fit(X[70:], Y[70:], w[70:]))
    np.testing.assert_allclose(merged.coef_, whole.coef_, atol=1e-8)
    np.testing.assert_allclose(whole.forget(X[70:], Y[70:], w[70:]).coef_, before, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_columns_and_targets_of_any_scale(scale):
    X, Y, _ = data(60, 5)
    plain = MultiTaskLasso(0.1, **TIGHT).fit(X, Y)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(
            MultiTaskLasso(0.1 * scale, **TIGHT).fit(X * scale, Y).coef_ * scale, plain.coef_, rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(
            MultiTaskLasso(0.1 * scale, **TIGHT).fit(X, Y * scale).coef_ / scale, plain.coef_, rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("of_y", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("of_x", [1e-150, 1e150])
def test_wide_fits_in_any_units(of_x, of_y):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 700))
    Y = X[:, :3] + 0.1 * rng.standard_normal((40, 3))
    model = MultiTaskLasso(0.3).fit(X, Y)
    scaled = MultiTaskLasso(0.3 * of_x * of_y).fit(X * of_x, Y * of_y)
    assert scaled.converged_
    np.testing.assert_allclose(scaled.coef_ * of_x / of_y, model.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(300, 40), (40, 700)])
def test_same_bits_for_any_number_of_threads(shape):
    X, Y, _ = data(*shape)
    wanted = None
    for n_threads in (1, 2, 3, 8):
        with threads.limit(n_threads):
            model = MultiTaskLassoCV(alphas=6, cv=3, eps=0.1).fit(X, Y)
        got = model.coef_.tobytes() + model.mse_path_.tobytes()
        wanted = wanted or got
        assert got == wanted


def test_one_task_is_the_lasso_and_no_penalty_is_least_squares():
    X, Y, _ = data(50, 5)
    one = MultiTaskLasso(0.1, **TIGHT).fit(X, Y[:, :1])
    np.testing.assert_allclose(one.coef_[0], peer.Lasso(0.1, **TIGHT).fit(X, Y[:, 0]).coef_, atol=1e-6)
    model = MultiTaskLasso(0.0, tol=1e-10, max_iter=10_000).fit(X, Y)
    np.testing.assert_allclose(model.coef_.T, np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0))[0], rtol=1e-6)
    assert model.converged_


def test_the_warning_comes_with_the_certificate_only_and_starts_are_warm():
    X, Y, _ = data(200, 100)
    X[:, 1:] = 0.99 * X[:, :1] + 0.01 * X[:, 1:]
    with pytest.warns(ConvergenceWarning, match="max_iter=1 sweeps left a duality gap of"):
        model = MultiTaskLasso(1e-5, max_iter=1, tol=1e-10).fit(X, Y)
    assert not model.converged_
    model = MultiTaskLasso(0.1, warm_start=True, **TIGHT).fit(X, Y)
    assert model.fit(X, Y).n_iter_ <= 4


@pytest.mark.parametrize("shape", [(20, 3), WIDE])
def test_bad_input_leaves_the_model_as_it_was(shape):
    X, Y, _ = data(*shape)
    model = MultiTaskLasso(0.1).fit(X, Y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="For mono-task outputs, use Lasso"):
        model.fit(X, Y[:, 0])
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="contains NaN"):
        MultiTaskLassoCV(cv=3).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, before)


def test_wide_targets_that_overflow_are_named():
    X, Y, _ = data(*WIDE)
    with np.errstate(over="ignore"), pytest.raises(ArithmeticError, match="overflow"):
        MultiTaskLasso(0.1).fit(X, Y * 1e200)


def test_intervals():
    X, Y, _ = data(200, 6)
    interval = MultiTaskLasso(0.05).fit(X, Y).predict_interval(X, coverage=0.8)
    assert interval.shape == (200, 3, 2)
    assert 0.7 < ((interval[..., 0] <= Y) & (interval[..., 1] >= Y)).mean() < 0.9
