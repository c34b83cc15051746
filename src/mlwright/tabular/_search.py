"""Cross-validation of candidates on equal folds, within a time limit; and the interval of a mean over folds."""

from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
from scipy.special import stdtrit

from mlwright._runtime.progress import Reporter, watch_progress
from mlwright.preprocessing._columns import take_rows

# Stages of progress events are this and the label of the candidate; `done` and `total` count the folds of all.
STAGE = "cross-validating: "


@dataclass
class Trial:
    """What cross-validation found of one candidate; `predictions` are out of fold, NaN where none was made."""

    name: str
    scores: list[dict[str, float]] = field(default_factory=list)
    predictions: Any = None
    complete: bool = False


def cross_validate(candidates, X, y, weight, folds, *, predict, evaluate, deadline):
    """Cross-validate candidates one after the other.

    A candidate is given up when the time that its folds so far took says that it cannot end, and be refitted, before
    the deadline. The first two (the baseline and the cheapest) always end.

    Parameters
    ----------
    candidates : list of Candidate
    weight : float64 ndarray (n,) or None
    folds : list of (train, test) index arrays
    predict : callable
        ``predict(model, X)`` -> array (n,) or (n, k).
    evaluate : callable
        ``evaluate(y, predictions, weight)`` -> dict of metric -> float.
    deadline : float
        As `time.monotonic` tells it.

    Returns
    -------
    list of Trial
    """
    trials, done, total = [], 0, len(candidates) * len(folds)
    for number, candidate in enumerate(candidates):
        trial, reporter = Trial(candidate.name), Reporter(f"{STAGE}{candidate.label}", total)
        reporter.report(done)
        start = monotonic()
        for fold, (train, test) in enumerate(folds):
            if number >= 2 and _too_late(start, fold, len(folds), deadline):
                done += len(folds) - fold
                break
            try:
                with watch_progress(partial(_stop_when_late, deadline if number >= 2 else np.inf)):
                    model = candidate.fitted(take_rows(X, train), y[train], _of(weight, train))
            except _OutOfTimeError:
                done += len(folds) - fold
                break
            predictions = predict(model, take_rows(X, test))
            if trial.predictions is None:
                trial.predictions = np.full((len(y), *predictions.shape[1:]), np.nan)
            trial.predictions[test] = predictions
            trial.scores.append(evaluate(y[test], predictions, _of(weight, test)))
            done += 1
            reporter.report(done)
        trial.complete = len(trial.scores) == len(folds)
        trials.append(trial)
    return trials


def _of(weight, rows):
    return None if weight is None else weight[rows]


class _OutOfTimeError(Exception):
    """Ends a fit in its middle."""


def _stop_when_late(deadline, _event):
    if monotonic() > deadline:
        raise _OutOfTimeError


def _too_late(start, n_done, n_folds, deadline):
    now = monotonic()
    if n_done == 0:
        return now >= deadline
    still_to_fit = n_folds - n_done + 1  # the refit on all rows is one more
    return now + (now - start) / n_done * still_to_fit > deadline


def fold_interval(scores, share_tested, coverage=0.95):
    """Mean of the scores of folds, with a t interval.

    The training sets of folds overlap, so their scores are no independent sample; the variance of the mean is the
    corrected one of Nadeau and Bengio, ``(1/k + n_test/n_train) s^2``.

    Parameters
    ----------
    scores : sequence of float (k,)
    share_tested : float
        ``n_test / n_train`` of a fold.
    coverage : float, default=0.95

    Returns
    -------
    mean, low, high : float

    References
    ----------
    Nadeau, Bengio: Inference for the generalization error, Machine Learning 52 (2003).

    Examples
    --------
    >>> from mlwright.tabular._search import fold_interval
    >>> [round(value, 3) for value in fold_interval([0.8, 0.9, 0.7], 0.5)]
    [0.8, 0.407, 1.193]
    """
    scores = np.asarray(scores, dtype=np.float64)
    mean = float(scores.mean())
    if len(scores) < 2:
        return mean, -np.inf, np.inf
    deviation = np.sqrt((1 / len(scores) + share_tested) * scores.var(ddof=1))
    half = float(stdtrit(len(scores) - 1, (1 + coverage) / 2) * deviation)
    return mean, mean - half, mean + half
