"""Arrays as users bring them: dtypes, memory orders, strides, read-only."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

LAYOUTS = ("C", "F", "strided", "reversed", "readonly")


def with_layout(a, layout):
    """The same values in another memory layout."""
    if layout == "F":
        return np.asfortranarray(a)
    if layout == "strided":
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1] + 1), dtype=a.dtype)
        view = wide[..., 1::2]
        view[...] = a
        return view
    if layout == "reversed":
        return np.ascontiguousarray(a[::-1])[::-1]
    a = np.ascontiguousarray(a)
    if layout == "readonly":
        a.setflags(write=False)
    return a


def floats(magnitude=1e6, width=64):
    """Finite floats of at most that magnitude, exact in the given width."""
    bound = float(np.float32(magnitude)) if width == 32 else magnitude
    return st.floats(-bound, bound, allow_nan=False, allow_infinity=False, width=width)


@st.composite
def arrays(draw, shape, magnitude=1e6, dtypes=("float64", "float32"), layouts=LAYOUTS):
    """An array of that shape in a drawn dtype and layout."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    values = draw(hnp.arrays(dtype, shape, elements=floats(magnitude, 8 * dtype.itemsize)))
    return with_layout(values, draw(st.sampled_from(layouts)))
