"""The stated error bounds of the elementary functions, against 50 digits and against extended precision."""

import mpmath
import numpy as np
import pytest

from mlwright._kernels import simd as kernels
from mlwright._runtime import simd

# In units in the last place of the exact value; what cpp/src/base/elementary_body.hpp and the docstrings promise.
BOUNDS = {"exp": 0.8, "log": 0.9, "log1p": 0.9, "expit": 2.5, "softplus": 2.0}

EDGES = {
    "exp": [
        0.0,
        -0.0,
        5e-324,
        1.0,
        -1.0,
        709.78,
        709.782712893384,
        -708.4,
        -745.13,
        -745.1332191019411,
        0.34657,
        -0.34658,
    ],
    "log": [1.0, 5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 0.7071067811865475],
    "log1p": [
        0.0,
        5e-324,
        -5e-324,
        1e-17,
        -1e-17,
        -0.9999999999999999,
        1.7976931348623157e308,
        2.0**53,
        2.0**60,
        -0.2929,
    ],
    "expit": [0.0, -0.0, 36.7, -36.7, -708.5, -745.13, 745.0, 1e-300],
    "softplus": [0.0, -0.0, 36.7, -36.7, -708.5, -745.13, 745.0, 1e300, -1e-300],
}
SPECIAL = {
    "exp": [
        (np.inf, np.inf),
        (-np.inf, 0.0),
        (710.0, np.inf),
        (-746.0, 0.0),
        (1e308, np.inf),
        (-1e308, 0.0),
        (0.0, 1.0),
    ],
    "log": [
        (np.inf, np.inf),
        (0.0, -np.inf),
        (-0.0, -np.inf),
        (-1.0, np.nan),
        (-np.inf, np.nan),
        (-5e-324, np.nan),
        (1.0, 0.0),
    ],
    "log1p": [
        (np.inf, np.inf),
        (-1.0, -np.inf),
        (-1.0000000000000002, np.nan),
        (-np.inf, np.nan),
        (0.0, 0.0),
        (-0.0, -0.0),
    ],
    "expit": [(np.inf, 1.0), (-np.inf, 0.0), (1e308, 1.0), (-1e308, 0.0), (0.0, 0.5), (-0.0, 0.5)],
    "softplus": [(np.inf, np.inf), (-np.inf, 0.0), (1e308, 1e308), (-1e308, 0.0)],
}


def points(name, n, seed):
    """Dense where the value is interesting, log-uniform over the whole domain, and the edges."""
    rng = np.random.default_rng(seed)
    signed = rng.choice([-1.0, 1.0], n) * 10 ** rng.uniform(-20, 2.85, n)
    if name == "exp":
        parts = [
            rng.uniform(-745, 709.7, n),
            rng.uniform(-2, 2, n),
            rng.uniform(-745.1, -705, n),
            signed.clip(-745, 709),
        ]
    elif name == "log":
        near_one = 1 + rng.choice([-1.0, 1.0], n) * 10 ** rng.uniform(-16, -0.5, n)
        parts = [10 ** rng.uniform(-323, 308, n), rng.uniform(0.3, 3, n), rng.uniform(0.6, 0.8, n), near_one]
    elif name == "log1p":
        parts = [
            10 ** rng.uniform(-323, 308, n),
            rng.uniform(-1, 3, n),
            -(10 ** rng.uniform(-30, -0.01, n)),
            rng.uniform(-0.5, 0.6, n),
        ]
    else:
        parts = [rng.uniform(-745, 745, n), rng.uniform(-3, 3, n), rng.uniform(-45, 45, n), signed.clip(-745, 745)]
    return np.concatenate([*parts, EDGES[name]])


def exact_mpmath(name, x):
    x = mpmath.mpf(float(x))
    if name == "exp":
        return mpmath.exp(x)
    if name == "log":
        return mpmath.log(x)
    if name == "log1p":
        return mpmath.log1p(x)
    if name == "expit":
        return mpmath.exp(x) / (1 + mpmath.exp(x))
    return mpmath.log1p(mpmath.exp(x))


def exact_extended(name, x):
    x = x.astype(np.longdouble)
    e = np.exp(-np.abs(x))
    if name == "expit":
        return np.where(x >= 0, np.longdouble(1), e) / (1 + e)
    if name == "softplus":
        return np.maximum(x, 0) + np.log1p(e)
    return getattr(np, name)(x)


def errors_extended(name, x):
    """Error of the kernel in ulp, for many points at once; extended precision resolves 2^-11 ulp."""
    with np.errstate(all="ignore"):
        exact = exact_extended(name, x)
        _, exponent = np.frexp(exact)
        ulp = np.ldexp(np.longdouble(1), np.maximum(exponent - 53, -1074))
        return np.abs(getattr(kernels, name)(x).astype(np.longdouble) - exact) / ulp


def errors_mpmath(name, x):
    with mpmath.workdps(50):
        for value, got in zip(x, getattr(kernels, name)(x), strict=True):
            exact = exact_mpmath(name, value)
            exponent = mpmath.frexp(exact)[1] if exact else -1074
            yield float(abs(mpmath.mpf(float(got)) - exact) / mpmath.ldexp(1, max(exponent - 53, -1074)))


extended = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")


@pytest.mark.parametrize("name", BOUNDS)
def test_bound_against_fifty_digits(name):
    assert max(errors_mpmath(name, points(name, 400, seed=1))) <= BOUNDS[name]


@extended
@pytest.mark.parametrize("name", BOUNDS)
def test_bound_on_a_dense_grid(name):
    assert errors_extended(name, points(name, 50_000, seed=2)).max() <= BOUNDS[name]


@extended
@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_bound_on_millions_of_points(name):
    for seed in range(10):
        assert errors_extended(name, points(name, 500_000, seed)).max() <= BOUNDS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_bound_against_fifty_digits_on_many_points(name):
    assert max(errors_mpmath(name, points(name, 50_000, seed=3))) <= BOUNDS[name]


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("level", simd.supported_levels())
def test_special_values(name, level):
    with simd.use_level(level):
        for x, want in [*SPECIAL[name], (np.nan, np.nan)]:
            got = getattr(kernels, name)(np.full(11, x))  # a whole vector and a rest
            np.testing.assert_array_equal(got, np.full(11, want), err_msg=f"{name}({x})")
            if not np.isnan(want):
                assert (np.signbit(got) == np.signbit(want)).all(), f"{name}({x})"


@pytest.mark.parametrize("name", BOUNDS)
def test_a_value_does_not_depend_on_its_neighbours_or_its_place(name):
    x = points(name, 40, seed=4)
    whole = getattr(kernels, name)(x)
    for i in range(0, x.size, 7):
        assert getattr(kernels, name)(x[i : i + 1]) == whole[i]
        assert (getattr(kernels, name)(x[i : i + 5]) == whole[i : i + 5]).all()


@pytest.mark.parametrize("name", BOUNDS)
def test_the_same_bits_at_every_level_on_a_dense_grid(name):
    x = np.concatenate([points(name, 2_000, seed=5), [value for value, _ in SPECIAL[name]]])
    results = set()
    for level in simd.supported_levels():
        with simd.use_level(level):
            results.add(getattr(kernels, name)(x).tobytes())
    assert len(results) == 1


def test_monotone_where_the_function_is():
    x = np.sort(np.concatenate([np.linspace(-40, 40, 4001), points("expit", 1_000, seed=6).clip(-700, 700)]))
    assert (np.diff(kernels.exp(x)) >= 0).all()
    assert (np.diff(kernels.log(np.linspace(1e-3, 5, 20_001))) >= 0).all()


def test_in_place_and_wrong_out():
    x = np.linspace(-3, 3, 37)
    want = kernels.expit(x)
    y = x.copy()
    assert kernels.expit(y, out=y) is y
    assert (y == want).all()
    with pytest.raises(
        ValueError, match=r"out: got shape \(5,\), dtype float64; expected a C-contiguous float64 array"
    ):
        kernels.exp(x, out=np.empty(5))
    frozen = np.empty_like(x)
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match=r"read-only|not writeable"):
        kernels.exp(x, out=frozen)
