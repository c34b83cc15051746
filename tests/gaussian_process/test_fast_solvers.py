"""State-space models and Vecchia approximations against the covariance matrix that they stand for."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, RationalQuadratic, WhiteKernel

from mlwright._native import core
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.gaussian_process._program import program_of
from mlwright.gaussian_process._state_space import terms_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def series(n=150, seed=0):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0.0, 12.0, (n, 1))
    t[: n // 7 * 7 : 7] = t[1 : n // 7 * 7 : 7]  # some rows at the same place
    return t, np.sin(t[:, 0]) + 0.2 * rng.standard_normal(n)


SUMS = [
    Matern(0.7, nu=0.5) + WhiteKernel(0.1),
    2.0 * Matern(0.7, nu=1.5) + WhiteKernel(0.1),
    ConstantKernel(2.0) * Matern(1.7, nu=2.5) * ConstantKernel(0.7) + WhiteKernel(0.1),
    ConstantKernel(2.0) + Matern(3.0, nu=2.5),
    2.0 * (Matern(1.0, nu=1.5) + 0.5 * Matern(0.2, nu=0.5) + WhiteKernel(0.05)) + WhiteKernel(0.1),
    (Matern(1.0, nu=1.5) + ConstantKernel(0.5)) * (ConstantKernel(0.3) + WhiteKernel(0.2)),
    ConstantKernel(2.0, "fixed") * Matern(1.0, "fixed", nu=1.5) + WhiteKernel(0.1),
]


def pair(kernel, solver, n=150, **options):
    t, y = series(n)
    options = {"optimizer": None, "alpha": 0.01, "compute_loo": True, **options}
    return (GaussianProcessRegressor(kernel, solver=name, **options).fit(t, y) for name in (solver, "dense"))


def same_answers(fast, dense, new, tolerance=1e-8):
    value, gradient = fast.log_marginal_likelihood(fast.kernel_.theta, eval_gradient=True)
    want, slope = dense.log_marginal_likelihood(fast.kernel_.theta, eval_gradient=True)
    assert value == pytest.approx(want, rel=tolerance)
    np.testing.assert_allclose(gradient, slope, rtol=tolerance, atol=tolerance * np.abs(slope).max(initial=1.0))
    for name in ("alpha_", "loo_predictions_", "loo_log_density_", "L_"):
        a, b = getattr(fast, name), getattr(dense, name)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
    for options in ({"return_std": True}, {"return_cov": True}):
        for a, b in zip(fast.predict(new, **options), dense.predict(new, **options), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kernel", SUMS, ids=repr)
def test_a_state_space_model_is_its_covariance_matrix(kernel):
    fast, dense = pair(kernel, "state_space")
    far = np.random.default_rng(1).uniform(-3.0, 15.0, (40, 1))
    new = np.concatenate([far, fast.X_train_[:3], fast.X_train_[:1]])
    same_answers(fast, dense, new)


@pytest.mark.parametrize("normalize_y", [False, True])
def test_a_fit_finds_the_same_optimum(normalize_y):
    kernel = 1.0 * Matern(1.0, nu=2.5) + WhiteKernel(0.1)
    fast, dense = pair(kernel, "state_space", optimizer="fmin_l_bfgs_b", normalize_y=normalize_y)
    assert fast.log_marginal_likelihood_value_ == pytest.approx(dense.log_marginal_likelihood_value_, abs=1e-6)
    np.testing.assert_allclose(fast.kernel_.theta, dense.kernel_.theta, atol=1e-2)


def test_several_targets_of_one_series():
    t, y = series()
    Y = np.column_stack([y, np.cos(y), y**2])
    kernel = 2.0 * Matern(nu=1.5) + WhiteKernel(0.1)
    for name in ("state_space", "vecchia"):
        fast, dense = (
            GaussianProcessRegressor(kernel, optimizer=None, solver=solver, n_neighbors=149).fit(t, Y)
            for solver in (name, "dense")
        )
        np.testing.assert_allclose(fast.predict(t), dense.predict(t), rtol=1e-8, atol=1e-8)
        for a, b in zip(*(m.log_marginal_likelihood(kernel.theta, True) for m in (fast, dense)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8)


@pytest.mark.parametrize(
    "kernel",
    [
        RBF(),
        RationalQuadratic(),
        Matern() * Matern(),
        ConstantKernel() + WhiteKernel(),
        sum([Matern()] * 5, WhiteKernel()),
    ],
    ids=repr,
)
def test_what_is_no_sum_of_terms_stays_dense(kernel):
    assert terms_of(program_of(kernel, 1).program) is None
    t, y = series(300)
    assert GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1).fit(t, y).solver_ == "dense"


def test_the_solver_is_chosen_by_kernel_and_rows():
    t, y = series(300)
    kernel = Matern(nu=1.5) + WhiteKernel(0.1)

    def chosen(X, y):
        return GaussianProcessRegressor(kernel, optimizer=None).fit(X, y).solver_

    assert chosen(t, y) == "state_space"
    assert chosen(t[:100], y[:100]) == "dense"
    assert chosen(np.hstack([t, t]), y) == "dense"
    wide = Matern([1.0], nu=1.5) + WhiteKernel(0.1)
    assert GaussianProcessRegressor(wide, optimizer=None).fit(t, y).solver_ == "state_space"


def test_a_long_series_is_answered_without_a_matrix():
    """The likelihood of a process of first order is a product over steps: by hand, at a length no matrix has."""
    n = 200_000
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.1, 1.0, n))
    y = rng.standard_normal(n)
    model = GaussianProcessRegressor(Matern(2.0, nu=0.5), optimizer=None, alpha=0.0).fit(t[:, None], y)
    keep = np.exp(-np.diff(t) / 2.0)
    rest = 1.0 - keep**2
    by_hand = -0.5 * (y[0] ** 2 + np.sum((y[1:] - keep * y[:-1]) ** 2 / rest + np.log(rest)) + n * np.log(2.0 * np.pi))
    assert model.log_marginal_likelihood_value_ == pytest.approx(by_hand, rel=1e-11)
    assert model.predict(t[1000:1001, None]) == pytest.approx(y[1000], abs=1e-9)


# ---------------------------------------------------------------- Vecchia

PROGRAMS = [
    ConstantKernel(2.0) * RBF([0.7, 1.3]) + WhiteKernel(0.1),
    Matern(0.7, nu=1.5) + WhiteKernel(0.1, "fixed"),
    RationalQuadratic() * Matern([1.0, 2.0], nu=2.5) + WhiteKernel(0.05),
]


def field(n=80, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(0.0, 4.0, (n, 2))
    X[3] = X[2]
    return X, np.sin(X[:, 0]) * np.cos(X[:, 1]) + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("kernel", PROGRAMS, ids=repr)
@pytest.mark.parametrize("ordering", ["maximin", "coordinate"])
def test_with_all_rows_for_neighbours_the_approximation_is_exact(kernel, ordering):
    X, y = field()
    options = {"optimizer": None, "alpha": 0.01, "compute_loo": True}
    fast = GaussianProcessRegressor(kernel, solver="vecchia", n_neighbors=200, ordering=ordering, **options).fit(X, y)
    dense = GaussianProcessRegressor(kernel, **options).fit(X, y)
    same_answers(fast, dense, field(12, seed=1)[0][4:])


def test_few_neighbours_are_close_and_more_are_closer():
    X, y = field(600)
    kernel = 1.0 * Matern(0.8, nu=1.5) + WhiteKernel(0.02)
    dense = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    new = field(100, seed=1)[0]
    errors, gaps = [], []
    for m in (3, 10, 30):
        fast = GaussianProcessRegressor(kernel, optimizer=None, solver="vecchia", n_neighbors=m).fit(X, y)
        errors.append(np.abs(fast.predict(new) - dense.predict(new)).max())
        gaps.append(abs(fast.log_marginal_likelihood_value_ - dense.log_marginal_likelihood_value_))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.05
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 2.0


def test_the_gradient_of_an_approximation_is_its_own():
    X, y = field(120)
    kernel = 1.5 * Matern([0.8, 1.1], nu=1.5) + WhiteKernel(0.05)
    model = GaussianProcessRegressor(kernel, optimizer=None, solver="vecchia", n_neighbors=6).fit(X, y)
    gradient, h = model.log_marginal_likelihood(kernel.theta, eval_gradient=True)[1], 1e-4
    for k, unit in enumerate(np.eye(len(kernel.theta))):
        far = [model.log_marginal_likelihood(kernel.theta + s * h * unit) for s in (-2, -1, 1, 2)]
        assert gradient[k] == pytest.approx((far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * h), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("solver", ["state_space", "vecchia"])
def test_the_same_bits_for_any_number_of_threads(solver):
    t, y = series(400)
    model = GaussianProcessRegressor(
        2.0 * Matern(nu=1.5) + WhiteKernel(0.1), optimizer=None, solver=solver, n_neighbors=10, compute_loo=True
    )
    seen = set()
    try:
        for n_threads in (1, 2, 3, 8):
            core.runtime.set_num_threads(n_threads)
            model.fit(t, y)
            value, gradient = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
            mean, deviation = model.predict(t[:50] + 0.01, return_std=True)
            arrays = (gradient, mean, deviation, model.alpha_, model.loo_log_density_)
            seen.add((value, *(a.tobytes() for a in arrays)))
    finally:
        core.runtime.set_num_threads(0)
    assert len(seen) == 1


@pytest.mark.slow
def test_a_fit_of_many_rows():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.0, 40.0, (20_000, 2))
    y = np.sin(X[:, 0]) * np.cos(X[:, 1]) + 0.3 * rng.standard_normal(20_000)
    model = GaussianProcessRegressor(RBF() + WhiteKernel(0.1), solver="vecchia", n_neighbors=15).fit(X, y)
    noise = model.kernel_.k2.noise_level
    assert noise == pytest.approx(0.09, rel=0.05)
