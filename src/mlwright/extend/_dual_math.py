"""What compiled functions may do with dual numbers: arithmetic, comparisons, elementary functions, parameter vectors.

One table a kind of operation; each line is a value and a derivative.
"""

import math
import operator

import numpy as np
from numba import njit, types
from numba.core.extending import overload_attribute
from numba.extending import overload, overload_method

from mlwright.extend import _dual
from mlwright.extend._special import digamma
from mlwright.extend.densities import dot

_LOG_2, _LOG_10 = math.log(2.0), math.log(10.0)
_NUMBERS = (types.Number, types.Boolean)


def _is_dual(*kinds):
    """Whether some are dual numbers and the rest plain ones."""
    return any(isinstance(k, _dual.DualType) for k in kinds) and all(
        isinstance(k, (_dual.DualType, *_NUMBERS)) for k in kinds
    )


def _overload_unary(functions, value, slope):
    """``f(a)`` has that value and that derivative, both as functions of (a, f(a))."""
    value_of, slope_of = njit(value), njit(slope)

    def implementation(a):
        if not _is_dual(a):
            return None

        def compute(a):
            out = value_of(a.value)
            return _dual.chain(a, out, slope_of(a.value, out))

        return compute

    for function in functions:
        overload(function)(implementation)


def _overload_binary(functions, value, slope_a, slope_b):
    """``f(a, b)`` with its partial derivatives as functions of (a, b, f(a, b)); plain numbers are constants."""
    value_of, slope_a_of, slope_b_of = njit(value), njit(slope_a), njit(slope_b)

    def implementation(a, b):
        if not _is_dual(a, b):
            return None
        if not isinstance(b, _dual.DualType):

            def compute(a, b):
                out = value_of(a.value, b)
                return _dual.chain(a, out, slope_a_of(a.value, b, out))

        elif not isinstance(a, _dual.DualType):

            def compute(a, b):
                out = value_of(a, b.value)
                return _dual.chain(b, out, slope_b_of(a, b.value, out))

        else:

            def compute(a, b):
                out = value_of(a.value, b.value)
                return _dual.chain2(a, b, out, slope_a_of(a.value, b.value, out), slope_b_of(a.value, b.value, out))

        return compute

    for function in functions:
        overload(function)(implementation)


_UNARY = (
    ((operator.neg,), lambda a: -a, lambda a, f: -1.0),
    ((operator.pos,), lambda a: a, lambda a, f: 1.0),
    ((abs, math.fabs, np.abs), lambda a: abs(a), lambda a, f: 1.0 if a >= 0.0 else -1.0),
    ((math.exp, np.exp), lambda a: math.exp(a), lambda a, f: f),
    ((math.expm1, np.expm1), lambda a: math.expm1(a), lambda a, f: f + 1.0),
    ((math.log, np.log), lambda a: math.log(a), lambda a, f: 1.0 / a),
    ((math.log2, np.log2), lambda a: np.log2(a), lambda a, f: 1.0 / (a * _LOG_2)),
    ((math.log10, np.log10), lambda a: np.log10(a), lambda a, f: 1.0 / (a * _LOG_10)),
    ((math.log1p, np.log1p), lambda a: math.log1p(a), lambda a, f: 1.0 / (1.0 + a)),
    ((math.sqrt, np.sqrt), lambda a: math.sqrt(a), lambda a, f: 0.5 / f),
    ((np.square,), lambda a: a * a, lambda a, f: 2.0 * a),
    ((math.sin, np.sin), lambda a: math.sin(a), lambda a, f: math.cos(a)),
    ((math.cos, np.cos), lambda a: math.cos(a), lambda a, f: -math.sin(a)),
    ((math.tan, np.tan), lambda a: math.tan(a), lambda a, f: 1.0 + f * f),
    ((math.asin, np.arcsin), lambda a: math.asin(a), lambda a, f: 1.0 / math.sqrt((1.0 - a) * (1.0 + a))),
    ((math.acos, np.arccos), lambda a: math.acos(a), lambda a, f: -1.0 / math.sqrt((1.0 - a) * (1.0 + a))),
    ((math.atan, np.arctan), lambda a: math.atan(a), lambda a, f: 1.0 / (1.0 + a * a)),
    ((math.tanh, np.tanh), lambda a: math.tanh(a), lambda a, f: 1.0 - f * f),
    ((math.sinh, np.sinh), lambda a: math.sinh(a), lambda a, f: math.cosh(a)),
    ((math.cosh, np.cosh), lambda a: math.cosh(a), lambda a, f: math.sinh(a)),
    ((math.asinh, np.arcsinh), lambda a: math.asinh(a), lambda a, f: 1.0 / math.hypot(a, 1.0)),
    ((math.acosh, np.arccosh), lambda a: math.acosh(a), lambda a, f: 1.0 / math.sqrt((a - 1.0) * (a + 1.0))),
    ((math.atanh, np.arctanh), lambda a: math.atanh(a), lambda a, f: 1.0 / ((1.0 - a) * (1.0 + a))),
    ((math.erf,), lambda a: math.erf(a), lambda a, f: 2.0 / math.sqrt(math.pi) * math.exp(-a * a)),
    ((math.erfc,), lambda a: math.erfc(a), lambda a, f: -2.0 / math.sqrt(math.pi) * math.exp(-a * a)),
    ((math.lgamma,), lambda a: math.lgamma(a), lambda a, f: digamma(a)),
    ((math.gamma,), lambda a: math.gamma(a), lambda a, f: f * digamma(a)),
)

_BINARY = (
    ((operator.sub, operator.isub), lambda a, b: a - b, lambda a, b, f: 1.0, lambda a, b, f: -1.0),
    ((operator.mul, operator.imul), lambda a, b: a * b, lambda a, b, f: b, lambda a, b, f: a),
    ((operator.truediv, operator.itruediv), lambda a, b: a / b, lambda a, b, f: 1.0 / b, lambda a, b, f: -f / b),
    (
        (operator.pow, operator.ipow, math.pow, np.power),
        lambda a, b: a**b,
        lambda a, b, f: b * a ** (b - 1.0) if b != 0.0 else 0.0,
        lambda a, b, f: f * math.log(a) if a > 0.0 else 0.0,
    ),
    (
        (math.hypot, np.hypot),
        lambda a, b: math.hypot(a, b),
        lambda a, b, f: a / f if f > 0.0 else 0.0,
        lambda a, b, f: b / f if f > 0.0 else 0.0,
    ),
    (
        (math.atan2, np.arctan2),
        lambda a, b: math.atan2(a, b),
        lambda a, b, f: b / (a * a + b * b),
        lambda a, b, f: -a / (a * a + b * b),
    ),
    (
        (np.logaddexp,),
        lambda a, b: np.logaddexp(a, b),
        lambda a, b, f: math.exp(a - f),
        lambda a, b, f: math.exp(b - f),
    ),
)

for _functions, _value, _slope in _UNARY:
    _overload_unary(_functions, _value, _slope)
for _row in _BINARY:
    _overload_binary(*_row)


@overload(operator.iadd)
@overload(operator.add)
def _add(a, b):
    if _is_dual(a, b):
        return lambda a, b: _dual.add(_dual.as_dual(a), _dual.as_dual(b))
    return None


def _overload_comparison(function):
    @overload(function)
    def implementation(a, b):
        if not _is_dual(a, b):
            return None
        return lambda a, b: function(_dual.as_dual(a).value, _dual.as_dual(b).value)


for _comparison in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
    _overload_comparison(_comparison)


def _overload_choice(function, prefers):
    @overload(function)
    def implementation(a, b):
        if not _is_dual(a, b):
            return None
        first = njit(prefers)
        return lambda a, b: _dual.as_dual(a) if first(a, b) else _dual.as_dual(b)


for _greater, _less in ((max, min), (np.maximum, np.minimum)):
    _overload_choice(_greater, lambda a, b: a >= b)
    _overload_choice(_less, lambda a, b: a <= b)


def _overload_test(function):
    @overload(function)
    def implementation(a):
        if _is_dual(a):
            return lambda a: function(a.value)
        return None


for _test in (math.isnan, math.isinf, math.isfinite, np.isnan, np.isinf, np.isfinite):
    _overload_test(_test)


@overload(operator.getitem)
def _getitem(vector, i):
    if isinstance(vector, _dual.DualVectorType) and isinstance(i, types.Integer):

        def get(vector, i):
            at = i + vector.size if i < 0 else i
            if at < 0 or at >= vector.size:
                raise IndexError("parameter: index out of range")
            return _dual.seed(_dual.load(vector.data, at), vector.first + at)

        return get
    return None


@overload(len)
def _length(vector):
    if isinstance(vector, _dual.DualVectorType):
        return lambda vector: vector.size
    return None


@overload_attribute(_dual.DualVectorType, "shape")
def _shape(vector):
    return lambda vector: (vector.size,)


@overload_method(_dual.DualVectorType, "sum")
def _sum_method(vector):
    def total(vector):
        out = _dual.as_dual(0.0)
        for i in range(vector.size):
            out = out + vector[i]
        return out

    return total


@overload(np.sum)
def _sum(vector):
    if isinstance(vector, _dual.DualVectorType):
        return lambda vector: vector.sum()
    return None


@overload(dot)
def _dot(a, b):
    """A row of data times a vector of parameters: its derivatives are the row."""
    plain = isinstance(a, types.Array) and a.ndim == 1 and a.layout == "C" and a.dtype == types.float64
    if plain and isinstance(b, _dual.DualVectorType):

        def multiply(a, b):
            if len(a) != b.size:
                raise ValueError("dot: the two lengths differ")
            total = 0.0
            for i in range(len(a)):
                total += a[i] * _dual.load(b.data, i)
            return _dual.weighted_lanes(total, _dual.pointer_to(a), len(a), b.first)

        return multiply
    return None
