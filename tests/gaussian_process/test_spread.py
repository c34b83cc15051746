"""How sure a process is: at the ends of a series, at rows that are equal, and in its draws."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, RationalQuadratic, WhiteKernel

from mlwright.gaussian_process import GaussianProcessRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def still(kernel, solver, X, y, **options):
    return GaussianProcessRegressor(kernel, solver=solver, optimizer=None, **options).fit(X, y)


# ---------------------------------------------------------------- the ends of a series

# What is left of the variance is 1e-3 to 1e-11 of what it was before any row was seen.
SMOOTH = [
    ConstantKernel(1e5) * Matern(100.0, nu=2.5) + WhiteKernel(1e-4),
    ConstantKernel(1e5) * Matern(36.0, nu=1.5) + WhiteKernel(1e-4),
    ConstantKernel(1e4) + ConstantKernel(1e3) * Matern(5.0, nu=2.5) + WhiteKernel(0.1),
    ConstantKernel(50.0) * Matern(3.0, nu=0.5) + WhiteKernel(1e-3),
    ConstantKernel(1e3) * Matern(10.0, nu=2.5) + ConstantKernel(10.0) * Matern(1.0, nu=1.5) + WhiteKernel(1e-2),
]
each_smooth = pytest.mark.parametrize("kernel", SMOOTH, ids=repr)
ASKED = np.array([-3.0, -0.5, -0.1, -0.01, 0.0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0, 1.0, 1.01, 1.1, 4.0])[:, None]


def line(n=300):
    t = np.linspace(0.0, 1.0, n)[:, None]
    return t, 20.0 + 30.0 * t[:, 0] + 0.01 * np.random.default_rng(0).normal(size=n)


@each_smooth
@pytest.mark.parametrize("want", ["return_std", "return_cov"])
def test_a_series_is_the_same_backwards(kernel, want):
    t, y = line()
    mean, spread = still(kernel, "state_space", t, y).predict(ASKED, **{want: True})
    other, other_spread = still(kernel, "state_space", -t, y).predict(-ASKED, **{want: True})
    deviation = spread if want == "return_std" else np.sqrt(np.diag(spread))
    assert np.abs((mean - other) / deviation).max() < 1e-4
    unit = deviation if want == "return_std" else np.multiply.outer(deviation, deviation)
    np.testing.assert_allclose(spread / unit, other_spread / unit, atol=1e-5)


@each_smooth
def test_what_a_series_says_of_rows_left_out_is_the_same_backwards(kernel):
    t, y = line()
    here, back = (still(kernel, "state_space", sign * t, y, compute_loo=True) for sign in (1.0, -1.0))
    np.testing.assert_allclose(here.loo_log_density_, back.loo_log_density_, atol=1e-6)
    np.testing.assert_allclose(here.alpha_, back.alpha_, atol=1e-6 * np.abs(here.alpha_).max())


def long_posterior(kernel, t, y, asked):
    """Mean and covariance of the process, in more digits than doubles have."""
    parts = kernel.k1.k1, kernel.k1.k2, kernel.k2
    variance, length, noise = parts[0].constant_value, parts[1].length_scale, parts[2].noise_level
    polynomial = {0.5: lambda a: 1.0, 1.5: lambda a: 1.0 + a, 2.5: lambda a: 1.0 + a + a * a / 3.0}[parts[1].nu]
    t, asked, y = (np.asarray(v, dtype=np.longdouble).reshape(-1) for v in (t, asked, y))

    def covariance(u, v):
        a = np.sqrt(np.longdouble(2.0 * parts[1].nu)) * np.abs(u[:, None] - v) / np.longdouble(length)
        return np.longdouble(variance) * polynomial(a) * np.exp(-a)

    K, n = covariance(t, t) + np.longdouble(noise) * np.eye(len(t), dtype=np.longdouble), len(t)
    right = np.column_stack([covariance(t, asked), y])
    for j in range(n):  # Gauss and Jordan, symmetric positive definite
        pivot = K[j] / K[j, j]
        right_pivot = right[j] / K[j, j]
        column = K[:, j].copy()
        column[j] = 0.0
        K -= column[:, None] * pivot
        right -= column[:, None] * right_pivot
        K[j], right[j] = pivot, right_pivot
    gain = right[:, :-1].T
    return gain @ y, covariance(asked, asked) - gain @ covariance(t, asked)


@pytest.mark.parametrize("kernel", [kernel for kernel in SMOOTH if isinstance(kernel.k1.k2, Matern)], ids=repr)
def test_what_is_known_at_the_ends_has_its_digits(kernel):
    t, y = line(100)
    mean, want = (np.asarray(a, dtype=np.float64) for a in long_posterior(kernel, t, y, ASKED))
    model = still(kernel, "state_space", t, y)
    noise, deviation = kernel.k2.noise_level, np.sqrt(np.diag(want))
    found, spread = model.predict(ASKED, return_std=True)
    assert (spread >= np.sqrt(noise)).all()
    np.testing.assert_allclose(np.sqrt(spread**2 - noise), deviation, rtol=1e-3)
    assert np.abs(found - mean).max() < 1e-4 * deviation.min()
    covariance = model.predict(ASKED, return_cov=True)[1] - noise * np.eye(len(ASKED))
    scale = np.multiply.outer(deviation, deviation)
    np.testing.assert_allclose(covariance / scale, want / scale, atol=1e-3)


@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5])
def test_the_ends_are_those_of_the_matrix(nu):
    t, y = line(60)
    kernel = ConstantKernel(30.0) * Matern(1.0, nu=nu) + WhiteKernel(0.05)
    models = [still(kernel, name, t, y, compute_loo=True) for name in ("state_space", "dense")]
    for options in ({"return_std": True}, {"return_cov": True}):
        for a, b in zip(*(model.predict(ASKED, **options) for model in models), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(models[0].loo_log_density_, models[1].loo_log_density_, rtol=1e-8)


# ---------------------------------------------------------------- draws

SCALES = [
    RBF(2.0) + WhiteKernel(0.1),
    ConstantKernel(3.0) * Matern(1.0, nu=1.5) + WhiteKernel(1e-3),
    RationalQuadratic() + WhiteKernel(1.0),
    ConstantKernel(1e5) * Matern(36.0, nu=2.5) + WhiteKernel(1e-4),
    (ConstantKernel(2.0) + WhiteKernel(0.2)) * (Matern(nu=2.5) + WhiteKernel(0.3)),
]


def process_of(model, X, white):
    """Covariance of the process at rows, as predict tells it."""
    mean, covariance = model.predict(X, return_cov=True)
    return mean, covariance - white * np.eye(len(X))


SOLVED = [(solver, kernel) for solver in ("dense", "vecchia") for kernel in SCALES]
SOLVED += [("state_space", kernel) for kernel in SCALES if "Matern" in repr(kernel)]


@pytest.mark.parametrize(("solver", "kernel"), SOLVED, ids=repr)
@pytest.mark.parametrize("n_neighbors", [3, 60])
def test_draws_of_the_function_have_the_covariance_that_predict_tells(kernel, solver, n_neighbors):
    t, y = line(40)
    model = still(kernel, solver, t, y, n_neighbors=n_neighbors)
    white = float(kernel.diag(t[:1])[0] - kernel(t[:1], t[:1])[0, 0])
    mean, covariance = process_of(model, t, white)
    draws = model.sample_posterior(4000, random_state=0)["f"]
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0)) + 1e-9
    assert np.abs((draws.mean(axis=0) - mean) / deviation).max() < 0.1
    error = np.cov(draws.T) - covariance
    assert np.abs(error / np.multiply.outer(deviation, deviation)).max() < 0.2


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_draws_by_neighbours_of_a_fit_with_white_noise(noise):
    rng = np.random.default_rng(0)
    X = rng.uniform(0.0, 6.0, (150, 2))
    y = np.sin(X[:, 0]) + noise * rng.normal(size=150)
    for kernel in (RBF([1.0, 1.0]), Matern(nu=1.5), ConstantKernel() * Matern(nu=2.5)):
        model = GaussianProcessRegressor(kernel + WhiteKernel(), solver="vecchia", n_neighbors=10).fit(X, y)
        assert model.sample_posterior(3, random_state=0)["f"].shape == (3, 150)
        assert model.sample_predictive(X[:20], 3, random_state=0).shape == (3, 20)


def test_the_noise_of_draws_is_that_of_a_kernel_of_the_users():
    from sklearn.gaussian_process.kernels import DotProduct

    t, y = line(40)
    model = still(DotProduct() + WhiteKernel(0.25), "dense", t, y)
    own = model.sample_posterior(4000, random_state=0)["f"].var(axis=0)
    seen = model.sample_predictive(t, 4000, random_state=0).var(axis=0)
    np.testing.assert_allclose(seen - own, 0.25, atol=0.05)
    np.testing.assert_allclose(model.predict(t, return_std=True)[1] ** 2 - own, 0.25, atol=0.01)


# ---------------------------------------------------------------- equal rows


@pytest.mark.parametrize("kernel", [RBF(), RBF() + WhiteKernel(0.1), ConstantKernel(4.0) * Matern(nu=2.5)], ids=repr)
def test_neighbours_that_are_close_or_equal(kernel):
    rng = np.random.default_rng(0)
    X = rng.uniform(0.0, 5.0, (60, 2))
    y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=60)
    close = np.linspace(0.0, 5.0, 200)[:, None] * [1.0, 1.0]
    asked = np.concatenate([close, close[:5], X[:5], X[:5]])
    models = [still(kernel, name, X, y, alpha=0.1, n_neighbors=30) for name in ("vecchia", "dense")]
    (mean, fast), (_, exact) = (model.predict(asked, return_cov=True) for model in models)
    deviation = models[0].predict(asked, return_std=True)[1]
    np.testing.assert_allclose(np.sqrt(np.diag(fast)), deviation, rtol=1e-9)
    np.testing.assert_allclose(fast, exact, atol=1e-4 * exact.max())
    assert np.linalg.eigvalsh(fast).min() > -1e-12 * exact.max()
    assert np.isfinite(models[0].sample_y(asked, 2)).all()
    assert models[0].sample_predictive(asked, 2, random_state=0).shape == (2, len(mean))


def test_rows_without_noise_are_certain():
    X = np.linspace(0.0, 5.0, 12)[:, None]
    model = still(Matern(nu=1.5), "vecchia", X, np.sin(X[:, 0]), alpha=0.0)
    mean, covariance = model.predict(np.concatenate([X[:4], X[:2] + 0.2]), return_cov=True)
    np.testing.assert_allclose(mean[:4], np.sin(X[:4, 0]), atol=1e-9)
    np.testing.assert_allclose(covariance[:4], 0.0, atol=1e-7)
    assert covariance[4, 4] > 1e-3


def test_a_process_of_noise_alone():
    X, y = np.arange(10.0)[:, None], np.arange(10.0)
    for name in ("vecchia", "dense"):
        model = still(WhiteKernel(2.0), name, X, y)
        mean, covariance = model.predict(X[:3], return_cov=True)
        np.testing.assert_array_equal(mean, 0.0)
        np.testing.assert_allclose(covariance, 2.0 * np.eye(3))
        np.testing.assert_allclose(model.predict(X[:3], return_std=True)[1], np.sqrt(2.0))
        np.testing.assert_array_equal(model.sample_posterior(2)["f"], 0.0)


@pytest.mark.parametrize("solver", ["dense", "state_space", "vecchia"])
def test_a_singular_fit_is_refused(solver):
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        still(Matern(nu=1.5), solver, [[1.0], [1.0]], [1.0, 2.0], alpha=0.0)
    X = np.repeat(np.random.default_rng(0).uniform(0.0, 5.0, (15, 1)), 2, axis=0)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        still(Matern(nu=1.5), solver, X, X[:, 0], alpha=0.0, n_neighbors=1, compute_loo=True)
