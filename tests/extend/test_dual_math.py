"""What a density may do with its parameters: Python's values, and derivatives as differences of them have."""

import math

import numpy as np
import pytest

from mlwright._kernels.sampler import Target
from mlwright.extend import log_density, real

EXPRESSIONS = """
a + b | a - b | a * b | a / b | -a | +a | a ** 2 | a ** -3 | 2.0 ** a | (a * a + 1) ** b | abs(a) | max(a, b)
min(a, b) | math.exp(a) | math.expm1(a) | math.log(a * a + 1) | math.log1p(a * a) | math.log2(a * a + 1)
math.log10(a * a + 1) | math.sqrt(a * a + 1) | math.pow(a * a + 1, b) | math.fabs(a) | math.hypot(a, b)
math.hypot(a, 2.0) | math.sin(a) | math.cos(a) | math.tan(a) | math.asin(a / 5) | math.acos(a / 5)
math.atan(a) | math.atan2(a, b) | math.atan2(1.0, b) | math.sinh(a) | math.cosh(a) | math.tanh(a)
math.asinh(a) | math.acosh(a * a + 2) | math.atanh(a / 5) | math.erf(a) | math.erfc(a) | math.gamma(a * a + 1)
math.lgamma(a * a + 1) | np.exp(a) | np.log(a * a + 1) | np.log2(a * a + 1) | np.log10(a * a + 1) | np.square(a)
np.abs(a) | np.power(a * a + 1, b) | np.arcsin(a / 5) | np.arccos(a / 5) | np.arctan(a) | np.arctan2(a, b)
np.hypot(a, b) | np.logaddexp(a, b) | np.logaddexp(a, 900.0) | np.arcsinh(a) | np.arccosh(a * a + 2)
np.arctanh(a / 5) | np.maximum(a, b) | np.minimum(a, b) | np.maximum(a, 0.0)
"""
TEXTS = [text.strip() for line in EXPRESSIONS.split("\n") for text in line.split("|") if text.strip()]


@pytest.fixture(scope="module")
def compiled():
    """All expressions in one function, so that Numba compiles once."""
    lines = "\n".join(f"    if which == {i}:\n        return {text}" for i, text in enumerate(TEXTS))
    namespace = {"math": math, "np": np}
    exec(f"def every(a, b, which):\n{lines}\n    return 0.0 * a", namespace)
    return log_density(namespace["every"], a=real(), b=real())


@pytest.mark.parametrize("which", range(len(TEXTS)), ids=TEXTS)
def test_values_and_derivatives(compiled, which):
    target = Target(compiled.compile({"which": which}))
    step = 1e-6
    for a, b in ((0.7, -0.4), (-1.3, 0.9), (2.2, 1.7)):
        value, gradient, _ = target.evaluate(np.array([a, b]))
        assert value == pytest.approx(float(compiled(a, b, which)), rel=1e-13, abs=1e-14)
        wanted = [
            (compiled(a + step, b, which) - compiled(a - step, b, which)) / (2 * step),
            (compiled(a, b + step, which) - compiled(a, b - step, which)) / (2 * step),
        ]
        np.testing.assert_allclose(gradient, np.array(wanted, dtype=float), rtol=1e-7, atol=1e-8)
