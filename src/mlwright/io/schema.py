"""The words in which a class declares its fitted state.

An estimator says, as a class attribute, which attributes a fitted instance has and what each must look like::

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f4 f8", "p", "t p"),
        intercept_=AnyOf(Number(), Tensor("f4 f8", "t")),
    )

The same declaration takes the model apart when it is saved and checks every value when it is loaded, before any object
is built. Letters are sizes: within one model each stands for one number, whichever attribute shows it first.
What a shape cannot say (children after parents, sorted edges) the class checks in ``_validate_state(self)``.
"""

from typing import Any

import numpy as np

from mlwright.io import arrays, plain
from mlwright.io.context import Sink, Source
from mlwright.io.shapes import match_shape


class Spec:
    """What one value must be: `encode` takes it apart, `decode` checks and rebuilds it. Both fail alike."""

    def encode(self, value: Any, out: Sink) -> Any:
        raise NotImplementedError

    def decode(self, node: Any, source: Source) -> Any:
        raise NotImplementedError


class Tensor(Spec):
    """An array of numbers or booleans.

    Parameters
    ----------
    dtypes : str
        What the dtype may be, e.g. ``"f8"`` or ``"f4 f8"``; ``"?"`` is boolean.
    *shapes : str
        What the shape may be, one string a choice; each names the lengths of the axes: ``"t p"``, ``"n+1"``, ``"3"``,
        ``"* 2"`` (any length, each time another), ``""`` (no axis). At least one.
    finite : bool, default=True
        Whether NaN and infinity are refused.
    """

    def __init__(self, dtypes: str, *shapes: str, finite: bool = True):
        self.dtypes = [np.dtype(name) for name in dtypes.split()]
        self.shapes = [shape.split() for shape in shapes]
        self.finite = finite

    def encode(self, value, out):
        node = arrays.encode(value, out)
        self._check(value, out)
        return node

    def decode(self, node, source):
        value = arrays.decode(node, source)
        self._check(value, source)
        return value

    def _check(self, value: np.ndarray, place: Sink | Source) -> None:
        if value.dtype.newbyteorder("=") not in self.dtypes:
            raise place.error(f"got dtype {value.dtype}; expected {' or '.join(map(str, self.dtypes))}")
        match_shape(value.shape, self.shapes, place)
        if self.finite and value.dtype.kind == "f" and not np.isfinite(value).all():
            raise place.error("got a number that is not finite")


class Strings(Spec):
    """An object array of strings, e.g. ``feature_names_in_``; `size` as one axis of :class:`Tensor`."""

    kinds = ("O",)

    def __init__(self, size: str):
        self.shapes = [[size]]

    def encode(self, value, out):
        node = arrays.encode(value, out)
        self._check(value, out)
        return node

    def decode(self, node, source):
        value = arrays.decode(node, source)
        self._check(value, source)
        return value

    def _check(self, value: np.ndarray, place: Sink | Source) -> None:
        if value.dtype.kind not in self.kinds:
            raise place.error(f"got an array of dtype {value.dtype}; expected one of kind {' or '.join(self.kinds)}")
        match_shape(value.shape, self.shapes, place)


class Labels(Strings):
    """A vector of class labels: strings, numbers or booleans, as ``numpy.unique`` leaves them."""

    kinds = ("O", "U", "i", "u", "f", "b")


class Size(Spec):
    """A Python integer from 0 that is the size named by a letter, e.g. ``n_features_in_=Size("p")``."""

    def __init__(self, letter: str):
        self.letter = letter

    def encode(self, value, out):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise out.error(f"got {value!r:.80}; expected an integer")
        return self.decode(int(value), out)

    def decode(self, node, source):
        if type(node) is not int or not 0 <= node < 1 << 48:
            raise source.error(f"got {node!r:.80}; expected a count")
        match_shape((node,), [[self.letter]], source)
        return node


class Number(Spec):
    """A number; Python's or NumPy's, and stays what it was.

    Parameters
    ----------
    low, high : float, optional
        Bounds, both included.
    finite : bool, default=True
        Whether NaN and infinity are refused.
    integer : bool, default=False
        Whether only integers are allowed.
    """

    def __init__(self, low: float | None = None, high: float | None = None, *, finite=True, integer=False):
        self.low, self.high, self.finite, self.integer = low, high, finite, integer

    def encode(self, value, out):
        self._check(value, out)
        return plain.encode(value, out)

    def decode(self, node, source):
        value = plain.decode(node, source)
        self._check(value, source)
        return value

    def _check(self, value: Any, place: Sink | Source) -> None:
        kinds = (int, np.integer) if self.integer else (int, float, np.integer, np.floating)
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise place.error(f"got {value!r:.80}; expected {'an integer' if self.integer else 'a number'}")
        if self.finite and not np.isfinite(value):
            raise place.error(f"got {value!r}; expected a finite number")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise place.error(f"got {value!r}; expected at least {self.low} and at most {self.high} (None: no bound)")


class Choice(Spec):
    """One of some values that JSON has: strings, booleans, integers, None."""

    def __init__(self, *values: Any):
        self.values = values

    def encode(self, value, out):
        return self.decode(value, out)

    def decode(self, node, source):
        if not any(type(node) is type(value) and node == value for value in self.values):
            raise source.error(f"got {node!r:.80}; expected one of {list(self.values)}")
        return node


class Text(Spec):
    """A string."""

    def encode(self, value, out):
        return self.decode(value, out)

    def decode(self, node, source):
        if type(node) is not str:
            raise source.error(f"got {node!r:.80}; expected a string")
        return plain.check_text(node, source)


class Plain(Spec):
    """Any value that a constructor parameter may have; for state that repeats what the user gave."""

    def encode(self, value, out):
        return plain.encode(value, out)

    def decode(self, node, source):
        return plain.decode(node, source)
