"""Inputs for ``mlwright._kernels.coordinate_descent``: well-posed, so that there is one answer."""

import numpy as np
from hypothesis import strategies as st

_TIGHT = 1e-15


def _problem(draw, most_columns=9):
    """Gram matrices of more rows than columns, right-hand sides, squares: ``(rng, gram, which, linear, square)``."""
    p, m, k = draw(st.integers(1, most_columns)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((m, 3 * p + 4, p)) * np.exp(rng.normal(0, 0.7, p))
    if p > 1 and draw(st.booleans()):
        X[:, :, p // 2] = 0.0  # a column without spread
    which = rng.integers(0, m, k)
    y = np.einsum("knp,p->kn", X[which], rng.standard_normal(p)) + rng.standard_normal((k, 3 * p + 4))
    linear = np.einsum("knp,kn->kp", X[which], y)
    return rng, np.einsum("mnp,mnq->mpq", X, X), which, linear, (y * y).sum(axis=1)


def _falling(rng, linear, steps):
    top = np.abs(linear).max(axis=1) + 1e-3
    return top[:, None] * np.sort(rng.random((len(linear), steps)) * 1.2)[:, ::-1]


@st.composite
def elastic_net_problems(draw):
    rng, gram, which, linear, square = _problem(draw)
    p, steps = linear.shape[1], draw(st.integers(1, 3))
    l1 = _falling(rng, linear, steps)
    l2 = l1 * draw(st.sampled_from([0.0, 0.3]))
    options = {"tol": _TIGHT, "violation": 1e-13, "max_iter": 100_000}
    if draw(st.booleans()):
        options |= {"low": -0.2 * rng.random(p), "high": np.where(rng.random(p) < 0.5, 0.3, np.inf)}
        if draw(st.booleans()):
            options |= {"low": np.zeros(p), "high": np.full(p, np.inf)}
    elif draw(st.booleans()):
        options["start"] = rng.standard_normal(linear.shape)
    l1_weight, l2_weight = rng.random(p) + 0.2, rng.random(p) + 0.2
    return (gram, which, linear, square, l1, l2, l1_weight, l2_weight), options


@st.composite
def concave_problems(draw):
    rng, gram, which, linear, square = _problem(draw, most_columns=1 if draw(st.integers(0, 3)) == 0 else 5)
    p, steps = linear.shape[1], draw(st.integers(1, 3))
    kind, gamma = draw(st.sampled_from(["mcp", "scad"])), draw(st.sampled_from([2.5, 20.0]))
    if p > 1:  # convex as a whole: the Gram matrix's curvature is above the penalty's
        gram = gram + np.eye(p) * 3.0
    unit = np.exp(rng.normal(0, 0.3, p)) if p == 1 else np.full(p, 1.0)
    strength = _falling(rng, linear, steps)
    options = {"violation": 1e-13, "max_iter": 100_000}
    if draw(st.booleans()):
        options |= {"low": -0.3 * rng.random(p), "high": np.where(rng.random(p) < 0.5, 0.5, np.inf)}
    return (gram, which, linear, square, kind, strength, gamma, rng.random(p) + 0.2, unit), options
