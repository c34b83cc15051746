"""Stochastic gradient descent on linear models, an epoch at a time; see ``solver/sgd.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.linalg import as_design
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

#: As in ``loss::Margin`` and ``solver::Schedule``.
LOSSES = (
    "hinge",
    "squared_hinge",
    "modified_huber",
    "log_loss",
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
)
SCHEDULES = ("constant", "optimal", "invscaling", "adaptive", "pa1", "pa2")


def as_rows(X):
    """What the kernels read: a C-contiguous float array, or the parts of a CSR matrix that holds each entry once."""
    if isinstance(X, np.ndarray):
        return np.ascontiguousarray(layout.floats(X))
    csr = X.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return as_design(csr)


@kernel(native="sgd.row_keys", twin="sgd:keys_and_finiteness", strategy="sgd:rows_and_target")
def keys_and_finiteness(X, y):
    """:func:`row_keys`, and whether all values of the rows are finite."""
    return core.sgd.row_keys(X, layout.vector(y))


def row_keys(X, y):
    """A 64-bit number for each row that depends on its values and its target alone, alike for dense and sparse rows."""
    return keys_and_finiteness(X, y)[0]


@kernel(native="sgd.epoch", twin="sgd:epoch", strategy="sgd:epochs", tolerance=Tolerance(rtol=1e-8, atol=1e-10))
def epoch(X, y, row, weight, class_weight, eta, state, settings):
    """One epoch of k problems over the same rows.

    Parameters
    ----------
    X : C-contiguous array of shape (n, p) or CSR tuple
    y : float64 array of shape (k, n)
        Numbers, or -1 and 1.
    row : int64 array of shape (V,)
        The row of each visit, before they are shuffled.
    weight : float64 array of shape (V,), optional
    class_weight : float64 array of shape (k, 2)
        Of targets above zero, and of the others.
    eta : float64 array of shape (k,)
        Step of the constant and adaptive schedules.
    state : tuple of arrays
        coef (k, p), intercept (k,), paid (k, p) and due (k,) of the L1 penalty or None, sums of the averaged
        coefficients (k, p) and intercepts (k,) or None. Left alone.
    settings : dict
        loss, parameter, alpha, l1_ratio, schedule, eta0, power_t, t, average, fit_intercept, shuffle, seed, number.

    Returns
    -------
    losses : array of shape (k,)
        Weighted sums of the losses before each visit.
    state : arrays, without the None
    """
    new = [None if a is None else np.array(a, dtype=np.float64, order="C") for a in state]
    codes = {"loss": LOSSES.index(settings["loss"]), "schedule": SCHEDULES.index(settings["schedule"])}
    losses = core.sgd.epoch(
        X, np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(row, dtype=np.int64),
        None if weight is None else layout.vector(weight), np.ascontiguousarray(class_weight, dtype=np.float64),
        layout.vector(eta), *new, **{**settings, **codes},
    )  # fmt: skip
    return (losses, *(a for a in new if a is not None))
