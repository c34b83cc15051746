"""Errors, bits, intervals, posterior draws, cancellation: how the least-squares family behaves."""

import copy

import numpy as np
import pytest
from scipy import sparse

from mlwright import bayes
from mlwright._native import core
from mlwright._runtime import simd
from mlwright._runtime.errors import ModelFormatError
from mlwright.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge

# Of rows that ARDRegression drops all columns of: tests/linear_model/test_ard.py.
pytestmark = pytest.mark.filterwarnings("ignore:ARDRegression. every column was dropped:UserWarning")

MODELS = [
    LinearRegression(),
    LinearRegression(positive=True),
    Ridge(),
    Ridge(positive=True),
    BayesianRidge(),
    ARDRegression(),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=repr)


def data(n=3000, p=12):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 1.0
    return X, X @ rng.standard_normal(p) + rng.standard_normal(n), rng.random(n)


def everything(model, X, y, w):
    model = copy.deepcopy(model).fit(X, y, w)
    parts = [model.coef_, model.intercept_, model.predict(X), model.predict_interval(X[:50])]
    if isinstance(model, bayes.BayesianMixin):
        parts += [*model.predict(X, return_std=True), *model.sample_posterior(3, random_state=1).values()]
    model.partial_fit(X[:10], y[:10]).forget(X[:7], y[:7])
    return [np.asarray(part).tobytes() for part in [*parts, model.coef_]]


@each_model
def test_same_bits_for_any_thread_count_and_simd_level(model):
    X, y, w = data()
    want = everything(model, X, y, w)
    try:
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    assert everything(model, X, y, w) == want
    finally:
        core.runtime.set_num_threads(0)


@each_model
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_numbers_raise_as_in_scikit_learn_and_leave_the_model_alone(model, bad):
    X, y, _ = data(200, 4)
    model = copy.deepcopy(model).fit(X, y)
    before = copy.deepcopy(vars(model))
    holed = X.copy()
    holed[150, 2] = bad
    hole_in_y = y.copy()
    hole_in_y[3] = bad
    message = "NaN" if np.isnan(bad) else "infinity"
    for call in (
        lambda: model.fit(holed, y),
        lambda: model.fit(X, hole_in_y),
        lambda: model.fit(X, y, np.where(np.arange(200) == 5, bad, 1.0)),
        lambda: model.partial_fit(holed, y),
        lambda: model.forget(holed[100:], y[100:]),
        lambda: model.predict(holed),
        lambda: model.predict_interval(holed),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert vars(model).keys() == before.keys()
    np.testing.assert_array_equal(model.coef_, before["coef_"])
    np.testing.assert_array_equal(model._statistics["scatter"], before["_statistics"]["scatter"])


@each_model
def test_wrong_shapes_raise_as_in_scikit_learn(model):
    X, y, _ = data(20, 4)
    model = copy.deepcopy(model).fit(X, y)
    for call, message in [
        (lambda: model.fit(X, y[:5]), "inconsistent numbers of samples"),
        (lambda: model.fit(X[:0], y[:0]), "0 sample"),
        (lambda: model.fit(X[:, :0], y), "0 feature"),
        (lambda: model.fit(y, y), "2D array"),
        (lambda: model.fit(X, y, -np.ones(20)), "[Nn]egative"),
        (lambda: model.fit(X, y, np.ones(3)), "sample_weight.shape"),
        (lambda: model.fit(X, y, np.zeros(20)), "non-zero"),
        (lambda: model.predict(X[:, :2]), "features"),
        (lambda: model.predict(X[:0]), "0 sample"),
        (lambda: model.predict_interval(X, 1.0), "coverage: got 1.0"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_parameters_are_checked_every_time_they_change():
    X, y, _ = data(20, 4)
    model = Ridge(1.0).fit(X, y)
    for bad in (-1.0, "1", None):
        with pytest.raises(ValueError, match="'alpha' parameter of Ridge"):
            model.set_params(alpha=bad).fit(X, y)
    with pytest.raises(ValueError, match="Number of targets and number of penalties"):
        model.set_params(alpha=[1.0, 2.0]).fit(X, y)
    with pytest.raises(ValueError, match="expected numbers that are not negative"):
        model.set_params(alpha=[-1.0]).fit(X, y)
    with pytest.raises(ValueError, match="'tol' parameter of LinearRegression"):
        LinearRegression(tol=-1.0).fit(X, y)
    with pytest.raises(ValueError, match="only when positive=True"):
        Ridge(solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="does not support positive"):
        Ridge(solver="svd", positive=True).fit(X, y)


@pytest.mark.parametrize("solver", ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"])
def test_every_solver_name_gives_the_same_answer(solver):
    X, y, w = data(100, 5)
    np.testing.assert_allclose(Ridge(0.3, solver=solver).fit(X, y, w).coef_, Ridge(0.3).fit(X, y, w).coef_, rtol=1e-11)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    coef = rng.standard_normal(8)
    hits = {}
    for _ in range(150):
        X = rng.standard_normal((60, 8))
        y = X @ coef + rng.standard_normal(60)
        for model in (LinearRegression(), Ridge(0.1), BayesianRidge()):
            low, high = model.fit(X[:30], y[:30]).predict_interval(X[30:], coverage=0.8).T
            hits.setdefault(type(model), []).append(((low <= y[30:]) & (y[30:] <= high)).mean())
    for share in hits.values():
        assert np.mean(share) == pytest.approx(0.8, abs=0.035)


def test_least_squares_intervals_are_the_textbook_ones():
    from scipy import stats

    X, y, _ = data(40, 3)
    model = LinearRegression().fit(X, y)
    A = np.column_stack([np.ones(40), X])
    rss = ((y - model.predict(X)) ** 2).sum()
    new = np.array([[0.3, -1.0, 2.0]])
    a = np.array([1.0, *new[0]])
    reach = stats.t.ppf(0.95, 36) * np.sqrt(rss / 36 * (1 + a @ np.linalg.inv(A.T @ A) @ a))
    np.testing.assert_allclose(np.diff(model.predict_interval(new, 0.9)).item() / 2, reach, rtol=1e-10)
    with pytest.raises(ValueError, match="no degrees of freedom"):
        LinearRegression().fit(X[:3], y[:3]).predict_interval(new)


@pytest.mark.parametrize(("n", "p"), [(100, 4), (20, 600)])
def test_posterior_draws_have_the_posterior_moments(n, p):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 2.0
    model = BayesianRidge().fit(X, X[:, 0] + 0.5 * rng.standard_normal(n))
    draws = model.sample_posterior(20_000 if p < 10 else 3000, random_state=0)
    coef, intercept = draws["coef"], draws["intercept"]
    look = slice(0, 4)
    sigma = model.sigma_[look, look]
    error = 5 * np.sqrt(np.diag(sigma) / len(coef))
    assert (np.abs(coef.mean(axis=0)[look] - model.coef_[look]) < error).all()
    np.testing.assert_allclose(np.cov(coef[:, look].T), sigma, atol=0.12 * np.diag(sigma).max())
    np.testing.assert_allclose(intercept + coef @ model.X_offset_, model.intercept_ + model.coef_ @ model.X_offset_)


def test_int64_indices_and_every_sparse_format():
    X, y, _ = data(300, 6)
    X[np.abs(X) < 1.0] = 0.0
    want = Ridge().fit(X, y)
    for make in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_array):
        matrix = make(X)
        if matrix.format in ("csr", "csc"):
            matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
        np.testing.assert_allclose(Ridge().fit(matrix, y).coef_, want.coef_, rtol=1e-11)
        np.testing.assert_allclose(want.predict(matrix), want.predict(X), rtol=1e-11)


def test_a_refit_forgets_what_the_new_settings_do_not_have():
    X, y, _ = data(50, 3)
    model = LinearRegression(positive=True).fit(X, y)
    assert not hasattr(model, "singular_")
    model.set_params(positive=False).fit(X, y)
    assert model.rank_ == 3
    np.testing.assert_allclose(model.singular_, np.linalg.svd(X - X.mean(axis=0))[1], rtol=1e-10)
    model.fit(sparse.csr_array(X), y)
    assert not hasattr(model, "rank_")


@each_model
def test_a_damaged_state_is_refused(model):
    X, y, _ = data(30, 3)
    sound = copy.deepcopy(model).fit(X, y)
    sound._validate_state()
    damages = [
        {"coef_": sound.coef_[:2]},
        {"coef_": sound.coef_ * np.nan},
        {"intercept_": np.inf},
        {"_statistics": {**sound._statistics, "scatter": np.zeros((2, 2))}},
        {"_statistics": {**sound._statistics, "scale": -sound._statistics["scale"]}},
    ]
    if isinstance(model, BayesianRidge):
        damages += [{"_values": -sound._values}, {"alpha_": 0.0}, {"X_offset_": sound.X_offset_[:1]}]
    for damage in damages:
        broken = copy.deepcopy(sound)
        vars(broken).update(damage)
        with pytest.raises(ModelFormatError, match=type(model).__name__):
            broken._validate_state()
