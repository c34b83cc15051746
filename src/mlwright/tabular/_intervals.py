"""What is kept of rows out of fold: residuals by the size of the prediction for intervals, errors for sets."""

import numpy as np

# Bins of this many residuals keep the 95 % ends of an interval to a few per cent of coverage.
_ROWS_PER_BIN = 400
_MOST_BINS = 20
_SLACK = 1e-9  # keeps 0.05 * 100 from becoming 4.999...


def residual_bins(predictions, residuals):
    """Residuals sorted within bins of the prediction.

    Errors tend to grow with what is predicted; quantiles within bins of the prediction follow that.

    Parameters
    ----------
    predictions, residuals : float64 ndarray (n,)
        Out of fold; residual = target - prediction.

    Returns
    -------
    edges : float64 ndarray (n_bins - 1,)
        Predictions between the bins; bin b has ``edges[b-1] < prediction <= edges[b]``.
    ends : int64 ndarray (n_bins,)
        Where each bin ends in `residuals`.
    residuals : float64 ndarray (n,)
    """
    n_bins = int(np.clip(len(predictions) // _ROWS_PER_BIN, 1, _MOST_BINS))
    edges = np.unique(np.quantile(predictions, np.arange(1, n_bins) / n_bins))
    edges = edges[_large_enough(np.bincount(np.searchsorted(edges, predictions), minlength=len(edges) + 1))]
    bins = np.searchsorted(edges, predictions)
    ends = np.cumsum(np.bincount(bins, minlength=len(edges) + 1))
    return edges, ends.astype(np.int64), residuals[np.lexsort((residuals, bins))]


def _large_enough(counts):
    """The edges to keep, so that no bin is small: equal predictions may leave little in one, which joins the next."""
    kept, gathered = [], 0
    for place, count in enumerate(counts[:-1]):
        gathered += count
        if gathered >= _ROWS_PER_BIN // 2:
            kept.append(place)
            gathered = 0
    if kept and gathered + counts[-1] < _ROWS_PER_BIN // 2:
        kept.pop()
    return kept


def conformal_interval(predictions, coverage, edges, ends, residuals):
    """Lower and upper ends around predictions; ``ValueError`` when there are too few residuals for the coverage.

    The ends are the order statistics ``floor((m + 1) a)`` and ``ceil((m + 1) (1 - a))``, ``a = (1 - coverage) / 2``, of
    the m residuals of the prediction's bin.

    References
    ----------
    Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World (2005), chapter 4. Barber et al.: Predictive
    inference with the jackknife+, Annals of Statistics 49 (2021), for residuals out of fold.
    """
    starts = np.concatenate([[0], ends[:-1]])
    sizes = ends - starts
    tail = (1 - coverage) / 2
    low = np.floor((sizes + 1) * tail + _SLACK).astype(np.int64)
    high = np.ceil((sizes + 1) * (1 - tail) - _SLACK).astype(np.int64)
    if (low < 1).any() or (high > sizes).any():
        raise ValueError(
            f"coverage {coverage} needs residuals of at least {int(np.ceil(1 / tail - _SLACK)) - 1} rows, got "
            f"{int(sizes.min())}; ask for less coverage or fit on more rows."
        )
    bins = np.searchsorted(edges, predictions)
    return predictions + residuals[starts + low - 1][bins], predictions + residuals[starts + high - 1][bins]


def conformal_sets(probabilities, coverage, errors):
    """Which classes are in the set of each row; ``ValueError`` when there are too few errors for the coverage.

    A class is in the set if 1 less its probability is at most the ``ceil((m + 1) coverage)``-th of the m sorted
    `errors`, 1 less the probabilities of the true classes out of fold; the likeliest class always is.

    References
    ----------
    Sadinle, Lei, Wasserman: Least ambiguous set-valued classifiers with bounded error levels, JASA 114 (2019). Barber
    et al.: Predictive inference with the jackknife+, Annals of Statistics 49 (2021), for errors out of fold.
    """
    rank = int(np.ceil((len(errors) + 1) * coverage - _SLACK))
    if rank > len(errors):
        raise ValueError(
            f"coverage {coverage} needs errors of at least {int(np.ceil(coverage / (1 - coverage) - _SLACK))} rows, "
            f"got {len(errors)}; ask for less coverage or fit on more rows."
        )
    in_set = 1 - probabilities <= errors[rank - 1]
    in_set[np.arange(len(in_set)), probabilities.argmax(axis=1)] = True
    return in_set
