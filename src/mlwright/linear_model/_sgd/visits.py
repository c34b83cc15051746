"""The visits of an epoch of stochastic gradient descent: which rows, how often, with which weight.

A row of weight k is visited k times, as k rows would be. For that to be the same model, and not only as good a one,
the order of the visits must not depend on where the rows stand: they are put in an order of their own by a key of
their content before they are shuffled, so equal rows are neighbours, whether they were given once with a weight or
several times. The part of a weight beyond a whole number is a last visit of less weight; a weight below one is one
visit of that weight, which is scikit-learn's rule.
"""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels.sgd import row_keys

_MOST_VISITS_A_ROW = 16  # on average; beyond, a visit stands for a power of two of repetitions
_FEW_VISITS = 1024  # that are never too many


@dataclass(frozen=True)
class Visits:
    """Rows of an epoch and the weights of their visits (None: all ones)."""

    row: np.ndarray
    weight: np.ndarray | None

    @property
    def total(self):
        return float(len(self.row)) if self.weight is None else float(self.weight.sum())


def visits_of(design, y, w, *, shuffle, chosen=None):
    """The visits of one epoch.

    Parameters
    ----------
    design : as :func:`mlwright._kernels.sgd.as_rows` returns it
    y : float64 array of shape (n,)
    w : float64 array of shape (n,), or None
    shuffle : bool
        False visits the rows as they stand.
    chosen : bool array of shape (n,), optional
        The rows to visit; all when left out.
    """
    order = _order_of_content(design, y, w) if shuffle else np.arange(len(y))
    if chosen is not None:
        order = order[chosen[order]]
    if w is None:
        return Visits(order, None)
    order = order[w[order] > 0.0]
    w, unit = w[order], 1.0
    most = max(_FEW_VISITS, _MOST_VISITS_A_ROW * len(w))
    while np.ceil(w / unit).sum() > most:
        unit *= 2.0
    count = np.ceil(w / unit).astype(np.int64)
    weight = np.full(count.sum(), unit)
    weight[np.cumsum(count) - 1] = w - (count - 1) * unit
    return Visits(np.repeat(order, count), None if (weight == 1.0).all() else weight)


def _order_of_content(design, y, w):
    """The rows, ordered by what they and their targets and weights are, wherever they stand."""
    keys = row_keys(design, y, brief=True)
    order = np.argsort(keys)
    rising = keys[order]
    same = rising[1:] == rising[:-1]
    if same.any():  # of rows that begin alike the rest decides, and of equal ones the weight
        places = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rows = order[places]
        by = (row_keys(design, y)[rows], keys[rows])
        order[places] = rows[np.lexsort(by if w is None else (w[rows], *by))]
    return order
