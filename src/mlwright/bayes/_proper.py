"""Whether a density can be a posterior at all: its log far out along each free number, before anything is drawn.

A density whose integral is finite has finite integrals along almost every line that is parallel to an axis (Fubini). So
one that, from a few random points, does not fall fast enough along the same half-line to be integrable is refused. What
falls as slowly as it may, such as Student's t with few degrees of freedom, passes; so does whatever overflows.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from mlwright._kernels.density import INTERVAL, LOWER, ORDERED, REAL, SIMPLEX
from mlwright._kernels.rng import uniform
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.rng import stream_id
from mlwright.bayes._gradient_check import free_name

_PURPOSE = 20  # of random numbers, beside those of chains, of the gradient's check and of Laplace's
_POINTS, _TRIES = 3, 20
_MOST_COORDINATES = 64  # looked at; of more, as many at random
_NEAR, _FAR = 1e50, 1e100  # of a number without bounds: squares are finite, and every scale anyone means is passed
_LOGS = 150.0, 300.0  # of the logarithm of a distance to a bound
_RESOLVED = 20.0  # by how much that logarithm may be below that of the bound, with eight digits left
_APART = 6.0
_LEAST, _ROUNDING, _BLURRED = 1e-9, 1e-12, 1e-3  # of a fall; of values; what rounding may hide of a fall


@dataclass(frozen=True)
class _Side:
    """A half-line along a free number, from `near` on to `far`; at least `fall` must be lost between them."""

    near: float
    far: float
    fall: float
    towards: str


def refuse_improper(target, seed):
    """ValueError, which names parameters, where the density does not integrate; no verdict where it has no start."""
    points = _points(target, seed)
    if not points:
        return
    sides = _sides(target.compiled.blocks)
    found = [
        f"{free_name(target, i)} towards {side.towards}"
        for i in _looked_at(target.free_size, seed)
        for side in sides[i]
        if all(_stays(target, u, i, side) for u in points)
    ]
    if found:
        raise ValueError(
            f"density: the posterior is improper: from {len(points)} random points the log density does not fall fast "
            f"enough to have an integral along {', '.join(found)}; expected a density whose integral is finite; give "
            "the parameter a prior, such as densities.normal, or bounds"
        )


def _points(target, seed):
    tries = (2 * uniform(seed, stream_id(_PURPOSE, k), target.free_size) - 1 for k in range(_TRIES))
    return list(islice((u for u in tries if np.isfinite(target.evaluate(u)[0])), _POINTS))


def _looked_at(n, seed):
    if n <= _MOST_COORDINATES:
        return range(n)
    return np.sort(np.argsort(uniform(seed, stream_id(_PURPOSE + 1), n))[:_MOST_COORDINATES])


def _stays(target, u, i, side):
    near, far = (_at(target, u, i, place) for place in (side.near, side.far))
    if not (np.isfinite(near) and np.isfinite(far)):
        return False
    rounding = _ROUNDING * (abs(near) + abs(far))
    return rounding < _BLURRED and near - far <= side.fall + _LEAST + rounding


def _at(target, u, i, place):
    moved = u.copy()
    moved[i] = place
    try:
        return target.evaluate(moved)[0]
    except NumericalError:  # the user's function refuses points as far as that
        return -np.inf


def _sides(blocks):
    """Of each free number."""
    out = []
    for kind, size, lower, upper in blocks:
        n = int(size)
        if kind == REAL:
            out += [_unbounded()] * n
        elif kind == ORDERED:  # differences have no bound that could be told from the number before
            out += [_unbounded(), *[[_outwards("infinity")]] * (n - 1)]
        elif kind == SIMPLEX:
            out += [[_inwards(0.0, 1.0, -1, "0")]] * (n - 1)
        elif kind == INTERVAL:
            width, largest = upper - lower, max(abs(lower), abs(upper))
            out += [[_inwards(lower, width, -1, f"{lower:g}"), _inwards(largest, width, 1, f"{upper:g}")]] * n
        else:
            bound, end = (lower, "infinity") if kind == LOWER else (upper, "-infinity")
            out += [[_inwards(bound, 1.0, -1, f"{bound:g}"), _outwards(end)]] * n
    return out


def _unbounded():
    """A density that falls as the distance's inverse, or more slowly, has no integral."""
    fall = np.log(_FAR / _NEAR)
    return [_Side(-_NEAR, -_FAR, fall, "-infinity"), _Side(_NEAR, _FAR, fall, "infinity")]


def _outwards(towards):
    return _Side(*_LOGS, 0.0, towards)


def _inwards(bound, width, sign, towards):
    """To where the distance to the bound still has digits: of a bound of 0, as far as logarithms go."""
    far = _LOGS[1] if bound == 0.0 else min(_LOGS[1], _RESOLVED + np.log(width / abs(bound)))
    return _Side(sign * (_LOGS[0] if far == _LOGS[1] else far - _APART), sign * far, 0.0, towards)
