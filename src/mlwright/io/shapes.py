"""Sizes by letter: which shapes an array may have, and whether they agree with the arrays before it."""

import re

from mlwright.io.context import Sink, Source

_AXIS = re.compile(r"(\d+)|([A-Za-z_]\w*?)(?:\+(\d+))?")


def match_shape(shape: tuple[int, ...], choices: list[list[str]], place: Sink | Source) -> None:
    """Check `shape` against the first choice that fits and record the letters it settles; fail if none fits."""
    for choice in choices:
        settled = _match(shape, choice, place.sizes)
        if settled is not None:
            place.sizes.update(settled)
            return
    allowed = " or ".join(f"({', '.join(choice)})" for choice in choices)
    known = ", ".join(f"{letter} = {size}" for letter, size in sorted(place.sizes.items()))
    raise place.error(f"got shape {shape}; expected {allowed}" + (f" with {known}" if known else ""))


def _match(shape: tuple[int, ...], axes: list[str], sizes: dict[str, int]) -> dict[str, int] | None:
    if len(shape) != len(axes):
        return None
    settled = dict(sizes)
    for length, axis in zip(shape, axes, strict=True):
        if axis == "*":
            continue
        fixed, letter, more = _AXIS.fullmatch(axis).groups()
        size = int(fixed) if fixed else length - int(more or 0)
        expected = length if fixed else settled.setdefault(letter, size)
        if size < 0 or size != expected:
            return None
    return settled
