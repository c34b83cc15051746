"""The C callback around a user's density, as the source of a Python function that Numba compiles.

The arguments of a user's function differ in number and kind, and Numba wants a function of fixed ones: its source is
written here, from names that are Python identifiers and from integers, nothing else.
"""

from dataclasses import dataclass

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from mlwright.extend import _dual

_INT = ir.IntType(64)


@dataclass(frozen=True)
class DataKind:
    """What is compiled in of one entry of the data: ``"float"`` or ``"int"``, and 0 dimensions for a number."""

    letter: str
    ndim: int

    @classmethod
    def of(cls, value):
        array = isinstance(value, np.ndarray)
        floating = value.dtype.kind == "f" if array else isinstance(value, float)
        return cls("float" if floating else "int", value.ndim if array else 0)

    @property
    def words(self):
        """How many words of the header it takes."""
        return 1 + self.ndim


def _word(builder, header, i):
    return builder.load(builder.gep(builder.bitcast(header, _INT.as_pointer()), [i]))


@intrinsic
def word(typingctx, header, i):
    """Word ``i`` of the header, an integer."""

    def codegen(context, builder, signature, args):
        return _word(builder, *args)

    return types.int64(types.voidptr, types.int64), codegen


@intrinsic
def float_word(typingctx, header, i):
    """Word ``i`` of the header, a float64."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(_word(builder, *args), ir.DoubleType())

    return types.float64(types.voidptr, types.int64), codegen


def _pointer(target, llvm):
    @intrinsic
    def pointer(typingctx, header, i):
        """The pointer in word ``i`` of the header."""

        def codegen(context, builder, signature, args):
            return builder.inttoptr(_word(builder, *args), llvm.as_pointer())

        return types.CPointer(target)(types.voidptr, types.int64), codegen

    return pointer


def callback_names():
    """What the source may name."""
    return {
        "LANES": _dual.LANES,
        "advanced": _dual.advanced,
        "as_dual": _dual.as_dual,
        "carray": carray,
        "float_pointer": _pointer(types.float64, ir.DoubleType()),
        "float_word": float_word,
        "int_pointer": _pointer(types.int64, _INT),
        "make_vector": _dual.make_vector,
        "seed": _dual.seed,
        "store_lanes": _dual.store_lanes,
        "word": word,
    }


def callback_source(arguments, vectors, kinds, gradient):
    """Source of ``callback(d, x, g, lp, header)``.

    Parameters
    ----------
    arguments : list of str
        Of the user's function, in order.
    vectors : dict of str to bool
        Of each parameter, in declared order, whether it is a vector.
    kinds : dict of str to DataKind
        Of each entry of the data, in the order of the header.
    gradient : {"forward", "own", "none"}
    """
    lines = ["def callback(d, x, g, lp, header):", "    try:", *_data_lines(len(vectors), kinds)]
    call = f"user({', '.join('my_' + name for name in arguments)})"  # so that names cannot clash
    if gradient != "forward":
        lines += _parameter_lines(vectors, "carray(advanced(x, at), ({size},))", "x[at]")
        lines += ["        my_gradient = carray(g, (d,))"] if gradient == "own" else []
        lines += [f"        value = {call}"]
    else:
        lines += ["        value = 0.0", "        for first in range(0, d, LANES):"]
        vector, number = "make_vector(advanced(x, at), {size}, at - first)", "seed(x[at], at - first)"
        lines += ["    " + line for line in _parameter_lines(vectors, vector, number)]
        lines += [
            f"            result = as_dual({call})",
            "            store_lanes(result, advanced(g, first), d - first)",
            "            value = result.value",
        ]
    lines += [
        "    except Exception:",
        "        return -1",
        "    lp[0] = value",
        "    return 1 if value != value else 0",
    ]
    return "\n".join(lines)


def _data_lines(at, kinds):
    """The header holds the sizes of the parameters first; `at` is their number."""
    for name, kind in kinds.items():
        if kind.ndim == 0:
            yield f"        my_{name} = {'float_word' if kind.letter == 'float' else 'word'}(header, {at})"
        else:
            shape = "".join(f"word(header, {at + 1 + axis}), " for axis in range(kind.ndim))
            yield f"        my_{name} = carray({kind.letter}_pointer(header, {at}), ({shape}))"
        at += kind.words


def _parameter_lines(vectors, vector, number):
    yield "        at = 0"
    for i, (name, is_vector) in enumerate(vectors.items()):
        size = f"word(header, {i})"
        yield f"        my_{name} = {vector.format(size=size) if is_vector else number}"
        yield f"        at += {size}"
