"""Forward-mode derivatives inside compiled functions: numbers that carry eight partial derivatives.

A :class:`DualType` value is ``value + sum_l lanes[l] e_l`` with ``e_l e_k = 0``. Arithmetic on it is
arithmetic on the value and the chain rule on a vector register of eight lanes, so one call of a
function gives its value and eight entries of its gradient;
:mod:`mlwright.extend._log_density` calls it once for every eight parameters.

Numba types and code generation only: what users may write with such numbers is in :mod:`mlwright.extend._dual_math`.

References
----------
Griewank, Walther (2008), Evaluating Derivatives, chapter 3.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typeconv import Conversion
from numba.extending import (
    intrinsic,
    lower_cast,
    make_attribute_wrapper,
    models,
    register_model,
)

#: Partial derivatives a number carries: as many doubles as the widest vector register holds.
LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_STORED = ir.ArrayType(ir.DoubleType(), LANES)


class LanesType(types.Type):
    """Eight doubles in one register."""

    def __init__(self):
        super().__init__(name="Lanes")


class DualType(types.Type):
    """A number with its partial derivatives. A plain number converts to it: its derivatives are zero."""

    def __init__(self):
        super().__init__(name="Dual")

    def can_convert_from(self, typingctx, other):
        return Conversion.safe if isinstance(other, types.Number | types.Boolean) else None

    def unify(self, typingctx, other):
        return self if isinstance(other, types.Number | types.Boolean) else None


class DualVectorType(types.Type):
    """A read-only vector of parameters: item ``i`` is a dual number."""

    def __init__(self):
        super().__init__(name="DualVector")


lanes, dual, dual_vector = LanesType(), DualType(), DualVectorType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    """A register in use, eight doubles in memory: lists and structures are not aligned as registers want it."""

    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _VECTOR)

    def get_data_type(self):
        return _STORED

    def as_data(self, builder, value):
        stored = ir.Constant(_STORED, ir.Undefined)
        for lane in range(LANES):
            one = builder.extract_element(value, ir.Constant(ir.IntType(32), lane))
            stored = builder.insert_value(stored, one, lane)
        return stored

    def from_data(self, builder, stored):
        value = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(LANES):
            one = builder.extract_value(stored, lane)
            value = builder.insert_element(value, one, ir.Constant(ir.IntType(32), lane))
        return value


@register_model(DualType)
class _DualModel(models.StructModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, [("value", types.float64), ("lanes", lanes)])


@register_model(DualVectorType)
class _DualVectorModel(models.StructModel):
    """`first`: the lane of item 0, which may lie outside of the eight."""

    def __init__(self, manager, fe_type):
        members = [("data", types.CPointer(types.float64)), ("size", types.int64), ("first", types.int64)]
        super().__init__(manager, fe_type, members)


make_attribute_wrapper(DualType, "value", "value")
make_attribute_wrapper(DualType, "lanes", "lanes")
make_attribute_wrapper(DualVectorType, "data", "data")
make_attribute_wrapper(DualVectorType, "size", "size")
make_attribute_wrapper(DualVectorType, "first", "first")


def _splat(builder, scalar):
    vector = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), mask)


def _pack(context, builder, value, vector):
    out = cgutils.create_struct_proxy(dual)(context, builder)
    out.value, out.lanes = value, vector
    return out._getvalue()


def _unpack(context, builder, number):
    proxy = cgutils.create_struct_proxy(dual)(context, builder, value=number)
    return proxy.value, proxy.lanes


@lower_cast(types.Number, DualType)
@lower_cast(types.Boolean, DualType)
def _number_to_dual(context, builder, from_type, to_type, number):
    value = context.cast(builder, number, from_type, types.float64)
    return _pack(context, builder, value, ir.Constant(_VECTOR, [0.0] * LANES))


@intrinsic
def chain(typingctx, a, value, slope):
    """``f(a)`` from its value and its derivative at ``a.value``."""

    def codegen(context, builder, signature, args):
        _, vector = _unpack(context, builder, args[0])
        return _pack(context, builder, args[1], builder.fmul(vector, _splat(builder, args[2])))

    return dual(dual, types.float64, types.float64), codegen


@intrinsic
def chain2(typingctx, a, b, value, slope_a, slope_b):
    """``f(a, b)`` from its value and its two partial derivatives."""

    def codegen(context, builder, signature, args):
        _, vector_a = _unpack(context, builder, args[0])
        _, vector_b = _unpack(context, builder, args[1])
        vector = builder.fadd(
            builder.fmul(vector_a, _splat(builder, args[3])), builder.fmul(vector_b, _splat(builder, args[4]))
        )
        return _pack(context, builder, args[2], vector)

    return dual(dual, dual, types.float64, types.float64, types.float64), codegen


@intrinsic
def add(typingctx, a, b):
    """``a + b``: without the multiplications of :func:`chain2`."""

    def codegen(context, builder, signature, args):
        value_a, vector_a = _unpack(context, builder, args[0])
        value_b, vector_b = _unpack(context, builder, args[1])
        return _pack(context, builder, builder.fadd(value_a, value_b), builder.fadd(vector_a, vector_b))

    return dual(dual, dual), codegen


@intrinsic
def as_dual(typingctx, number):
    """Whatever number it is, as a dual one."""

    def codegen(context, builder, signature, args):
        return context.cast(builder, args[0], signature.args[0], dual)

    return dual(number), codegen


@intrinsic
def seed(typingctx, value, lane):
    """The parameter that lane `lane` belongs to; outside of the eight, a constant."""

    def codegen(context, builder, signature, args):
        value, lane = args
        integers = ir.VectorType(ir.IntType(64), LANES)
        vector = builder.insert_element(ir.Constant(integers, ir.Undefined), lane, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        every = builder.shuffle_vector(vector, ir.Constant(integers, ir.Undefined), mask)
        own = builder.icmp_signed("==", every, ir.Constant(integers, list(range(LANES))))
        ones = builder.uitofp(own, _VECTOR)
        return _pack(context, builder, value, ones)

    return dual(types.float64, types.int64), codegen


@intrinsic
def make_vector(typingctx, data, size, first):
    """A vector of parameters from its numbers and the lane of the first."""

    def codegen(context, builder, signature, args):
        out = cgutils.create_struct_proxy(dual_vector)(context, builder)
        out.data, out.size, out.first = args
        return out._getvalue()

    return dual_vector(types.CPointer(types.float64), types.int64, types.int64), codegen


@intrinsic
def load(typingctx, data, i):
    """``data[i]`` of a pointer to doubles."""

    def codegen(context, builder, signature, args):
        return builder.load(builder.gep(args[0], [args[1]]))

    return types.float64(types.CPointer(types.float64), types.int64), codegen


@intrinsic
def weighted_lanes(typingctx, value, weights, n, first):
    """The dual number of that value whose lane ``first + i`` is ``weights[i]``, ``0 <= i < n``: a dot product's."""

    def codegen(context, builder, signature, args):
        value, weights, n, first = args
        out = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0.0] * LANES))
        for lane in range(LANES):
            i = builder.sub(ir.Constant(ir.IntType(64), lane), first)
            inside = builder.icmp_unsigned("<", i, n)
            with builder.if_then(inside):
                weight = builder.load(builder.gep(weights, [i]))
                index = ir.Constant(ir.IntType(32), lane)
                builder.store(builder.insert_element(builder.load(out), weight, index), out)
        return _pack(context, builder, value, builder.load(out))

    return dual(types.float64, types.CPointer(types.float64), types.int64, types.int64), codegen


@intrinsic
def store_lanes(typingctx, number, target, n):
    """Writes the first `n` of the eight derivatives."""

    def codegen(context, builder, signature, args):
        _, vector = _unpack(context, builder, args[0])
        for lane in range(LANES):
            with builder.if_then(builder.icmp_signed("<", ir.Constant(ir.IntType(64), lane), args[2])):
                one = builder.extract_element(vector, ir.Constant(ir.IntType(32), lane))
                builder.store(one, builder.gep(args[1], [ir.Constant(ir.IntType(64), lane)]))
        return context.get_dummy_value()

    return types.void(dual, types.CPointer(types.float64), types.int64), codegen


@intrinsic
def pointer_to(typingctx, array):
    """Of the numbers of a contiguous array of doubles."""

    def codegen(context, builder, signature, args):
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(types.float64)(array), codegen


@intrinsic
def advanced(typingctx, pointer, n):
    """``pointer + n`` of a pointer to doubles."""

    def codegen(context, builder, signature, args):
        return builder.gep(args[0], [args[1]])

    return types.CPointer(types.float64)(types.CPointer(types.float64), types.int64), codegen
