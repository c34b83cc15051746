"""Declarations of the parameters of a density: their size and what constrains them."""

import math
from dataclasses import dataclass
from enum import IntEnum
from numbers import Integral, Real

import numpy as np

__all__ = ["Parameter", "interval", "lower_bounded", "ordered", "positive", "real", "simplex", "upper_bounded"]


class Constraint(IntEnum):
    """As ``density::Constraint`` of the core counts them."""

    NONE, LOWER, UPPER, INTERVAL, ORDERED, SIMPLEX = range(6)


@dataclass(frozen=True)
class Parameter:
    """One parameter, as :func:`real` and its kin declare it.

    Attributes
    ----------
    kind : Constraint
    size : int, str or None
        None is a number; an integer or the name of data, whose length is meant, a vector.
    lower, upper : float
    """

    kind: Constraint
    size: int | str | None = None
    lower: float = 0.0
    upper: float = 0.0

    def length(self, name, data):
        """How many numbers it has, given the data of the model."""
        if self.size is None:
            return 1
        if not isinstance(self.size, str):
            return self.size
        if self.size not in data:
            raise ValueError(f"density: parameter {name} has the length of data {self.size!r}, which is not given")
        if np.ndim(data[self.size]) == 0:
            raise ValueError(
                f"density: parameter {name} has the length of data {self.size!r}, which is a number; expected an array"
            )
        return self._checked(name, len(data[self.size]))

    def _checked(self, name, size):
        fewest = 2 if self.kind is Constraint.SIMPLEX else 1
        if size < fewest:
            raise ValueError(f"density: parameter {name}: got {size} numbers, expected {fewest} or more")
        return size

    def check(self, name):
        """Raise ValueError or TypeError unless the declaration makes sense."""
        if isinstance(self.size, Integral) and not isinstance(self.size, bool):
            self._checked(name, self.size)
        elif self.size is not None and not isinstance(self.size, str):
            raise TypeError(f"density: parameter {name}: got size {self.size!r}, expected an integer or a name of data")
        if self.size is None and self.kind in (Constraint.ORDERED, Constraint.SIMPLEX):
            raise ValueError(f"density: parameter {name}: {self.kind.name.lower()} needs a size")
        for bound in (self.lower, self.upper):
            if not (isinstance(bound, Real) and math.isfinite(bound)):
                raise ValueError(f"density: parameter {name}: got bound {bound!r}, expected a finite number")
        if self.kind is Constraint.INTERVAL and not self.lower < self.upper:
            raise ValueError(f"density: parameter {name}: got bounds {self.lower}, {self.upper}, expected rising ones")


def real(size=None):
    """Any numbers.

    Parameters
    ----------
    size : int or str, default=None
        None declares a number, an integer a vector of that length, a string one of the length of that data.
    """
    return Parameter(Constraint.NONE, size)


def positive(size=None):
    """Numbers above zero."""
    return Parameter(Constraint.LOWER, size, 0.0)


def lower_bounded(lower, size=None):
    """Numbers above `lower`."""
    return Parameter(Constraint.LOWER, size, lower)


def upper_bounded(upper, size=None):
    """Numbers below `upper`."""
    return Parameter(Constraint.UPPER, size, 0.0, upper)


def interval(lower, upper, size=None):
    """Numbers between `lower` and `upper`."""
    return Parameter(Constraint.INTERVAL, size, lower, upper)


def ordered(size):
    """A vector of rising numbers."""
    return Parameter(Constraint.ORDERED, size)


def simplex(size):
    """A vector of positive numbers that add up to one."""
    return Parameter(Constraint.SIMPLEX, size)
