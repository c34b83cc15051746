"""Which columns belong into a linear regression; see ``sampler/spike_slab.hpp``."""

from typing import NamedTuple

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

#: Columns up to which all sets can be enumerated.
MOST_ENUMERATED = 25


class Selection(NamedTuple):
    """A problem: ``matrix`` is ``[[X'X + kappa I, X'y], [y'X, y'y]]``, of shape (p + 1, p + 1).

    ``log_prior``, of shape (p + 1,), is the log prior of one set of each size; ``log_slab`` is ``log(kappa) / 2``;
    ``shape`` and ``rate`` are of the noise's variance: the posterior's shape and the prior's rate.
    """

    matrix: np.ndarray
    log_prior: np.ndarray
    log_slab: float
    shape: float
    rate: float


def _arguments(selection):
    matrix, log_prior, *numbers = selection
    return (layout.vector(matrix), layout.vector(log_prior), *map(float, numbers))


@kernel(
    native="selection.enumerate_sets",
    twin="selection:enumerate_sets",
    strategy="selection:selections",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def enumerate_sets(selection):
    """Log weights of all sets, bit j of their number being column j, and posterior means of the coefficients.

    Returns
    -------
    log_weight : array of shape (2**p,)
    coef : array of shape (p,)
    """
    p = len(selection[1]) - 1
    if p > MOST_ENUMERATED:
        raise ValueError(f"enumerate_sets: got {p} columns, expected at most {MOST_ENUMERATED}")
    log_weight, coef = np.empty(1 << p), np.empty(p)
    core.selection.enumerate_sets(*_arguments(selection), log_weight, coef)
    return log_weight, coef


def sample_sets(selection, seed, chains, warm_up, draws, reporter, rows=None):
    """Draws of coefficients, of shape (chains, draws, p), and of the noise's variance, (chains, draws).

    `rows`: X of shape (n, p) and y of shape (n,), whose matrix it is; where there are fewer rows than columns, large
    sets then cost less.
    """
    coef, variance = np.empty((chains, draws, len(selection[1]) - 1)), np.empty((chains, draws))
    columns, y = (None, None) if rows is None else (np.ascontiguousarray(rows[0].T), layout.vector(rows[1]))
    core.selection.sample_sets(
        *_arguments(selection), columns, y, seed, warm_up, coef, variance, reporter.native, reporter.interval
    )
    return coef, variance
