"""What is kept of rows out of fold: residuals by the size of the prediction for intervals, errors for sets."""

import numpy as np

from mlwright._conformal import as_repetitions, order_statistics, place_of

# Bins of this many residuals keep the 95 % ends of an interval to a few per cent of coverage.
_ROWS_PER_BIN = 400
_MOST_BINS = 20
_REMEDY = "fit on more rows"


def residual_bins(predictions, residuals, weight=None):
    """Residuals sorted within bins of the prediction.

    Errors tend to grow with what is predicted; quantiles within bins of the prediction follow that.

    Parameters
    ----------
    predictions, residuals : float64 ndarray (n,)
        Out of fold; residual = target - prediction.
    weight : float64 ndarray (n,) or None
        A row of whole weight w is w rows.

    Returns
    -------
    edges : float64 ndarray (n_bins - 1,)
        Predictions between the bins; bin b has ``edges[b-1] < prediction <= edges[b]``.
    ends : int64 ndarray (n_bins,)
        Where each bin ends in `residuals`.
    residuals : float64 ndarray (n,)
    weight : float64 ndarray (n,) or None
        Of the residuals, each counting so many rows.
    """
    weight = None if weight is None else as_repetitions(weight)
    edges = _edges(predictions, weight)
    bins = np.searchsorted(edges, predictions)
    ends = np.cumsum(np.bincount(bins, minlength=len(edges) + 1))
    order = np.lexsort((residuals, bins))
    return edges, ends.astype(np.int64), residuals[order], None if weight is None else weight[order]


def _edges(predictions, weight):
    """Quantiles of the predictions, less those that would leave a bin small."""
    order = np.argsort(predictions, kind="stable")
    up_to = np.arange(1.0, len(order) + 1) if weight is None else np.cumsum(weight[order])
    n_bins = int(np.clip(up_to[-1] // _ROWS_PER_BIN, 1, _MOST_BINS))
    ranks = np.arange(1, n_bins) * up_to[-1] / n_bins
    edges = np.unique(predictions[order][place_of(up_to, ranks)])
    bins = np.searchsorted(edges, predictions)
    return edges[_large_enough(np.bincount(bins, weights=weight, minlength=len(edges) + 1))]


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


def conformal_interval(predictions, coverage, edges, ends, residuals, weight=None):
    """Lower and upper ends around predictions; ``ValueError`` when there are too few residuals for the coverage.

    The ends are the order statistics ``floor((m + 1) a)`` and ``ceil((m + 1) (1 - a))``, ``a = (1 - coverage) / 2``, of
    the m residuals of the prediction's bin.

    References
    ----------
    Barber et al.: Predictive inference with the jackknife+, Annals of Statistics 49 (2021), for residuals out of fold.
    """
    tail = (1 - coverage) / 2
    of_bins = [
        order_statistics(residuals[rows], None if weight is None else weight[rows], coverage, tail, tail, _REMEDY)
        for rows in map(slice, [0, *ends[:-1]], ends)
    ]
    low, high = np.array(of_bins)[np.searchsorted(edges, predictions)].T
    return predictions + low, predictions + high


def conformal_sets(probabilities, coverage, errors, weight=None):
    """Which classes are in the set of each row; ``ValueError`` when there are too few errors for the coverage.

    A class is in the set if 1 less its probability is at most the ``ceil((m + 1) coverage)``-th of the m sorted
    `errors`, 1 less the probabilities of the true classes out of fold; the likeliest class always is.

    References
    ----------
    Sadinle, Lei, Wasserman: Least ambiguous set-valued classifiers with bounded error levels, JASA 114 (2019). Barber
    et al.: Predictive inference with the jackknife+, Annals of Statistics 49 (2021), for errors out of fold.
    """
    _, largest = order_statistics(errors, weight, coverage, None, 1 - coverage, _REMEDY)
    in_set = 1 - probabilities <= largest
    in_set[np.arange(len(in_set)), probabilities.argmax(axis=1)] = True
    return in_set


def sorted_errors(errors, weight):
    """What `conformal_sets` reads."""
    order = np.argsort(errors, kind="stable")
    return errors[order], None if weight is None else as_repetitions(weight)[order]
