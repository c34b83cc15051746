"""Whether a density can be a posterior at all: its log far out along free numbers, before anything is drawn.

A density whose integral is finite has finite integrals along almost every line of a given direction (Fubini). So one
that, from a few random points, does not fall fast enough along the same half-line to be integrable is refused: along
each number, then along sums and differences of numbers. What falls as slowly as it may, such as Student's t with few
degrees of freedom, passes; so does whatever overflows.
"""

from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from mlwright._kernels.density import INTERVAL, LOWER, ORDERED, REAL, SIMPLEX, UPPER
from mlwright._kernels.rng import uniform
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.rng import stream_id
from mlwright.bayes._directions import candidate_directions
from mlwright.bayes._gradient_check import free_name

_PURPOSE = 20  # of random numbers, beside those of chains, of the gradient's check and of Laplace's
_POINTS, _TRIES = 3, 20
_MOST_COORDINATES = 64  # looked at; of more, as many at random
_NEAR, _FAR = 1e50, 1e100  # of a number without bounds: squares are finite, and every scale anyone means is passed
_LOGS = 150.0, 300.0  # of the logarithm of a distance to a bound
_RESOLVED = 20.0  # by how much that logarithm may be below that of the bound, with eight digits left
_APART = 6.0
_MOST_NAMED = 3  # directions
_STRAIGHT = 0.01  # how far a power of the distance may be from a line in its logarithm
_LEAST, _ROUNDING, _BLURRED = 1e-9, 1e-12, 1e-3  # of a fall; of values; what rounding may hide of a fall


@dataclass(frozen=True)
class _Side:
    """A half-line along a free number, from `near` on to `far`; at least `fall` must be lost between them.

    Where digits end before the density may have begun to fall (`cut_short`), only what goes on as a line is known to
    rise for ever.
    """

    near: float
    far: float
    fall: float
    towards: str
    cut_short: bool = False


def refuse_improper(target, seed):
    """ValueError, which names parameters, where the density does not integrate; no verdict where it has no start."""
    points = _points(target, seed)
    if not points:
        return
    found = _numbers_without_end(target, points, seed) or _directions_without_end(target, points)
    if found:
        raise ValueError(
            f"density: the posterior is improper: from {len(points)} random points the log density does not fall fast "
            f"enough to have an integral along {', '.join(found)}; expected a density whose integral is finite; give "
            "the parameter a prior, such as densities.normal, or bounds"
        )


def _numbers_without_end(target, points, seed):
    sides = _sides(target.compiled.blocks)
    return [
        f"{free_name(target, i)} towards {side.towards}"
        for i in _looked_at(target.free_size, seed)
        for side in sides[i]
        if all(_stays(target, partial(_with_number, u, i), side) for u in points)
    ]


def _directions_without_end(target, points):
    """Along several numbers at once: of those without bounds, and of logarithms of those with a bound of 0."""
    kinds = _kinds(target.compiled.blocks)
    logs = [i for i, kind in enumerate(kinds) if kind in (LOWER, UPPER)]
    reals = [i for i, kind in enumerate(kinds) if kind == REAL]
    fall = np.log(_FAR / _NEAR)
    found = []
    for places, near, far, least in ((reals, _NEAR, _FAR, fall), (logs, *_LOGS, 0.0)):
        for v in candidate_directions(target, points[0], places):
            ways = [_Side(sign * near, sign * far, least, "") for sign in (1.0, -1.0)]
            open_ways = [way for way in ways if all(_stays(target, partial(_along, u, v), way) for u in points)]
            if open_ways:
                found.append(_told(target, kinds, np.sign(open_ways[0].far) * v))
            if len(found) == _MOST_NAMED:
                return found
    return found


def _told(target, kinds, v):
    ends = {}
    for i in np.flatnonzero(v):
        rises = v[i] > 0.0
        if kinds[i] == REAL:
            end = "infinity" if rises else "-infinity"
        elif rises:
            end = "infinity" if kinds[i] == LOWER else "-infinity"
        else:
            end = "0"
        ends.setdefault(end, []).append(free_name(target, i))
    return " with ".join(f"{' and '.join(names)} towards {end}" for end, names in ends.items())


def _kinds(blocks):
    """Of each free number; None for those with a bound that is not 0."""
    out = []
    for kind, size, lower, upper in blocks:
        bound = lower if kind == LOWER else upper
        out += [None if kind in (LOWER, UPPER) and bound != 0.0 else kind] * (int(size) - (kind == SIMPLEX))
    return out


def _points(target, seed):
    tries = (2 * uniform(seed, stream_id(_PURPOSE, k), target.free_size) - 1 for k in range(_TRIES))
    return list(islice((u for u in tries if np.isfinite(target.evaluate(u)[0])), _POINTS))


def _looked_at(n, seed):
    if n <= _MOST_COORDINATES:
        return range(n)
    return np.sort(np.argsort(uniform(seed, stream_id(_PURPOSE + 1), n))[:_MOST_COORDINATES])


def _stays(target, moved_to, side):
    near, far = (_value(target, moved_to(place)) for place in (side.near, side.far))
    if not (np.isfinite(near) and np.isfinite(far)):
        return False
    rounding = _ROUNDING * (abs(near) + abs(far))
    stays = rounding < _BLURRED and near - far <= side.fall + _LEAST + rounding
    if not (stays and side.cut_short):
        return stays
    middle = _value(target, moved_to(0.5 * (side.near + side.far)))
    return abs(near - 2.0 * middle + far) <= _STRAIGHT


def _with_number(u, i, place):
    moved = u.copy()
    moved[i] = place
    return moved


def _along(u, v, place):
    return u + place * v


def _value(target, u):
    try:
        return target.evaluate(u)[0]
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
            ends = _inwards(lower, width, -1, f"{lower:g}"), _inwards(largest, width, 1, f"{upper:g}")
            out += [[side for side in ends if abs(side.near) < abs(side.far)]] * n  # others lead away from the bound
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
    if bound == 0.0:
        return _Side(sign * _LOGS[0], sign * _LOGS[1], 0.0, towards)
    far = min(_LOGS[1], _RESOLVED + np.log(width / abs(bound)))
    return _Side(sign * (far - _APART), sign * far, 0.0, towards, cut_short=True)
