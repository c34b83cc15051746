"""Numbers at the ends of their range, hyperparameters that are out of it, and parameters that change after a fit."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor as Peer
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from mlwright import io
from mlwright.gaussian_process import GaussianProcessRegressor

SOLVERS = pytest.mark.parametrize("solver", ["dense", "state_space", "vecchia"])
NOISY = ConstantKernel(2.0) * Matern(nu=1.5) + WhiteKernel(0.1)


def series(n=40):
    rng = np.random.default_rng(0)
    t = rng.uniform(0.0, 6.0, (n, 1))
    return t, np.sin(t[:, 0]) + 0.1 * rng.normal(size=n)


def still(kernel=NOISY, **options):
    return GaussianProcessRegressor(kernel, optimizer=None, **options)


# ---------------------------------------------------------------- hyperparameters out of range


@SOLVERS
@pytest.mark.parametrize("theta", [[800.0, 0.0, 0.0], [0.0, 800.0, 0.0], [0.0, 0.0, 800.0], [-800.0, 0.0, 0.0]])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scikit-learn's kernels
def test_the_likelihood_of_what_is_no_number(solver, theta):
    model = still(solver=solver).fit(*series())
    value, gradient = model.log_marginal_likelihood(theta, eval_gradient=True)
    assert value == model.log_marginal_likelihood(theta)
    assert value == -np.inf or np.isfinite(value)
    assert gradient.shape == (3,)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("solver", ["state_space", "vecchia"])
def test_a_fitted_model_with_a_kernel_that_its_solver_does_not_take(solver):
    t, y = series()
    model = still(solver=solver).fit(t, y)
    model.kernel_ = DotProduct() + WhiteKernel()
    assert model.log_marginal_likelihood(model.kernel_.theta) == -np.inf
    for ask in (lambda: model.predict(t), model.sample_posterior, lambda: model.partial_fit(t, y)):
        with pytest.raises(ValueError, match=f"solver: got '{solver}'"):
            ask()


def test_a_variance_that_underflows():
    t, y = series()
    kernel = ConstantKernel(1e-200) * ConstantKernel(1e-200) * Matern() + WhiteKernel(0.1)
    fast, dense = (still(kernel, solver=name).fit(t, y) for name in ("state_space", "dense"))
    assert fast.log_marginal_likelihood_value_ == pytest.approx(dense.log_marginal_likelihood_value_)
    np.testing.assert_allclose(fast.predict(t, return_std=True), dense.predict(t, return_std=True), atol=1e-300)


# ---------------------------------------------------------------- scales


@pytest.mark.parametrize("scale", [1e-170, 1e-155, 1e155, 1e160])
@pytest.mark.parametrize("kernel", [RBF, Matern])
def test_rows_whose_distances_have_no_squares(scale, kernel):
    t, y = series()
    near, far = (still(kernel(length), alpha=0.01).fit(length * t, y) for length in (1.0, scale))
    np.testing.assert_allclose(far.predict(scale * t, return_std=True), near.predict(t, return_std=True), rtol=1e-6)
    for solver in ("state_space", "vecchia"):
        with pytest.raises(ValueError, match="between 1e-150 and 1e150"):
            still(Matern(scale), solver=solver).fit(scale * t, y)


@SOLVERS
@pytest.mark.parametrize("scale", [1e-140, 1e-100, 1e100, 1e140])
def test_rows_whose_distances_have_squares(scale, solver):
    t, y = series()
    near, far = (
        still(ConstantKernel(2.0) * Matern(length, nu=2.5), alpha=0.01, solver=solver).fit(length * t, y)
        for length in (1.0, scale)
    )
    np.testing.assert_allclose(far.predict(scale * t, return_std=True), near.predict(t, return_std=True), rtol=1e-6)


@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5])
@pytest.mark.parametrize("scale", [1e4, 1e100, 1e149])
def test_gaps_that_nothing_crosses(nu, scale):
    t, y = series(300)
    model = still(ConstantKernel(2.0) * Matern(nu=nu) + WhiteKernel(0.5)).fit(scale * t, y)
    assert model.solver_ == "state_space"
    value, gradient = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    apart = -0.5 * np.sum(y**2 / 2.5 + np.log(2.0 * np.pi * 2.5))
    if scale > 1e4:
        assert value == pytest.approx(apart)
        assert gradient[1] == pytest.approx(0.0)
    mean, deviation = model.predict(np.array([[-scale], [8.0 * scale]]), return_std=True)
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    np.testing.assert_allclose(deviation, np.sqrt(2.5))


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e160, 1e300])
def test_targets_of_any_size(scale):
    t, y = series()
    one, other = (still(normalize_y=True, compute_loo=True).fit(t, size * y) for size in (1.0, scale))
    for a, b in zip(one.predict(t, return_std=True), other.predict(t, return_std=True), strict=True):
        np.testing.assert_allclose(b / scale, a, rtol=1e-9)
    np.testing.assert_allclose(other.predict_interval(t) / scale, one.predict_interval(t), rtol=1e-9)
    assert np.isfinite(other.score_loo_)


def test_the_largest_targets():
    y = np.finfo(np.float64).max * np.array([1.0, -1.0, 1.0, -1.0])
    model = still(normalize_y=True).fit(np.arange(4.0)[:, None], y)
    np.testing.assert_allclose(model.y_train_, [1.0, -1.0, 1.0, -1.0])
    assert np.isfinite(model.predict([[0.5]], return_std=True)).all()


def test_normalised_targets_are_scikit_learns():
    t, y = series()
    for targets in (y, 1e6 + y, np.full(len(y), 7.0), np.column_stack([y, np.zeros(len(y))])):
        pair = (cls(NOISY, optimizer=None, normalize_y=True) for cls in (GaussianProcessRegressor, Peer))
        ours, peer = (model.fit(t, targets) for model in pair)
        np.testing.assert_allclose(ours.y_train_, peer.y_train_, rtol=1e-12)
        np.testing.assert_allclose(ours.predict(t, return_std=True)[1], peer.predict(t, return_std=True)[1], rtol=1e-7)


# ---------------------------------------------------------------- parameters after a fit


@SOLVERS
def test_what_is_set_after_a_fit_counts_from_the_next_one_on(solver):
    t, y = series()
    model = still(alpha=0.1, solver=solver, n_neighbors=4).fit(t, y)

    def answers():
        return [model.predict(t), model.predict_interval(t), model.sample_predictive(t, 2, random_state=0), model.L_]

    before = answers()
    model.set_params(alpha=3.0, n_neighbors=2, ordering="coordinate", solver="dense", normalize_y=True)
    for a, b in zip(before, answers(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = io.loads(io.dumps(model))
    np.testing.assert_array_equal(again.predict_interval(t), before[1])
    model.partial_fit(t + 7.0, y)
    assert (model.predict_interval(t)[:, 1] - model.predict_interval(t)[:, 0]).min() > 2.0 * np.sqrt(3.0)


def test_an_alpha_of_one_number_in_an_array_is_that_number():
    t, y = series()
    one, other = (still(alpha=alpha).fit(t, y) for alpha in (0.1, np.array([0.1])))
    np.testing.assert_array_equal(one.predict_interval(t), other.predict_interval(t))
    np.testing.assert_array_equal(one.partial_fit(t, y).predict(t), other.partial_fit(t, y).predict(t))


# ---------------------------------------------------------------- model files


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.float32, np.int8])
def test_rows_of_any_numbers_are_saved(dtype):
    t, y = series()
    model = still().fit(t.astype(dtype), y.astype(dtype))
    again = io.loads(io.dumps(model))
    np.testing.assert_array_equal(again.predict(t), model.predict(t))
