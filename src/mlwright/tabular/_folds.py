"""Folds: balanced, shuffled by a seed, and the same classes in each."""

import numpy as np

from mlwright._splits import RowSplits


def shuffled_folds(n_rows, n_folds, random_state):
    """Balanced folds of shuffled rows.

    Returns
    -------
    list of (train, test) int64 index arrays, sorted
    """
    order = np.random.default_rng(random_state).permutation(n_rows)
    return _split(order % n_folds, n_folds)


def stratified_folds(codes, n_folds, random_state):
    """Folds in which the rows of every class are dealt out in turn; a class of two rows is in every training part."""
    shuffled = np.random.default_rng(random_state).permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[by_class] = np.arange(len(codes)) % n_folds
    return _split(fold, n_folds)


def given_folds(cv, y, kept):
    """The folds of a splitter, or of pairs of training and test rows of y; numbered as the rows kept.

    Each row is tested once, by a model of all others: what is kept out of fold is of every row.
    """
    fold = RowSplits.of(cv, np.zeros((len(y), 1)), y, classifier=True).partition()[kept]
    numbers, fold = np.unique(fold, return_inverse=True)
    if len(numbers) < 2:
        raise ValueError("cv: one split tests all rows that weigh something, expected at least two that do.")
    return _split(fold, len(numbers))


def _split(fold, n_folds):
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
