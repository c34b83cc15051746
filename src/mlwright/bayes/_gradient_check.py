"""A density's gradient against differences of its values, before a sampler relies on it."""

import numpy as np

from mlwright._kernels.density import SIMPLEX
from mlwright._kernels.rng import uniform
from mlwright._runtime.rng import stream_id

_PURPOSE = 16  # of random numbers, beside those of the chains
_POINTS = 3
_TRIES = 20
_MOST_COORDINATES = 64  # checked one by one; of more, as many at random
_STEP = 1e-3
_RTOL = 1e-5


def check_gradient(target, seed):
    """Compare at a few random points; no verdict where the density is finite at none of them.

    Raises
    ------
    ValueError
        That names the coordinate; or if two calls at one point give different numbers.
    """
    found = 0
    for attempt in range(_TRIES):
        u = 2 * uniform(seed, stream_id(_PURPOSE, attempt), target.free_size) - 1
        value, gradient, x = target.evaluate(u)
        if not np.isfinite(value):
            continue
        again = target.evaluate(u)
        if again[0] != value or again[1].tobytes() != gradient.tobytes():
            raise ValueError(
                f"density: two calls at parameters {x.tolist()} gave {value!r} and {again[0]!r}; expected a "
                "function of its arguments alone; draw no random numbers in it"
            )
        _compare(target, u, gradient, seed, attempt)
        found += 1
        if found == _POINTS:
            return


def _compare(target, u, gradient, seed, attempt):
    n = len(u)
    order = np.argsort(uniform(seed, stream_id(_PURPOSE + 1, attempt), n)) if n > _MOST_COORDINATES else np.arange(n)
    for i in order[:_MOST_COORDINATES]:
        slope, error = _richardson(target, u, i)
        if not np.isfinite(slope):
            continue
        off = abs(slope - gradient[i])
        if off > _RTOL * max(abs(slope), abs(gradient[i]), 1.0) + 10 * error:
            raise ValueError(
                f"density: the gradient with respect to {free_name(target, i)} is {gradient[i]:.8g} at parameters "
                f"{target.evaluate(u)[2].tolist()} (free scale), but differences of the density give {slope:.8g}; "
                "expected the derivative of what the function returns; correct the gradient, or "
                "leave it to gradient='forward'"
            )


def _richardson(target, u, i):
    """Derivative by central differences of two steps, extrapolated; and how far the two disagree."""

    def difference(step):
        ends = []
        for sign in (1, -1):
            moved = u.copy()
            moved[i] += sign * step
            ends.append(target.evaluate(moved)[0])
        return (ends[0] - ends[1]) / (2 * step)

    with np.errstate(invalid="ignore"):
        coarse, fine = difference(_STEP), difference(_STEP / 2)
        best = (4 * fine - coarse) / 3
        return best, abs(best - fine) * 0.1 + 1e-10 * abs(target.evaluate(u)[0])


def free_name(target, i):
    """Of free number ``i``: that of its parameter, whose numbers a simplex has one more of."""
    compiled = target.compiled
    at = 0
    for name, shape, (kind, size, _, _) in zip(compiled.names, compiled.shapes, compiled.blocks, strict=True):
        free = int(size) - (kind == SIMPLEX)
        if i < at + free:
            return f"{name}[{i - at}]" if shape else name
        at += free
    raise IndexError(i)
