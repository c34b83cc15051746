"""Stochastic gradient descent on linear models; see ``solver/sgd.hpp``."""

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


@kernel(native="sgd.row_keys", twin="sgd:row_keys", strategy="sgd:rows_and_target")
def row_keys(X, y, brief=False):
    """A 64-bit number for each row that depends on its values and its target alone, alike for dense and sparse rows.

    ``brief``: on its first eight values that are not zero, and the target.
    """
    return core.sgd.row_keys(X, layout.vector(y), brief)


@kernel(native="sgd.descend", twin="sgd:descend", strategy="sgd:descents", tolerance=Tolerance(rtol=1e-8, atol=1e-10))
def descend(X, y, row, weight, class_weight, state, settings, after=None):
    """Epochs of k problems over the same rows, until each has stopped.

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
    state : tuple of arrays
        coef (k, p), intercept (k,), sums of the averaged coefficients (k, p) and intercepts (k,) or None. Left alone.
    settings : dict
        loss, parameter, penalised, alpha, l1_ratio, schedule, eta0, power_t, t, average, fit_intercept, shuffle, seed,
        max_iter; patience: epochs without progress that a problem makes, 0 asks for none; tol: what counts as progress.
    after : callable, optional
        ``after(epoch, going, losses, coef, intercept)`` after each epoch with the numbers and the sums of losses of the
        problems that go on; may return what should fall instead of their objectives, one number each.

    Returns
    -------
    overflowed : int
        The epoch in which a parameter or a prediction was not finite, or -1.
    n_iter : int64 array of shape (k,)
    value : array of shape (k,)
        The objectives that the last epochs met, or what `after` said; NaN where nothing asked for them.
    state : arrays, without the None
    """
    new = [None if a is None else np.array(a, dtype=np.float64, order="C") for a in state]
    codes = {"loss": LOSSES.index(settings["loss"]), "schedule": SCHEDULES.index(settings["schedule"])}
    tell = None if after is None else lambda *epoch: after(*epoch, *new[:2])
    found = core.sgd.descend(
        X, np.ascontiguousarray(y, dtype=np.float64), np.ascontiguousarray(row, dtype=np.int64),
        None if weight is None else layout.vector(weight), np.ascontiguousarray(class_weight, dtype=np.float64), *new,
        tell, **{**settings, **codes},
    )  # fmt: skip
    return (*found, *(a for a in new if a is not None))
