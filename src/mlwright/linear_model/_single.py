"""Sums of float32 rows in float32 arithmetic, at twice the speed, where the answer allows.

Sums of products of centred columns are then right to about 1e-8 of their size, which well-conditioned least squares
passes on to its answer; float32 coefficients have no more digits. Anything harder is summed in float64.
"""

import numpy as np

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright.linear_model._system import Factor, Problem

_LEAST_ROWS = 1 << 15  # fewer cost little either way, and their roundings do not average out
_MOST_COLUMNS = 500  # a Gram matrix stays in the cache of a core
_CONDITION = 100.0  # which the errors of sums grow by on their way into coefficients
_LEFT = 5e-3  # share of a target that its fit must leave, so that a sum of squares keeps six digits


def single_statistics(rows, fit_intercept):
    """Fold statistics of dense, unweighted float32 rows; None where float64 is called for.

    Parameters
    ----------
    rows : Rows
    fit_intercept : bool

    Returns
    -------
    FoldStatistics or None
    """
    if rows.w is not None or rows.is_sparse or rows.design.dtype != np.float32:
        return None
    n, p = rows.design.shape
    if n < _LEAST_ROWS or p + rows.y.shape[1] > _MOST_COLUMNS:
        return None
    statistics = FoldStatistics.of_single(rows.design, rows.y)
    return statistics if statistics is not None and _is_easy(Problem.of(statistics, fit_intercept)) else None


def _is_easy(problem):
    """Whether least squares is well-conditioned and leaves something of every target."""
    factor = Factor.of(problem.gram, problem.active)
    if not factor.condition <= _CONDITION:
        return False
    explained = (factor.solve(problem.cross) * problem.cross).sum(axis=0)
    return bool((problem.square - explained >= _LEFT * problem.square).all())
