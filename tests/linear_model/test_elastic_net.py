"""Lasso and elastic net: optimal, certified, scikit-learn's answers, the state algebra, and bad input."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from mlwright import linear_model
from mlwright._runtime import threads
from mlwright.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV, enet_path, lasso_path

TIGHT = {"tol": 1e-12, "max_iter": 100_000}
WIDE = (25, 530)


def data(n=80, p=12, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.exp(rng.normal(0.0, 0.5, p)) + 1.5
    y = X[:, : min(4, p)].sum(axis=1) + rng.standard_normal(n)
    return X * scale, y, rng.random(n) + 0.1


def objective(X, y, w, model, alpha, l1_ratio):
    w = np.ones(len(y)) if w is None else w
    b = np.asarray(model.coef_, dtype=float)
    r = y - X @ b - model.intercept_
    return (w * r * r).sum() / (2 * w.sum()) + alpha * (l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * b @ b)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(80, 12), (12, 30), (3, 5), (1, 2), (40, 1), WIDE]),
    st.sampled_from([1.0, 0.7, 0.05, 0.0]),
    st.sampled_from([0.5, 0.05, 0.005]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["dense", "F", "csr", "csc"]),
)
def test_the_certificate_holds_and_no_neighbour_is_better(seed, shape, l1_ratio, alpha, positive, intercept, layout):
    X, y, w = data(*shape, seed=seed)
    if layout in ("csr", "csc"):
        X = X * (X > 1.0)
    given_X = {"dense": np.array, "F": np.asfortranarray, "csr": sparse.csr_array, "csc": sparse.csc_array}[layout](X)
    model = ElasticNet(alpha, l1_ratio=l1_ratio, positive=positive, fit_intercept=intercept, **TIGHT)
    model.fit(given_X, y, w)
    reached = objective(X, y, w, model, alpha, l1_ratio)
    np.testing.assert_allclose(reached, model.objective_, rtol=1e-8, atol=1e-9)
    assert model.converged_
    assert model.dual_gap_ <= 1e-12 * (w * (y - intercept * np.average(y, weights=w)) ** 2).sum() / w.sum() + 1e-300
    assert not positive or (model.coef_ >= 0).all()
    rng = np.random.default_rng(seed)
    best = model.coef_.copy()
    for _ in range(5):
        step = rng.standard_normal(len(best)) * 1e-3 * (rng.random(len(best)) < 0.3)
        model.coef_ = np.maximum(best + step, 0.0) if positive else best + step
        assert objective(X, y, w, model, alpha, l1_ratio) >= reached - 1e-9 * abs(reached)


@pytest.mark.parametrize("shape", [(100, 8), WIDE])
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learns_answers(shape, weighted):
    X, y, w = data(*shape)
    w = w if weighted else None
    for ours, theirs in [
        (Lasso(0.1, **TIGHT), peer.Lasso(0.1, **TIGHT)),
        (ElasticNet(0.1, **TIGHT), peer.ElasticNet(0.1, **TIGHT)),
    ]:
        ours.fit(X, y, w)
        theirs.fit(X, y, w)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-5)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
        assert type(ours.intercept_) is type(theirs.intercept_)
        assert ours.sparse_coef_.shape == theirs.sparse_coef_.shape


SPLITS = [4, KFold(3, shuffle=True, random_state=0), ShuffleSplit(2, random_state=0), TimeSeriesSplit(3)]


@pytest.mark.parametrize("cv", SPLITS, ids=str)
@pytest.mark.parametrize("layout", [np.array, sparse.csr_array])
def test_scikit_learns_cross_validation(cv, layout):
    X, y, w = data(90, 6)
    X = layout(X * (X > 1.0))
    options = {"l1_ratio": [0.5, 1.0], "alphas": 8, "eps": 1e-2, "cv": cv, **TIGHT}
    ours, theirs = ElasticNetCV(**options).fit(X, y, w), peer.ElasticNetCV(**options).fit(X, y, w)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-5)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert ours.l1_ratio_ == theirs.l1_ratio_
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-10)


@pytest.mark.parametrize("layout", [np.array, sparse.csc_array])
def test_cross_validation_of_wide_rows(layout):
    X, y, w = data(*WIDE)
    X = layout(X * (X > 1.0))
    options = {"alphas": 6, "eps": 0.05, "cv": 3, **TIGHT}
    ours, theirs = LassoCV(**options).fit(X, y, w), peer.LassoCV(**options).fit(X, y, w)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert not hasattr(ours, "l1_ratio_")


def test_given_penalties_and_one_alone():
    X, y, _ = data()
    ours = LassoCV(alphas=[0.1, 0.5, 0.01], **TIGHT).fit(X, y)
    theirs = peer.LassoCV(alphas=[0.1, 0.5, 0.01], **TIGHT).fit(X, y)
    assert ours.alphas_.tolist() == theirs.alphas_.tolist() == [0.5, 0.1, 0.01]
    assert LassoCV(alphas=[0.3]).fit(X, y).alpha_ == 0.3
    with pytest.raises(ValueError, match="Automatic alpha grid generation is not supported for l1_ratio=0"):
        ElasticNetCV(l1_ratio=0.0).fit(X, y)
    with pytest.raises(ValueError, match=r"alphas\[1\] == -1"):
        LassoCV(alphas=[1, -1]).fit(X, y)


def test_groups_reach_the_splitter():
    import sklearn

    X, y, _ = data(60, 4)
    groups = np.repeat(np.arange(6), 10)
    with sklearn.config_context(enable_metadata_routing=True):
        model = LassoCV(cv=GroupKFold(3), alphas=5).fit(X, y, groups=groups)
    assert model.mse_path_.shape == (5, 3)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(40, 6), WIDE]))
def test_weights_are_repetitions(seed, shape):
    X, y, _ = data(*shape, seed=seed)
    w = np.random.default_rng(seed).integers(0, 4, len(y)).astype(float)
    w[0] = 2.0
    at = np.repeat(np.arange(len(y)), w.astype(int))
    weighted = Lasso(0.1, **TIGHT).fit(X, y, w)
    repeated = Lasso(0.1, **TIGHT).fit(X[at], y[at])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-4)
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-9)


def test_state_algebra():
    X, y, w = data(120, 7)
    new = lambda: Lasso(0.05, **TIGHT)  # noqa: E731
    whole, first = new().fit(X, y, w), new().fit(X[:70], y[:70], w[:70])
    np.testing.assert_allclose(first.partial_fit(X[70:], y[70:], w[70:]).coef_, whole.coef_, atol=1e-9)
    merged = new().fit(X[:70], y[:70], w[:70]).merge(new().fit(X[70:], y[70:], w[70:]))
    np.testing.assert_allclose(merged.coef_, whole.coef_, atol=1e-9)
    less = new().fit(X, y, w).forget(X[70:], y[70:], w[70:])
    np.testing.assert_allclose(less.coef_, new().fit(X[:70], y[:70], w[:70]).coef_, atol=1e-8)


def test_several_targets_are_fits_of_each():
    for shape in [(50, 6), WIDE]:
        X, y, _ = data(*shape)
        Y = np.column_stack([y, X[:, 1] - y])
        both = Lasso(0.1, **TIGHT).fit(X, Y)
        assert both.dual_gap_.shape == both.intercept_.shape == (2,)
        assert len(both.n_iter_) == 2
        for k in range(2):
            np.testing.assert_array_equal(both.coef_[k], Lasso(0.1, **TIGHT).fit(X, Y[:, k]).coef_)


@pytest.mark.parametrize("scale", [1e-140, 1e-20, 1e20, 1e140])
def test_columns_of_any_scale(scale):
    X, y, _ = data(60, 5)
    plain = Lasso(0.1, **TIGHT).fit(X, y)
    with np.errstate(over="ignore"):
        scaled = Lasso(0.1 * scale, **TIGHT).fit(X * scale, y)
    np.testing.assert_allclose(scaled.coef_ * scale, plain.coef_, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("shape", [(300, 40), (40, 700)])
def test_same_bits_for_any_number_of_threads(shape):
    X, y, _ = data(*shape)
    wanted = None
    for n_threads in (1, 2, 3, 8):
        with threads.limit(n_threads):
            model = LassoCV(alphas=8, cv=3).fit(X, y)
            got = model.coef_.tobytes() + model.mse_path_.tobytes()
        wanted = wanted or got
        assert got == wanted


def test_warm_start_takes_up_where_it_was():
    X, y, _ = data(*WIDE)
    model = Lasso(0.1, warm_start=True, **TIGHT).fit(X, y)
    once = model.coef_.copy()
    model.fit(X, y)
    np.testing.assert_allclose(model.coef_, once, atol=1e-12)
    assert model.n_iter_ <= 1


def test_the_warning_comes_with_the_certificate_only():
    X, y, _ = data(200, 100)
    X[:, 1:] = 0.999 * X[:, :1] + 0.001 * X[:, 1:]
    with pytest.warns(ConvergenceWarning, match="max_iter=1 sweeps left a duality gap of"):
        model = Lasso(1e-5, max_iter=1, tol=1e-10).fit(X, y)
    assert not model.converged_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Lasso(1e-5, tol=1e-8, max_iter=5000).fit(X, y).converged_


def test_paths():
    X, y, _ = data(50, 9)
    X, y = X - X.mean(axis=0), y - y.mean()
    for l1_ratio in (0.4, 1.0):
        ours = enet_path(X, y, l1_ratio=l1_ratio, alphas=12, return_n_iter=True, **TIGHT)
        theirs = peer.enet_path(X, y, l1_ratio=l1_ratio, alphas=12, return_n_iter=True, **TIGHT)
        for a, b in zip(ours[:2], theirs[:2], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        assert len(ours[3]) == 12
    wide, target = data(*WIDE)[:2]
    ours, theirs = lasso_path(wide, target, alphas=12, **TIGHT), peer.lasso_path(wide, target, alphas=12, **TIGHT)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)
    assert (ours[2] <= 1e-12 * (target @ target)).all()


@pytest.mark.parametrize("shape", [(50, 9), WIDE])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, np.ndarray.tolist], ids=["csr", "csc", "list"])
def test_paths_of_anything_array_like(shape, kind):
    X, y, _ = data(*shape)
    X = X * (X > 1.0)
    ours, theirs = lasso_path(kind(X), y, alphas=5, **TIGHT), lasso_path(X, y, alphas=5, **TIGHT)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)
    X[2, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        lasso_path(kind(X), y)


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e20, 1e150])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_columns_of_any_magnitude_are_certified(scale, l1_ratio):
    """Beside columns so large a penalty is below the rounding of slopes: no gap is of use, the conditions decide."""
    X, y, _ = data(60, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ElasticNet(0.1, l1_ratio=l1_ratio).fit(X * scale, y)
    assert model.converged_
    if scale > 1.0:
        least = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
        np.testing.assert_allclose(model.coef_ * scale, least, atol=1e-3)
    else:
        np.testing.assert_array_equal(model.coef_, 0.0)


def test_intervals_cover():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 20))
    y = X[:, 0] + rng.standard_normal(400)
    model = Lasso(0.05).fit(X[:200], y[:200])
    interval = model.predict_interval(X[200:], coverage=0.8)
    assert 0.7 < ((interval[:, 0] <= y[200:]) & (y[200:] <= interval[:, 1])).mean() < 0.9


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("model", [Lasso(0.1), LassoCV(alphas=[0.1, 0.2], cv=3), ElasticNet(0.15, l1_ratio=0.8)])
def test_intervals_of_wide_fits_cover(kind, model):
    """In-sample residuals would be far too short: the fit uses a third of its rows up."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1200, 700)) * (rng.random((1200, 700)) < 0.3)
    y = X[:, :10].sum(axis=1) + rng.standard_normal(1200)
    model.fit(kind(X[:200]), y[:200])
    lower, upper = model.predict_interval(kind(X[200:]), coverage=0.8).T
    assert 0.74 < ((lower <= y[200:]) & (y[200:] <= upper)).mean() < 0.9
    both = Lasso(0.1).fit(kind(X[:200]), np.column_stack([y, 2.0 * y])[:200]).predict_interval(kind(X[200:]))
    assert both.shape == (1000, 2, 2)
    alone = Lasso(0.1).fit(kind(X[:200]), y[:200]).predict_interval(kind(X[200:]))
    np.testing.assert_allclose(both[:, 0], alone, atol=1e-6)


@pytest.mark.parametrize("shape", [(20, 3), WIDE])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_leave_the_model_as_it_was(shape, bad):
    X, y, _ = data(*shape)
    model = Lasso(0.1).fit(X, y)
    before = model.coef_.copy()
    X[3, 1] = bad
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.coef_, before)
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        LassoCV(cv=3).fit(X, y)


def test_wide_targets_that_overflow_are_named():
    X, y, _ = data(*WIDE)
    with np.errstate(over="ignore"), pytest.raises(ArithmeticError, match="sum of squares overflows float64"):
        Lasso(0.1).fit(X, y * 1e200)


def test_folds_without_weight_are_named():
    X, y, _ = data(30, 3)
    w = np.ones(30)
    w[:10] = 0.0
    with pytest.raises(ValueError, match="training or test rows all have weight zero"):
        LassoCV(cv=3).fit(X, y, w)


def test_no_penalty_is_least_squares():
    X, y, _ = data(50, 5)
    model = Lasso(0.0, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, np.linalg.lstsq(X - X.mean(axis=0), y - y.mean())[0], rtol=1e-7)
    assert model.converged_


@pytest.mark.parametrize("units", [(1e-150, 1.0), (1.0, 1e-150), (1e150, 1e150), (1e-150, 1e-150)])
def test_chosen_penalties_follow_the_units(units):
    of_x, of_y = units
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    y = X[:, 0] + rng.standard_normal(60)
    model, scaled = LassoCV(alphas=20, tol=1e-8).fit(X, y), LassoCV(alphas=20, tol=1e-8).fit(X * of_x, y * of_y)
    assert scaled.alpha_ / of_x / of_y == pytest.approx(model.alpha_, rel=1e-9)
    np.testing.assert_allclose(scaled.coef_ * of_x / of_y, model.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("of_y", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("of_x", [1e-150, 1e150])
def test_wide_fits_in_any_units(of_x, of_y):
    X, y, _ = data(40, 700)
    model = Lasso(0.1, tol=1e-8).fit(X, y)
    scaled = Lasso(0.1 * of_x * of_y, tol=1e-8).fit(X * of_x, y * of_y)
    assert scaled.converged_
    assert 0.0 <= scaled.dual_gap_ <= scaled.tol * of_y**2 * (y @ y)
    np.testing.assert_allclose(scaled.coef_ * of_x / of_y, model.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "LassoCV", "ElasticNetCV"])
def test_paths_of_the_classes(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    y = X[:, 0] + rng.standard_normal(30)
    ours, theirs = getattr(linear_model, name).path(X, y, alphas=3), getattr(peer, name).path(X, y, alphas=3)
    np.testing.assert_allclose(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-3)
