"""Laws of every loss of the list: derivatives, convexity, links, best constants, scaling; each has a twin."""

import mpmath
import numpy as np
import pytest

from mlwright._kernels import loss as kernels
from mlwright.ensemble._boosting.losses import LOSSES as ROWS
from mlwright.reference.loss import LOSSES
from mlwright.testing.loss import PARAMETERS, targets

CASES = [(name, parameter) for name in LOSSES for parameter in PARAMETERS.get(name, (0.0,))]
FLAGS = {row["name"]: row for row in kernels.TABLE}
cases = pytest.mark.parametrize(("name", "parameter"), CASES)


def drawn(name, n=40, seed=0):
    rng = np.random.default_rng(seed)
    return targets(rng, name, n), rng.normal(size=n)


def test_every_loss_has_a_twin_and_says_the_same_of_itself():
    assert list(FLAGS) != []
    assert set(FLAGS) == set(LOSSES)
    for name, flags in FLAGS.items():
        assert flags["renews_leaves"] == LOSSES[name].renews_leaves
        assert flags["has_parameter"] == (name in PARAMETERS)
        assert flags["convex"]
    assert {row.native for row in ROWS.values()} <= set(FLAGS)


@cases
def test_derivatives_are_those_of_the_value(name, parameter):
    """By 30 digits of central differences of the twin, whose value the kernel has."""
    y, raw = drawn(name)
    g, h = kernels.grad_hess(name, y, raw, parameter)
    exact = {"exp": mpmath.exp, "logaddexp": lambda a, b: mpmath.log(1 + mpmath.exp(b))}
    with mpmath.workdps(40):
        formula = {
            "squared_error": lambda t, e: (t - e) ** 2 / 2,
            "absolute_error": lambda t, e: abs(t - e),
            "huber": lambda t, e: (t - e) ** 2 / 2 if abs(t - e) <= p else p * (abs(t - e) - p / 2),
            "quantile": lambda t, e: (p if t > e else 1 - p) * abs(t - e),
            "expectile": lambda t, e: (p if t > e else 1 - p) * (t - e) ** 2,
            "poisson": lambda t, e: exact["exp"](e) - t * e,
            "gamma": lambda t, e: e + t * exact["exp"](-e),
            "tweedie": lambda t, e: exact["exp"]((2 - p) * e) / (2 - p) - t * exact["exp"]((1 - p) * e) / (1 - p),
            "binary_log_loss": lambda t, e: exact["logaddexp"](0, e) - t * e,
        }[name]
        p = mpmath.mpf(parameter)
        for i in range(len(y)):
            t, e = mpmath.mpf(y[i]), mpmath.mpf(raw[i])
            slope = mpmath.diff(lambda c, t=t: formula(t, c), e, h=mpmath.mpf(10) ** -15)
            assert abs(g[i] - slope) <= 1e-12 * (1 + abs(slope))
            curvature = mpmath.diff(lambda c, t=t: formula(t, c), e, n=2, h=mpmath.mpf(10) ** -12)
            bound = FLAGS[name]["renews_leaves"]
            assert h[i] >= curvature - 1e-9 if bound else abs(h[i] - curvature) <= 1e-9 * (1 + abs(curvature))


@cases
def test_convex_along_any_chord(name, parameter):
    y, a = drawn(name)
    b = np.random.default_rng(1).normal(size=len(y)) * 3
    between = kernels.value(name, y, (a + b) / 2, parameter)
    chord = (kernels.value(name, y, a, parameter) + kernels.value(name, y, b, parameter)) / 2
    assert (between <= chord + 1e-12 * (1 + abs(chord))).all()


@cases
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better_than_the_best(name, parameter, weighted):
    y, _ = drawn(name, 101)
    if name == "tweedie":
        y[0] = 1.0
    w = np.random.default_rng(2).integers(1, 4, len(y)).astype(float) if weighted else None
    best = kernels.best_constant(name, y, w, parameter)

    def total(c):
        return np.average(kernels.value(name, y, np.full(len(y), c), parameter), weights=w)

    nearby = best + np.concatenate([-np.geomspace(1e-6, 2, 30), np.geomspace(1e-6, 2, 30)])
    assert all(total(best) <= total(c) * (1 + 1e-13) + 1e-14 for c in nearby)


@cases
def test_a_weight_is_a_repetition(name, parameter):
    y, _ = drawn(name, 57)
    y[:2] = 1.0
    w = np.random.default_rng(3).integers(1, 5, len(y)).astype(float)
    repeated = kernels.best_constant(name, np.repeat(y, w.astype(int)), None, parameter)
    np.testing.assert_allclose(kernels.best_constant(name, y, w, parameter), repeated, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "quantile", "expectile"])
def test_best_constants_shift_and_scale_with_the_targets(name):
    y, _ = drawn(name, 60, seed=4)
    best = kernels.best_constant(name, y, None, 0.3)
    np.testing.assert_allclose(kernels.best_constant(name, 8 * y + 3, None, 0.3), 8 * best + 3, rtol=1e-12)


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie"])
def test_a_factor_of_the_targets_is_a_shift_of_log_scores(name):
    y, raw = drawn(name, 60, seed=5)
    y[0] = 1.0
    shift = kernels.best_constant(name, 4 * y, None, 1.5) - kernels.best_constant(name, y, None, 1.5)
    np.testing.assert_allclose(shift, np.log(4), rtol=1e-12)
    g, h = kernels.grad_hess(name, y, raw, 1.5)
    g4, h4 = kernels.grad_hess(name, 4 * y, raw + np.log(4), 1.5)
    factor = {"poisson": 4, "gamma": 1, "tweedie": 4**0.5}[name]
    np.testing.assert_allclose(g4, factor * g, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(h4, factor * h, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000])
def test_quantiles_of_hostile_orders(n):
    organ_pipe = np.concatenate([np.arange(n), np.arange(n)[::-1]]).astype(float)
    for y in (np.arange(n, dtype=float), np.arange(n, dtype=float)[::-1], np.ones(n), organ_pipe):
        w = np.ones(len(y))
        for level in (0.0, 0.5, 1.0):
            expected = np.quantile(y, level, method="averaged_inverted_cdf")
            assert kernels.weighted_quantile(y, w, level) == expected
            assert kernels.weighted_quantile(y, None, level) == expected


def test_unknown_names_and_lengths_are_refused():
    with pytest.raises(ValueError, match="got 'cauchy'"):
        kernels.value("cauchy", np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="differ in length"):
        kernels.value("huber", np.ones(2), np.ones(3), 1.0)
    with pytest.raises(ValueError, match="expected targets"):
        kernels.best_constant("huber", np.ones(0), None, 1.0)
