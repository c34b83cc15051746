"""Coordinate descent on quadratics whose Gram matrix is at hand: many paths of penalties at once, threads over paths.

A path is a matrix ``gram[which[k]]``, a vector ``linear[k]``, a number ``square[k]`` and one row of strengths. Every
step of it

    minimise  b'Gb / 2 - c'b + square / 2 + sum_j P_j(b_j)

starts from the answer before. See ``cpp/include/mlwright/solver/coordinate_descent.hpp`` for the method and what the
certificates mean.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.solver


def _problem(gram, which, linear, square):
    which = layout.contiguous(which, np.int64)
    return layout.vector(gram), which, layout.vector(linear), layout.vector(square)


def _maybe(a):
    return None if a is None else layout.vector(a)


@kernel(
    native="solver.elastic_net_paths",
    twin="coordinate_descent:elastic_net_paths",
    strategy="coordinate_descent:elastic_net_problems",
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
)
def elastic_net_paths(
    gram,
    which,
    linear,
    square,
    l1,
    l2,
    l1_weight,
    l2_weight,
    *,
    low=None,
    high=None,
    start=None,
    tol=1e-6,
    violation=0.0,
    max_iter=1000,
    n_iter=None,
):
    """Elastic nets, ``P_j(b) = l1 l1_weight_j |b| + l2 l2_weight_j b^2 / 2``, within bounds if asked for.

    Parameters
    ----------
    gram : array of shape (m, p, p)
        Positive semidefinite.
    which : int64 array of shape (k,)
        The matrix of each path.
    linear : array of shape (k, p)
    square : array of shape (k,)
        Squares of the targets: what `tol` is relative to.
    l1, l2 : arrays of shape (k, s)
        Strengths, step by step.
    l1_weight, l2_weight : arrays of shape (p,)
        None negative; zero leaves a coefficient without penalty.
    low, high : arrays of shape (p,), optional
        Bounds, ``low <= 0 <= high``.
    start : array of shape (k, p), optional
        Where paths start; zeros if left out.
    tol : float
        A step ends when its duality gap is ``tol * square`` or less ...
    violation : float
        ... or the largest violation of its optimality conditions ``violation * sqrt(square)`` or less.
    max_iter : int
        Most sweeps of a step.
    n_iter : int32 array of shape (k, s), optional
        Receives the number of sweeps.

    Returns
    -------
    coef : array of shape (k, s, p)
    gap, violation : arrays of shape (k, s)
        Absolute certificates, of the answers returned.
    objective : array of shape (k, s)
    """
    coef, gap, worst, objective, sweeps = _core.elastic_net_paths(
        *_problem(gram, which, linear, square),
        layout.vector(l1),
        layout.vector(l2),
        layout.vector(l1_weight),
        layout.vector(l2_weight),
        _maybe(low),
        _maybe(high),
        _maybe(start),
        tol,
        violation,
        max_iter,
    )
    if n_iter is not None:
        n_iter[...] = sweeps
    return coef, gap, worst, objective


@kernel(
    native="solver.concave_paths",
    twin="coordinate_descent:concave_paths",
    strategy="coordinate_descent:concave_problems",
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
)
def concave_paths(
    gram,
    which,
    linear,
    square,
    kind,
    strength,
    gamma,
    weight,
    unit,
    *,
    low=None,
    high=None,
    start=None,
    violation=1e-8,
    max_iter=1000,
    n_iter=None,
):
    """MCP (``kind="mcp"``) and SCAD (``"scad"``), ``P_j(b) = P(unit_j b)`` of strength ``strength weight_j``.

    Everything else is as in :func:`elastic_net_paths`, but that nothing bounds the objective: a step ends at a
    stationary point, by `violation`.

    Returns
    -------
    coef : array of shape (k, s, p)
    violation : array of shape (k, s)
    """
    coef, _, worst, _, sweeps = _core.concave_paths(
        *_problem(gram, which, linear, square),
        kind == "scad",
        layout.vector(strength),
        gamma,
        layout.vector(weight),
        layout.vector(unit),
        _maybe(low),
        _maybe(high),
        _maybe(start),
        violation,
        max_iter,
    )
    if n_iter is not None:
        n_iter[...] = sweeps
    return coef, worst
