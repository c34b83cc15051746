"""GaussianProcessRegressor against scikit-learn's, against finite differences, and against itself by other routes."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor as Peer
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)

from mlwright._native import core
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.gaussian_process._program import program_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(n=70, d=3, seed=0, noise=0.2):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (n, d))
    return X, np.sin(2.0 * X[:, 0]) + 0.3 * X[:, -1] ** 2 + noise * rng.standard_normal(n)


NATIVE = [
    RBF(),
    RBF([1.0, 2.0, 0.5]) + WhiteKernel(0.1),
    ConstantKernel(2.0) * RBF(0.7) + WhiteKernel(0.1),
    ConstantKernel(2.0) * Matern([1.0, 2.0, 3.0], nu=0.5) + WhiteKernel(0.1),
    Matern(1.3, nu=1.5) + WhiteKernel(0.2),
    Matern([1.0, 2.0, 3.0], nu=2.5) * ConstantKernel(0.5, "fixed") + WhiteKernel(0.1),
    Matern(nu=np.inf) + WhiteKernel(),
    RationalQuadratic(1.2, 0.8) + WhiteKernel(0.1, (1e-6, 10.0)),
    (RBF(0.5) + ConstantKernel(0.3)) * (Matern(2.0, nu=1.5) + WhiteKernel(0.2)) + WhiteKernel(0.3),
]
FOREIGN = [DotProduct() + WhiteKernel(0.1), RBF() ** 2 + WhiteKernel(0.1), DotProduct() * RBF() + WhiteKernel(0.2)]
each_kernel = pytest.mark.parametrize("kernel", NATIVE + FOREIGN, ids=repr)


@each_kernel
def test_which_kernels_are_native(kernel):
    assert (program_of(kernel, 3) is not None) == any(kernel is known for known in NATIVE)


@each_kernel
@pytest.mark.parametrize("targets", [1, 2])
def test_likelihood_and_gradient_are_those_of_scikit_learn(kernel, targets):
    X, y = data(50)
    Y = y if targets == 1 else np.column_stack([y, np.cos(y)])
    ours, peer = (cls(kernel, optimizer=None, alpha=1e-4).fit(X, Y) for cls in (GaussianProcessRegressor, Peer))
    for theta in (kernel.theta, kernel.theta + 0.3 * np.random.default_rng(1).standard_normal(len(kernel.theta))):
        value, gradient = ours.log_marginal_likelihood(theta, eval_gradient=True)
        want, slope = peer.log_marginal_likelihood(theta, eval_gradient=True)
        assert value == pytest.approx(want, rel=1e-9)
        np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-7 * np.abs(slope).max())
        assert ours.log_marginal_likelihood(theta) == pytest.approx(want, rel=1e-9)
    assert ours.log_marginal_likelihood() == pytest.approx(peer.log_marginal_likelihood_value_, rel=1e-9)


@pytest.mark.parametrize("kernel", NATIVE, ids=repr)
def test_the_gradient_is_that_of_the_likelihood(kernel):
    X, y = data(40)
    model = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.05).fit(X, y)
    gradient, step = model.log_marginal_likelihood(kernel.theta, eval_gradient=True)[1], 1e-4
    for k, unit in enumerate(np.eye(len(kernel.theta))):
        far = [model.log_marginal_likelihood(kernel.theta + h * step * unit) for h in (-2, -1, 1, 2)]
        slope = (far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * step)
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)


@each_kernel
@pytest.mark.parametrize("normalize_y", [False, True])
def test_a_fit_is_that_of_scikit_learn(kernel, normalize_y):
    X, y = data(60)
    new = data(9, seed=1)[0]
    options = {"alpha": 1e-3, "normalize_y": normalize_y}
    ours, peer = (cls(kernel, **options).fit(X, y) for cls in (GaussianProcessRegressor, Peer))
    assert ours.log_marginal_likelihood_value_ == pytest.approx(peer.log_marginal_likelihood_value_, abs=1e-5)
    # The optimum is flat: what is compared to the last digits is what follows from equal hyperparameters.
    ours.optimizer = None
    ours.kernel = peer.kernel_
    ours.fit(X, y)
    for name in ("L_", "alpha_", "X_train_", "y_train_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(peer, name), rtol=1e-7, atol=1e-8, err_msg=name)
    for options in ({"return_std": True}, {"return_cov": True}):
        for a, b in zip(ours.predict(new, **options), peer.predict(new, **options), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)


def test_several_targets_have_scikit_learns_shapes_and_values():
    X, y = data(40)
    Y = np.column_stack([y, 5.0 + 3.0 * np.cos(y)])
    kernel = RBF() + WhiteKernel(0.1)
    ours, peer = (cls(kernel, optimizer=None, normalize_y=True).fit(X, Y) for cls in (GaussianProcessRegressor, Peer))
    for options in ({"return_std": True}, {"return_cov": True}):
        for a, b in zip(ours.predict(X[:7], **options), peer.predict(X[:7], **options), strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ours.sample_y(X[:3], 4, random_state=0).shape, (3, 2, 4))
    np.testing.assert_allclose(ours.alpha_, peer.alpha_, rtol=1e-7)
    assert ours.predict_interval(X[:7]).shape == (7, 2, 2)
    assert ours.predict_quantiles(X[:7], 0.5).shape == (7, 2)
    assert ours.sample_predictive(X[:7], 3).shape == (3, 7, 2)
    assert ours.sample_posterior(3)["f"].shape == (3, 40, 2)


def test_an_unfitted_model_is_the_prior():
    X = data(6)[0]
    for kernel, n_targets in [(None, None), (2.0 * RBF(0.5), None), (RBF(), 3)]:
        ours, peer = (cls(kernel, n_targets=n_targets) for cls in (GaussianProcessRegressor, Peer))
        for options in ({"return_std": True}, {"return_cov": True}):
            for a, b in zip(ours.predict(X, **options), peer.predict(X, **options), strict=True):
                np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(ours.sample_y(X, 2), peer.sample_y(X, 2))


def test_restarts_are_drawn_as_scikit_learn_draws_them():
    X, y = data(40)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(1.0, (1e-2, 10.0)) + WhiteKernel(0.1, (1e-3, 1.0))
    ours, peer = (
        cls(kernel, n_restarts_optimizer=2, random_state=3).fit(X, y) for cls in (GaussianProcessRegressor, Peer)
    )
    np.testing.assert_allclose(ours.kernel_.theta, peer.kernel_.theta, atol=1e-3)
    assert ours.log_marginal_likelihood_value_ == pytest.approx(peer.log_marginal_likelihood_value_, abs=1e-6)


def test_an_optimizer_of_the_users():
    X, y = data(30)
    kernel = RBF() + WhiteKernel(0.1)

    def corner(objective, theta, bounds):
        value, gradient = objective(theta)
        assert gradient.shape == theta.shape
        assert objective(theta, eval_gradient=False) == pytest.approx(value)
        return theta + 0.1, value

    model = GaussianProcessRegressor(kernel, optimizer=corner).fit(X, y)
    np.testing.assert_allclose(model.kernel_.theta, kernel.theta + 0.1)


def test_noise_of_each_row():
    X, y = data(30)
    alpha = np.random.default_rng(0).uniform(0.1, 1.0, 30)
    ours, peer = (cls(RBF(), alpha=alpha, optimizer=None).fit(X, y) for cls in (GaussianProcessRegressor, Peer))
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-9)
    with pytest.raises(ValueError, match="same number of entries as y"):
        GaussianProcessRegressor(RBF(), alpha=alpha[:7]).fit(X, y)
    with pytest.raises(ValueError, match="alpha: got numbers"):
        GaussianProcessRegressor(RBF(), alpha=-alpha).fit(X, y)
    with pytest.raises(ValueError, match="partial_fit: got alpha as an array"):
        ours.partial_fit(X, y)


@pytest.mark.parametrize("solver", ["dense", "state_space", "vecchia"])
@pytest.mark.parametrize("normalize_y", [False, True])
def test_rows_left_out_are_as_refits_without_them(solver, normalize_y):
    X, y = data(25, d=1)
    kernel = 2.0 * Matern(nu=1.5) + WhiteKernel(0.1)
    options = {"optimizer": None, "alpha": 0.05, "solver": solver, "n_neighbors": 24}
    model = GaussianProcessRegressor(kernel, normalize_y=normalize_y, compute_loo=True, **options).fit(X, y)
    centre, scale = (y.mean(), y.std()) if normalize_y else (0.0, 1.0)
    z, score = (y - centre) / scale, []
    for i in range(25):
        rest = np.arange(25) != i
        other = GaussianProcessRegressor(kernel, **options).fit(X[rest], z[rest])
        assert model.loo_predictions_[i] == pytest.approx(centre + scale * other.predict(X[[i]])[0], rel=1e-8)
        law = other._predictive_law(X[[i]])
        score.append(law.log_density(z[[i]])[0] - np.log(scale))
    np.testing.assert_allclose(model.loo_log_density_, score, rtol=1e-7)
    assert model.score_loo_ == pytest.approx(np.sum(score), rel=1e-8)


@pytest.mark.parametrize("solver", ["dense", "state_space", "vecchia"])
def test_partial_fit_is_a_fit_at_the_same_hyperparameters(solver):
    X, y = data(60, d=1)
    new = data(8, d=1, seed=2)[0]
    model = GaussianProcessRegressor(2.0 * Matern(nu=2.5) + WhiteKernel(0.1), solver=solver).fit(X[:40], y[:40])
    known = model.kernel_
    model.partial_fit(X[40:41], y[40:41]).partial_fit(X[41:], y[41:])
    whole = GaussianProcessRegressor(known, optimizer=None, solver=solver).fit(X, y)
    for a, b in zip(model.predict(new, return_std=True), whole.predict(new, return_std=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.L_, whole.L_, rtol=1e-9, atol=1e-11)
    assert model.log_evidence_ == pytest.approx(whole.log_evidence_, rel=1e-11)
    assert model.kernel_ == known


def test_partial_fit_starts_with_a_fit_and_refuses_other_targets():
    X, y = data(30)
    model = GaussianProcessRegressor(RBF() + WhiteKernel()).partial_fit(X, y)
    once = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), once.predict(X))
    before = model.predict(X)
    with pytest.raises(ValueError, match="expected the targets of the fit"):
        model.partial_fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(X * np.nan, y)
    np.testing.assert_array_equal(model.predict(X), before)
    exact = GaussianProcessRegressor(RBF(), optimizer=None, alpha=0.0).fit(X, y)
    with pytest.raises(np.linalg.LinAlgError, match="repeat rows that were seen"):
        exact.partial_fit(X[:2], y[:2])
    assert len(exact.X_train_) == 30


def test_the_evidence_is_of_y_in_its_own_units():
    X, y = data(30)
    kernel = RBF() + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(X, y)
    by_hand = y.std() ** 2 * kernel
    same = GaussianProcessRegressor(by_hand, optimizer=None, alpha=1e-10 * y.var()).fit(X, y - y.mean())
    assert model.log_evidence_ == pytest.approx(same.log_marginal_likelihood_value_, rel=1e-9)


def test_the_same_bits_for_any_number_of_threads():
    X, y = data(200)
    kernel = 2.0 * Matern([1.0, 2.0, 3.0], nu=2.5) + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    seen = set()
    try:
        for n_threads in (1, 2, 3, 8):
            core.runtime.set_num_threads(n_threads)
            value, gradient = model.log_marginal_likelihood(kernel.theta, eval_gradient=True)
            mean, deviation = model.predict(X[:50], return_std=True)
            seen.add((value, gradient.tobytes(), mean.tobytes(), deviation.tobytes()))
    finally:
        core.runtime.set_num_threads(0)
    assert len(seen) == 1


# ---------------------------------------------------------------- bad and odd input


def test_one_row_constant_targets_and_equal_rows():
    one = GaussianProcessRegressor(RBF() + WhiteKernel(0.1), normalize_y=True, compute_loo=True).fit([[1.0]], [3.0])
    assert one.predict([[1.0]]) == pytest.approx(3.0)
    assert np.isfinite(one.score_loo_)
    X, _ = data(20)
    flat = GaussianProcessRegressor(RBF(), optimizer=None, normalize_y=True, alpha=1e-6).fit(X, np.full(20, 7.0))
    np.testing.assert_allclose(flat.predict(X), 7.0)
    twice = np.concatenate([X, X])
    for solver in ("dense", "vecchia"):
        equal = GaussianProcessRegressor(RBF() + WhiteKernel(0.1), solver=solver).fit(twice, np.ones(40))
        assert np.isfinite(equal.predict(X)).all()


@pytest.mark.parametrize("solver", ["dense", "state_space", "vecchia"])
def test_a_matrix_that_is_not_positive_definite_is_told_and_changes_nothing(solver):
    X = np.repeat(np.linspace(0.0, 3.0, 6), 3)[:, None]
    y = np.arange(18.0)
    model = GaussianProcessRegressor(Matern(nu=1.5), optimizer=None, alpha=0.1, solver=solver).fit(X, y)
    before = model.predict(X)
    model.alpha = 0.0
    with pytest.raises(np.linalg.LinAlgError, match="not returning a positive definite matrix"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.log_marginal_likelihood(np.array([0.0])) == model.log_marginal_likelihood_value_


def test_an_indefinite_kernel_of_the_users():
    class Indefinite(RBF):
        def __call__(self, X, Y=None, eval_gradient=False):
            return -super().__call__(X, Y)

    X, y = data(10)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        GaussianProcessRegressor(Indefinite(), optimizer=None).fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "state_space"}, "solver: got 'state_space'"),
        ({"kernel": DotProduct(), "solver": "vecchia"}, "solver: got 'vecchia'"),
        ({"kernel": RBF([1.0, 2.0])}, "Anisotropic kernel must have the same number of dimensions"),
        ({"n_targets": 2}, "number of targets seen in `y`"),
        ({"kernel": RBF(1.0, (1e-3, np.inf)), "n_restarts_optimizer": 1}, "requires that all bounds are finite"),
        ({"solver": "sparse"}, "solver"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"kernel": "rbf"}, "kernel"),
    ],
)
def test_bad_parameters_are_named(options, message):
    X, y = data(20)
    with pytest.raises(ValueError, match=message):
        GaussianProcessRegressor(**options).fit(X, y)


def test_both_spreads_at_once_are_refused_and_a_bound_that_is_met_is_told():
    X, _ = make_regression(30, 3, random_state=0)
    with pytest.raises(RuntimeError, match="At most one"):
        GaussianProcessRegressor().predict(X, return_std=True, return_cov=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning, match="close to the specified upper bound"):
            GaussianProcessRegressor(RBF(1.0, (1e-2, 2.0)) + WhiteKernel(0.1, (1e-3, 10.0)), alpha=0.1).fit(X, X[:, 0])


def test_kernels_of_things_that_are_no_vectors():
    from sklearn.gaussian_process.kernels import GenericKernelMixin, Kernel, StationaryKernelMixin

    class SameLetters(GenericKernelMixin, StationaryKernelMixin, Kernel):
        def __init__(self):
            pass

        def __call__(self, X, Y=None, eval_gradient=False):
            return np.array([[len(set(a) & set(b)) for b in (X if Y is None else Y)] for a in X], dtype=float)

        def diag(self, X):
            return np.array([len(set(a)) for a in X], dtype=float)

    words, y = ["abc", "bcd", "xyz", "x"], [1.0, 1.0, 2.0, 2.0]
    ours, peer = (cls(SameLetters(), alpha=0.1).fit(words, y) for cls in (GaussianProcessRegressor, Peer))
    np.testing.assert_allclose(ours.predict(["ab", "yz"]), peer.predict(["ab", "yz"]))


def test_a_kernel_of_a_newer_class_is_not_taken_for_one_that_is_known():
    class Half(RBF):
        def __call__(self, X, Y=None, eval_gradient=False):
            if eval_gradient:
                K, slopes = super().__call__(X, Y, True)
                return 0.5 * K, 0.5 * slopes
            return 0.5 * super().__call__(X, Y)

        def diag(self, X):
            return 0.5 * super().diag(X)

    X, y = data(20)
    ours, peer = (cls(Half(), alpha=0.1).fit(X, y) for cls in (GaussianProcessRegressor, Peer))
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-6)
