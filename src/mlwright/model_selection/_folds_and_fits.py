"""Candidates on folds through the shared fit path: what scikit-learn's ``_fit_and_score`` returns, for many at once."""

import time
from dataclasses import dataclass, field
from threading import Lock
from traceback import format_exc
from typing import Any

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection._validation import _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from mlwright._runtime.progress import Reporter
from mlwright._runtime.side_by_side import side_by_side
from mlwright._runtime.threads import get_num_threads, resolve_n_jobs
from mlwright._shared_fits import Memo, TrainingRows


@dataclass(frozen=True)
class Task:
    """What is the same for all fits of one search."""

    X: Any
    y: Any
    scorer: Any
    fit_params: dict
    score_params: dict
    return_train_score: bool
    error_score: Any


@dataclass
class Fold:
    """The rows of one split, cut when first needed and dropped after the last batch."""

    task: Task
    estimator: Any
    train: np.ndarray
    test: np.ndarray
    n_batches: int
    memo: Memo
    _lock: Any = field(default_factory=Lock)
    _rows: TrainingRows | None = None
    _test_rows: tuple | None = None

    def open(self):
        """Rows to fit on; X, y and parameters to score by, of the test and of the training rows."""
        task = self.task
        with self._lock:
            if self._rows is None:
                X, y = _safe_split(self.estimator, task.X, task.y, self.train)
                self._rows = TrainingRows(X, y, _check_method_params(task.X, task.fit_params, self.train), self.memo)
                X, y = _safe_split(self.estimator, task.X, task.y, self.test, self.train)
                self._test_rows = (X, y, _check_method_params(task.X, task.score_params, self.test))
            return self._rows, self._test_rows

    def close(self):
        with self._lock:
            self.n_batches -= 1
            if self.n_batches == 0:
                self._rows = self._test_rows = self.memo = None


def evaluate(task, estimator, candidates, splits, *, n_jobs, verbose):
    """Results of every candidate on every split, in the order of scikit-learn: candidate by candidate.

    Parameters
    ----------
    candidates : list of dict
        Parameters.
    splits : list of (train, test)

    Returns
    -------
    list of dict
        As from ``_fit_and_score``.
    """
    settings = [clone(estimator).set_params(**clone(parameters, safe=False)) for parameters in candidates]
    groups = estimator._batches(settings)
    n_threads = resolve_n_jobs(n_jobs) or get_num_threads()
    folds = [Fold(task, estimator, *split, len(groups), Memo(n_threads)) for split in splits]
    results = [None] * (len(candidates) * len(splits))
    config = get_config()  # scikit-learn's is of the calling thread only

    def batch(number, fold, group):
        def run():
            with config_context(**config):
                for candidate, result in zip(group, _evaluate_batch(fold, [settings[i] for i in group]), strict=True):
                    results[candidate * len(folds) + number] = result
            fold.close()

        return run

    work = [(number, fold, group) for number, fold in enumerate(folds) for group in groups]
    fits_after = np.cumsum([len(group) for _, _, group in work])
    progress = Reporter("searching", len(results), verbose=max(0, int(verbose) - 1))
    side_by_side([batch(*item) for item in work], n_jobs=n_jobs, done=lambda n: progress.report(int(fits_after[n - 1])))
    return results


def score_all(task, estimator, candidates, splits):
    """As :func:`evaluate`, from an estimator that scores without fits; None where it cannot."""
    try:
        settings = [clone(estimator).set_params(**clone(parameters, safe=False)) for parameters in candidates]
    except ValueError:  # separate fits name the parameter
        return None
    return type(estimator)._score_all(settings, task, splits) if settings else None


def _evaluate_batch(fold, settings):
    """Results of one batch on one fold; a failed fit fails those that would have gone on from it."""
    rows, test_rows = fold.open()
    fitted = settings[0]._fit_batch([clone(setting) for setting in settings], rows)
    seconds = 0.0
    for number in range(len(settings)):
        begun = time.perf_counter()
        try:
            estimator = next(fitted)
        except Exception:
            if fold.task.error_score == "raise":
                raise
            seconds += time.perf_counter() - begun
            failure = _failure(fold.task, seconds, _num_samples(test_rows[0]), format_exc())
            yield from (dict(failure) for _ in range(number, len(settings)))
            return
        seconds += time.perf_counter() - begun
        yield _scores(fold.task, estimator, seconds, rows, test_rows, fold.train)


def _scores(task, estimator, seconds, rows, test_rows, train):
    X, y, score_params = test_rows
    begun = time.perf_counter()
    result = {
        "fit_error": None,
        "test_scores": _score(estimator, X, y, task.scorer, score_params, task.error_score),
        "n_test_samples": _num_samples(X),
        "fit_time": seconds,
        "score_time": time.perf_counter() - begun,
    }
    if task.return_train_score:
        score_params = _check_method_params(task.X, task.score_params, train)
        result["train_scores"] = _score(estimator, rows.X, rows.y, task.scorer, score_params, task.error_score)
    return result


def _failure(task, seconds, n_test_samples, error):
    scores = task.error_score
    if isinstance(task.scorer, _MultimetricScorer):
        scores = dict.fromkeys(task.scorer._scorers, task.error_score)
    result = {
        "fit_error": error,
        "test_scores": scores,
        "n_test_samples": n_test_samples,
        "fit_time": seconds,
        "score_time": 0.0,
    }
    if task.return_train_score:
        result["train_scores"] = scores
    return result
