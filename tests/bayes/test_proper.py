"""Improper posteriors of users' densities are refused by name; heavy tails and huge scales are not."""

import math

import numpy as np
import pytest

from mlwright import bayes
from mlwright._kernels.sampler import Target
from mlwright.bayes._proper import refuse_improper
from mlwright.extend import (
    densities,
    interval,
    log_density,
    lower_bounded,
    ordered,
    positive,
    real,
    simplex,
    upper_bounded,
)

SEEN = {"y": np.array([1.0, 0.5, -2.0])}


@log_density(a=real())
def flat(a):
    return 0.0 * a


@log_density(a=real())
def inverse(a):
    return -0.5 * math.log(1.0 + a * a)


@log_density(a=real())
def one_sided(a):
    return min(a, 0.0)


@log_density(a=positive())
def scale_free(a):
    return -math.log(a)


@log_density(a=positive())
def flat_positive(a):
    return 0.0 * a


@log_density(a=positive())
def nearer_to_0(a):
    return -2.0 * math.log(a) - a


@log_density(a=upper_bounded(3.0))
def flat_upper(a):
    return 0.0 * a


@log_density(a=interval(-1.0, 2.0))
def haldane(a):
    return -math.log(a + 1.0) - math.log(2.0 - a)


@log_density(a=lower_bounded(1e6))
def touches_a_far_bound(a):
    return -math.log(a - 1e6) - 1e-3 * (a - 1e6)


@log_density(a=ordered(3))
def no_end(a):
    return -a[0] * a[0]


@log_density(a=simplex(3))
def no_share(a):
    return -math.log(a[0])


@log_density(b=real(2), s=positive())
def unknown_scale(b, s, y):
    total = densities.normal(b[1], 0.0, 1.0) - math.log(s)
    for i in range(len(y)):
        total += densities.normal(y[i], b[0] * s, 1.0)
    return total


@log_density(slope=real())
def separated(slope, y):
    total = 0.0
    for i in range(len(y)):
        total -= densities.log1p_exp(-slope * abs(y[i]))
    return total


@log_density(a=real(), b=real())
def of_a_difference(a, b):
    return densities.normal(a - b, 1.0, 2.0)


@log_density(a=real(), b=real(3))
def of_a_multiple(a, b):
    return (
        densities.normal(2.0 * a + b[1], 0.0, 1.0)
        + densities.normal(b[0], b[2], 1.0)
        + densities.normal(b[2], 0.0, 1.0)
    )


@log_density(a=real(), b=real())
def separated_together(a, b):
    return densities.normal(a - b, 0.0, 1.0) - densities.log1p_exp(-a - b)


@log_density(constant=real(), level=real(3), y=real(2))
def too_many_levels(constant, level, y):
    total = 0.0  # no level is the base
    for j in range(3):
        total += densities.normal(constant + level[j], 1.0 * j, 1.0)
    return total + densities.normal(y[0], y[1], 1.0) + densities.normal(y[1], 0.0, 1.0)


@log_density(ability=real(12), difficulty=real(8))
def items(ability, difficulty):
    total = 0.0  # everyone has solved and failed each
    for i in range(12):
        for j in range(8):
            at = ability[i] - difficulty[j]
            total -= densities.log1p_exp(-at) + densities.log1p_exp(at)
    return total


@log_density(a=positive(), b=positive())
def of_a_ratio(a, b):
    return densities.normal(math.log(a / b), 0.0, 1.0) - math.log(a) - math.log(b)


MIXED = [
    (of_a_difference, ["a and b towards infinity"]),
    (of_a_multiple, ["a towards infinity with b[1] towards -infinity"]),
    (separated_together, ["a and b towards infinity"]),
    (too_many_levels, ["constant towards infinity with level[0] and level[1] and level[2] towards -infinity"]),
    (items, ["ability[0] and ability[1]", "difficulty[7] towards infinity"]),
    (of_a_ratio, ["a and b towards infinity"]),
]

IMPROPER = [
    (flat, None, ["a towards -infinity", "a towards infinity"]),
    (inverse, None, ["a towards -infinity", "a towards infinity"]),
    (one_sided, None, ["a towards infinity"]),
    (scale_free, None, ["a towards 0", "a towards infinity"]),
    (flat_positive, None, ["a towards infinity"]),
    (nearer_to_0, None, ["a towards 0"]),
    (flat_upper, None, ["a towards -infinity"]),
    (haldane, None, ["a towards -1", "a towards 2"]),
    (touches_a_far_bound, None, ["a towards 1e+06"]),
    (no_end, None, ["a[1] towards infinity", "a[2] towards infinity"]),
    (no_share, None, ["a[0] towards 0"]),
    (unknown_scale, SEEN, ["s towards 0"]),
    (separated, SEEN, ["slope towards infinity"]),
]


@log_density(a=real())
def cauchy(a):
    return densities.cauchy(a, 1e6, 1e-3)


@log_density(a=real(), b=real())
def half_a_degree(a, b):
    return densities.student_t(a, 0.5, 0.0, 1.0) + densities.student_t(b, 0.01, 0.0, 1e6)


@log_density(a=positive(), b=positive(), c=positive())
def wide_positive(a, b, c):
    far = densities.lognormal(a, 50.0, 1000.0) + densities.inverse_gamma(b, 0.001, 0.001)
    return far + densities.cauchy(c, 0.0, 1e20) + 0.0


@log_density(a=real(), b=interval(0.0, 1e12), c=lower_bounded(1e6), d=upper_bounded(-1e-3))
def far_from_bounds(a, b, c, d):
    close = densities.normal(b, 5.0, 1.0) + densities.exponential(c - 1e6, 1e-9) + densities.exponential(-d, 1e-3)
    return densities.normal(a, 1e12, 1e12) + close


@log_density(a=interval(1.7e9, 1.7e9 + 10.0), b=lower_bounded(1.7e9), c=lower_bounded(1e3), d=upper_bounded(-1e6))
def narrow_beside_large_bounds(a, b, c, d):
    return densities.exponential(b - 1.7e9, 1.0) + densities.exponential(c - 1e3, 1e4) - 1e3 * (-1e6 - d)


@log_density(a=interval(1e15, 1e15 + 8.0))
def of_sixty_four_numbers(a):
    return 0.0 * a


@log_density(a=interval(0.0, 1.0), b=simplex(3), c=ordered(3))
def near_to_bounds(a, b, c):
    corners = densities.beta(a, 0.01, 0.01) - 0.99 * (math.log(b[0]) + math.log(b[1]) + math.log(b[2]))
    return corners - abs(c[0]) - abs(c[1]) - abs(c[2])


@log_density(v=real(), x=real(9))
def funnel(v, x):
    total = densities.normal(v, 0.0, 3.0)
    for i in range(9):
        total += densities.normal(x[i], 0.0, math.exp(0.5 * v))
    return total


@log_density(b=real(4), local=positive(4), shared=positive())
def horseshoe(b, local, shared):
    total = densities.cauchy(shared, 0.0, 1.0)
    for i in range(4):
        total += densities.cauchy(local[i], 0.0, 1.0) + densities.normal(b[i], 0.0, local[i] * shared)
    return total


@log_density(theta=real("y"), mean=real(), tau=positive())
def schools(theta, mean, tau, y):
    total = 0.0  # flat priors of mean and tau, as in the textbook
    for i in range(len(y)):
        total += densities.normal(y[i], theta[i], 1.0) + densities.normal(theta[i], mean, tau)
    return total


@log_density(a=real())
def refuses_far_points(a):
    if abs(a) > 1e9:
        raise ValueError("too far")
    return -0.5 * a * a


@log_density(a=real(), b=real())
def held_by_a_heavy_tail(a, b):
    return densities.normal(a - b, 0.0, 1.0) + densities.student_t(a, 0.01, 0.0, 1e6)


@log_density(a=real(), b=real(), c=real())
def held_by_wide_priors(a, b, c):
    told = densities.normal(a + b + c, 0.0, 1e-3)
    return told + densities.normal(a, 0.0, 1e20) + densities.cauchy(b - c, 0.0, 1e20) + densities.normal(b, 1e9, 1e30)


@log_density(constant=real(), level=real(3))
def levels_with_a_weak_sum(constant, level):
    total = densities.student_t(level[0] + level[1] + level[2], 1.0, 0.0, 1e9)
    for j in range(3):
        total += densities.normal(constant + level[j], 1.0 * j, 1.0)
    return total


@log_density(a=positive(), b=positive())
def ratio_and_a_hair(a, b):
    hair = densities.gamma(a, 0.001, 1e-12)
    return densities.normal(math.log(a / b), 0.0, 1.0) - math.log(b) + hair


@log_density(a=real(), b=real())
def corner(a, b):
    return -abs(a + b) - abs(a - b) - max(a, 0.0)


PROPER = [
    (held_by_a_heavy_tail, None),
    (held_by_wide_priors, None),
    (levels_with_a_weak_sum, None),
    (ratio_and_a_hair, None),
    (corner, None),
    (cauchy, None),
    (half_a_degree, None),
    (wide_positive, None),
    (far_from_bounds, None),
    (narrow_beside_large_bounds, None),
    (of_sixty_four_numbers, None),
    (near_to_bounds, None),
    (funnel, None),
    (horseshoe, None),
    (schools, SEEN),
    (refuses_far_points, None),
]


@pytest.mark.parametrize(("density", "data", "places"), IMPROPER, ids=[case[0].__name__ for case in IMPROPER])
def test_improper_posteriors_are_refused_by_name(density, data, places):
    for call in (bayes.sample, bayes.laplace):
        with pytest.raises(ValueError, match="posterior is improper") as refused:
            call(density, data, random_state=0)
        told = str(refused.value)
        assert all(place in told for place in places)
        assert told.count("towards") == len(places)


@pytest.mark.parametrize(("density", "places"), MIXED, ids=[case[0].__name__ for case in MIXED])
@pytest.mark.parametrize("seed", range(3))
def test_improper_posteriors_are_refused_along_sums_and_differences(density, places, seed):
    for call in (bayes.sample, bayes.laplace):
        with pytest.raises(ValueError, match="posterior is improper") as refused:
            call(density, random_state=seed)
        assert all(place in str(refused.value) for place in places)


@pytest.mark.parametrize(("density", "data"), PROPER, ids=[case[0].__name__ for case in PROPER])
@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_and_huge_scales_are_not(density, data, seed):
    refuse_improper(Target(density.compile(data)), seed)
