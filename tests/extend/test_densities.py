"""The vocabulary of log densities is that of SciPy, as plain Python and compiled with its slopes; and at the ends."""

import math
from functools import partial
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from mlwright._kernels.sampler import Target
from mlwright.extend import densities, log_density, real


@log_density(u=real(3))
def any_of_them(u, which, y):
    """One density after another of three free numbers, scales and shapes being exponentials."""
    a, b, c = u[0], math.exp(u[1]), math.exp(u[2])
    if which == 0:
        return densities.normal(a, u[1], c)
    if which == 1:
        return densities.lognormal(b, a, c)
    if which == 2:
        return densities.cauchy(a, u[1], c)
    if which == 3:
        return densities.student_t(a, b, u[1], c)
    if which == 4:
        return densities.laplace(a, u[1], c)
    if which == 5:
        return densities.logistic(a, u[1], c)
    if which == 6:
        return densities.exponential(b, c)
    if which == 7:
        return densities.gamma(math.exp(a), b, c)
    if which == 8:
        return densities.inverse_gamma(math.exp(a), b, c)
    if which == 9:
        return densities.beta(densities.inverse_logit(a), b, c)
    if which == 10:
        return densities.uniform(a, u[1] - 50.0, c + 50.0)
    if which == 11:
        return densities.bernoulli_logit(y % 2, a)
    if which == 12:
        return densities.binomial_logit(y, 7, a)
    if which == 13:
        return densities.poisson(y, b)
    if which == 14:
        return densities.poisson_log(y, a)
    if which == 15:
        return densities.negative_binomial_log(y, a, c)
    if which == 16:
        return densities.log_sum_exp(a, u[1])
    return densities.log1p_exp(a)


def of_scipy(which, u, y):
    a, (b, c) = u[0], np.exp(u[1:])
    return [
        lambda: stats.norm.logpdf(a, u[1], c),
        lambda: stats.lognorm.logpdf(b, c, scale=math.exp(a)),
        lambda: stats.cauchy.logpdf(a, u[1], c),
        lambda: stats.t.logpdf(a, b, u[1], c),
        lambda: stats.laplace.logpdf(a, u[1], c),
        lambda: stats.logistic.logpdf(a, u[1], c),
        lambda: stats.expon.logpdf(b, scale=1.0 / c),
        lambda: stats.gamma.logpdf(math.exp(a), b, scale=1.0 / c),
        lambda: stats.invgamma.logpdf(math.exp(a), b, scale=c),
        lambda: stats.beta.logpdf(special.expit(a), b, c),
        lambda: stats.uniform.logpdf(a, u[1] - 50.0, c + 100.0 - u[1]),
        lambda: stats.bernoulli.logpmf(y % 2, special.expit(a)),
        lambda: stats.binom.logpmf(y, 7, special.expit(a)),
        lambda: stats.poisson.logpmf(y, b),
        lambda: stats.poisson.logpmf(y, math.exp(a)),
        lambda: stats.nbinom.logpmf(y, c, c / (c + math.exp(a))),
        lambda: np.logaddexp(a, u[1]),
        lambda: np.logaddexp(0.0, a),
    ][which]()


def slopes(f, u, step=2e-3):
    """By differences of four points, whose error is of the order of the fourth power of the step."""
    out = []
    for unit in step * np.eye(len(u)):
        near, far = f(u + unit) - f(u - unit), f(u + 2.0 * unit) - f(u - 2.0 * unit)
        out.append((8.0 * near - far) / (12.0 * step))
    return np.array(out)


@pytest.mark.parametrize("which", range(18))
def test_values_are_those_of_scipy(which):
    u = np.random.default_rng(which).normal(size=3)
    for y in (0, 1, 5):
        assert any_of_them(u, which, y) == pytest.approx(of_scipy(which, u, y), rel=1e-11, abs=1e-12)


@pytest.mark.slow
def test_compiled_values_and_slopes_are_those_of_scipy():
    """In one test: all of them take long to compile, once."""
    rng = np.random.default_rng(0)
    for which, y in product(range(18), (0, 1, 5)):
        f = partial(of_scipy, which, y=y)
        for u in rng.normal(size=(3, 3)):
            value, gradient, _ = Target(any_of_them.compile({"which": which, "y": y})).evaluate(u)
            assert value == pytest.approx(f(u), rel=1e-11, abs=1e-12)
            np.testing.assert_allclose(gradient, slopes(f, u), rtol=1e-7, atol=1e-8, err_msg=str(which))


OUTSIDE = [
    lambda: densities.lognormal(0.0, 0.0, 1.0),
    lambda: densities.exponential(-1e-9, 1.0),
    lambda: densities.gamma(0.0, 2.0, 1.0),
    lambda: densities.inverse_gamma(-1.0, 2.0, 1.0),
    lambda: densities.beta(1.0, 2.0, 2.0),
    lambda: densities.uniform(2.1, 0.0, 2.0),
    lambda: densities.binomial_logit(8, 7, 0.3),
    lambda: densities.binomial_logit(-1, 7, 0.3),
    lambda: densities.poisson(-1, 2.0),
    lambda: densities.poisson(-1.5, 2.0),
    lambda: densities.poisson_log(-2, 0.3),
    lambda: densities.negative_binomial_log(-2, 0.3, 2.0),
    lambda: densities.log_sum_exp(-math.inf, -math.inf),
]


@pytest.mark.parametrize("which", range(len(OUTSIDE)))
def test_there_is_nothing_outside_of_a_support(which):
    assert OUTSIDE[which]() == -math.inf


def test_ends_of_the_range_of_doubles():
    assert densities.log_sum_exp(-math.inf, 1.5) == densities.log_sum_exp(1.5, -math.inf) == 1.5
    assert densities.log_sum_exp(1000.0, 1000.0) == pytest.approx(1000.0 + math.log(2.0))
    assert densities.log1p_exp(-800.0) == 0.0
    assert densities.log1p_exp(800.0) == 800.0
    assert densities.bernoulli_logit(1, 800.0) == 0.0
    assert densities.bernoulli_logit(1, -800.0) == -800.0
    assert densities.inverse_logit(-800.0) == 0.0
    assert densities.poisson(0, 0.0) == 0.0
    assert densities.poisson(1, 0.0) == -math.inf


@log_density(x=real())
def two_gaps(x):
    """A mixture of three parts, of which the first two leave most places to the third."""
    apart = densities.log_sum_exp(densities.uniform(x, 5.0, 6.0), densities.uniform(x, 7.0, 8.0))
    return densities.log_sum_exp(apart, densities.normal(x, 0.0, 1.0))


def test_parts_of_a_mixture_that_are_nowhere_leave_the_others():
    target = Target(two_gaps.compile())
    for x in (0.3, -2.0):
        value, gradient, _ = target.evaluate(np.array([x]))
        assert value == pytest.approx(stats.norm.logpdf(x))
        assert gradient[0] == pytest.approx(-x)
