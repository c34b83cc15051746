"""Order statistics of rows of draws, and quantiles from them; ``sampler/order_statistics.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


@kernel(
    native="order_statistics.order_statistics",
    twin="order_statistics:order_statistics",
    strategy="order_statistics:rows_and_places",
    tolerance=Tolerance(rtol=0.0, atol=0.0),
)
def order_statistics(values, places):
    """Of each row, what stands at places once it is sorted, and next to them.

    Parameters
    ----------
    values : array of shape (n, n_draws)
    places : integer array of shape (k,)
        From 0 to ``n_draws - 1``.

    Returns
    -------
    array of shape (n, k, 2)
        The number at each place, and the one after it (at the last, itself); NaN for a row with a NaN.
    """
    values, places = layout.vector(values), layout.contiguous(places, np.int64)
    out = np.empty((len(values), len(places), 2))
    core.order_statistics.order_statistics(values, places, out)
    return out
