"""Order statistics of errors on rows that a model was not fitted on: what intervals and sets are made from.

If m rows and a new one are exchangeable, the error of the new one is at most the ``ceil((m + 1) c)``-th smallest of
theirs with probability of at least c, on average over all of them. A row of whole weight w is w rows.

References
----------
Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World (2005), chapter 4.
"""

import numpy as np

_SLACK = 1e-9  # keeps 0.05 * 100 from becoming 4.999...


def as_repetitions(weight):
    """Weights that count rows: whole numbers are repetitions, others are scaled to a mean of 1."""
    return weight if (weight == np.floor(weight)).all() else weight / weight.mean()


def order_statistics(errors, weight, coverage, below, above, remedy):
    """The errors between which a new one lies: less than a share `below` of all under the first, likewise above.

    Parameters
    ----------
    errors : float64 ndarray (m,)
        Sorted.
    weight : float64 ndarray (m,) or None
        As of :func:`as_repetitions`; None is 1 each.
    coverage : float
        What the message says was asked for.
    below, above : float or None
        None asks for no bound on that side, and gets None.
    remedy : str
        What gives more errors, for the message.

    Raises
    ------
    ValueError
        If there are too few errors for the shares.
    """
    up_to = None if weight is None else np.cumsum(weight)
    n_rows = len(errors) if up_to is None else up_to[-1]
    low = None if below is None else np.floor((n_rows + 1) * below + _SLACK)
    high = None if above is None else np.ceil((n_rows + 1) * (1 - above) - _SLACK)
    if (low is not None and low < 1) or (high is not None and high > n_rows + _SLACK):
        needed = int(np.ceil(1 / min(share for share in (below, above) if share is not None) - _SLACK)) - 1
        raise ValueError(
            f"coverage: got {coverage}, for which errors of at least {needed} rows are needed that the model was not "
            f"fitted on, and {n_rows:g} are there; ask for less coverage or {remedy}"
        )
    return tuple(None if rank is None else errors[_place(up_to, rank)] for rank in (low, high))


def _place(up_to, rank):
    """Where the error of that rank, counted from 1, is."""
    return int(rank) - 1 if up_to is None else place_of(up_to, rank)


def place_of(up_to, ranks):
    """The first places up to which rows of those ranks are, by cumulated weights."""
    return np.minimum(np.searchsorted(up_to, ranks - _SLACK), len(up_to) - 1)
