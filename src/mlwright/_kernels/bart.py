"""Chains of BART and sums of the trees they draw.

Drawn trees are a dict of arrays, see ``cpp/include/mlwright/sampler/bart/draws.hpp``; columns are rows
``(n_cuts, has_missing, n_codes)``, n_codes being 0 of numbers.
"""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

__all__ = ["FIELDS", "LOG_UNIT", "MISSING", "MOST_LEAVES", "check_trees", "options", "run", "run_small", "sums"]

MISSING = 255  # the code of a missing number
MOST_LEAVES = 255  # of a tree
LOG_UNIT = 2.0**-20  # of logarithms of variances
FIELDS = {
    "variable": np.int32,
    "value": np.int32,
    "right": np.uint16,
    "kind": np.uint8,
    "bound": np.uint8,
    "sets": np.uint64,
    "ends": np.int64,
}
SET_RULE, SET_WORDS = 2, 4


def options(
    *,
    seed,
    n_trees,
    tau2,
    leaf_freedom=0.0,
    nu=3.0,
    lam=1.0,
    sigma2=1.0,
    sigma_is_fixed=False,
    n_variance_trees=0,
    variance_nu=3.0,
    variance_lam=1.0,
    unit=2.0**-24,
    weight_unit=1.0,
    min_weight=0,
    alpha=0.95,
    beta=2.0,
    max_depth=255,
    root_sweeps=0,
    is_sparse=False,
    is_probit=False,
    offset=0.0,
    chains=1,
    burn_in=0,
    draws=1,
    thin=1,
):
    """What a chain is run by; residuals count in `unit`, weights in `weight_unit`."""
    return locals()


def run(codes, columns, target, weight, options, reporter=None):
    """Kept draws of all chains, one chain after another.

    Returns
    -------
    trees, variance_trees : dict of the arrays of ``FIELDS``
        Leaves of the latter are logarithms of variances, in units of ``LOG_UNIT``.
    sigma2 : ndarray of shape (draws,)
        Of the noise; where it differs from row to row, on average over them.
    """
    return core.bart.run(
        np.asarray(codes, dtype=np.uint8),
        np.ascontiguousarray(columns, dtype=np.int32),
        np.ascontiguousarray(target, dtype=np.int32),
        np.ascontiguousarray(weight, dtype=np.int64),
        options,
        None if reporter is None else reporter.native,
        0.0 if reporter is None else reporter.interval,
    )


@kernel(native="bart.run", twin="bart_chain:run_small", strategy="bart:small_chains", tolerance=Tolerance(1e-9, 1e-6))
def run_small(codes, columns, target, weight, options):
    """The arrays of :func:`run`, leaf values in the scale of the target and as logarithms."""
    trees, variance_trees, sigma2 = run(codes, columns, target, weight, options)
    return *in_scale(trees, options["unit"]), *in_scale(variance_trees, LOG_UNIT), sigma2


def in_scale(trees, unit):
    """The arrays in order, leaf values times `unit`."""
    values = np.where(trees["variable"] < 0, trees["value"] * unit, trees["value"])
    return tuple(values if name == "value" else array for name, array in sorted(trees.items()))


def check_trees(trees, columns, n_trees):
    """ModelFormatError unless the arrays are whole draws of that many trees over the columns."""
    core.bart.check(trees, np.ascontiguousarray(columns, dtype=np.int32), n_trees)


@kernel(native=("bart.predict", "bart.check"), twin="bart_chain:checked_sums", strategy="bart:trees_and_codes")
def checked_sums(trees, columns, n_trees, codes, offset, scale):
    """The sums of arrays that were checked before."""
    check_trees(trees, columns, n_trees)
    return sums(trees, n_trees, codes, offset, scale)


def sums(trees, n_trees, codes, offset=0.0, scale=1.0):
    """Sums of every draw for every row of codes: shape (draws, rows)."""
    out = np.empty((len(trees["ends"]) // n_trees, len(codes)))
    core.bart.predict(trees, n_trees, np.asarray(codes, dtype=np.uint8), offset, scale, out)
    return out
