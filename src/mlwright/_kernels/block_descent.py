"""Block coordinate descent on quadratics whose Gram matrix is at hand: penalties of groups, several targets.

See ``cpp/include/mlwright/solver/block_descent.hpp`` for the method and what the certificates mean.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.blocks


def _integers(a):
    return layout.contiguous(a, np.int64)


@kernel(
    native="blocks.block_paths",
    twin="block_descent:block_paths",
    strategy="block_descent:block_problems",
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
)
def block_paths(
    gram,
    which,
    linear,
    square,
    groups,
    strengths,
    weights,
    *,
    start=None,
    low=None,
    high=None,
    tol=1e-6,
    violation=0.0,
    max_iter=1000,
    n_iter=None,
):
    """Many paths of ``tr(B'GB) / 2 - tr(C'B) + square / 2 + sum_g P_g(B_g)``, each step from the answer before.

    ``P_g(B) = l1 sum_j l1_weight_j |B_j|_1 + norm norm_weight_g |B|_2 + ridge ridge_weight_g |B|_2^2 / 2``.

    Parameters
    ----------
    gram : array of shape (m, p, p)
        Positive semidefinite.
    which : int64 array of shape (k,)
        The matrix of each path.
    linear : array of shape (k, t, p)
    square : array of shape (k,)
        Squares of the targets: what `tol` is relative to.
    groups : pair of int64 arrays of shapes (n_groups + 1,) and (m,)
        Group g has the features ``member[start[g]:start[g + 1]]``; each feature is in at most one, and one in none
        keeps its start.
    strengths : three arrays of shape (k, s)
        l1, norm and ridge, step by step.
    weights : arrays of shapes (m,), (n_groups,) and (n_groups,)
        Of the three; l1's in the order of `member`.
    start : array of shape (k, t, p), optional
        Where paths start; zeros if left out.
    low, high : arrays of shape (m,), optional
        Bounds of coefficients, in the order of `member`, with zero between; a start outside them is brought inside.
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
    coef : array of shape (k, s, t, p)
    gap, violation, objective : arrays of shape (k, s)
        Absolute, of the answers returned.
    """
    coef, gap, worst, objective, sweeps = _core.block_paths(
        layout.vector(gram),
        _integers(which),
        layout.vector(linear),
        layout.vector(square),
        *(_integers(part) for part in groups),
        *(layout.vector(part) for part in strengths),
        *(layout.vector(part) for part in weights),
        *(None if part is None else layout.vector(part) for part in (start, low, high)),
        tol,
        violation,
        max_iter,
    )
    if n_iter is not None:
        n_iter[...] = sweeps
    return coef, gap, worst, objective
