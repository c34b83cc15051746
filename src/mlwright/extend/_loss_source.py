"""A loss's functions of one observation as machine code over blocks of them: Numba's part of :mod:`mlwright.extend`."""

from functools import cache

import numba
from numba import carray, types
from numba.core.errors import NumbaError, UnsupportedBytecodeError

_ARRAY = types.CPointer(types.float64)
# (kind, n, y, raw, out_a, out_b) -> 0, or the 1-based number of the observation whose function raised.
_BLOCK = types.int64(types.int64, types.int64, _ARRAY, _ARRAY, _ARRAY, _ARRAY)
# (n, y, raw, weight, out) -> 0, or 1 if the function raised.
_LEAF = types.int64(types.int64, _ARRAY, _ARRAY, _ARRAY, _ARRAY)

_jit = numba.njit(nogil=True, error_model="numpy")


def _compiled(what, expected, make):
    try:
        return make()
    except (NumbaError, UnsupportedBytecodeError) as error:
        raise TypeError(
            f"loss: Numba cannot compile {what}; expected {expected}, in the part of Python that Numba knows; Numba "
            f"says: {error}"
        ) from error


@cache
def compile_block(value, grad_hess):
    """The C function of values and of gradients with Hessians."""
    value_of, grad_hess_of = _jit(value), _jit(grad_hess)

    @_jit
    def values(n, y, raw, out):
        i = 0
        try:
            while i < n:
                out[i] = value_of(y[i], raw[i])
                i += 1
        except Exception:
            return i + 1
        return 0

    @_jit
    def gradients(n, y, raw, g, h):
        i = 0
        try:
            while i < n:
                g[i], h[i] = grad_hess_of(y[i], raw[i])
                i += 1
        except Exception:
            return i + 1
        return 0

    def block(kind, n, y, raw, a, b):
        if kind == 0:
            return values(n, carray(y, n), carray(raw, n), carray(a, n))
        return gradients(n, carray(y, n), carray(raw, n), carray(a, n), carray(b, n))

    return _compiled(
        "value or grad_hess",
        "functions of two floats (y, raw) that return a float and a pair of floats",
        lambda: numba.cfunc(_BLOCK, nopython=True, error_model="numpy")(block),
    )


@cache
def compile_leaf(leaf_step):
    """The C function of a leaf's rows."""
    step_of = numba.njit(leaf_step, nogil=True, error_model="numpy", boundscheck=True)  # it sees whole arrays

    @_jit
    def step(y, raw, weight, out):
        try:
            out[0] = step_of(y, raw, weight)
        except Exception:
            return 1
        return 0

    def leaf(n, y, raw, weight, out):
        return step(carray(y, n), carray(raw, n), carray(weight, n), carray(out, 1))

    return _compiled(
        "leaf_step",
        "a function of three arrays (y, raw, weight) that returns a float",
        lambda: numba.cfunc(_LEAF, nopython=True, error_model="numpy")(leaf),
    )


@cache
def compile_domain(domain):
    """``first_outside(y)``: the first row outside, or -1; -2 - i where the function raised at row i."""
    inside = _jit(domain)

    @_jit
    def first_outside(y):
        i = 0
        try:
            while i < len(y):
                if not inside(y[i]):
                    return i
                i += 1
        except Exception:
            return -2 - i
        return -1

    def compiled():
        first_outside.compile((types.float64[::1],))
        return first_outside

    return _compiled("domain", "a function of a float y that returns a bool", compiled)
