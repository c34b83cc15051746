"""Folds: balanced, shuffled by a seed, and the same classes in each."""

import numpy as np


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


def _split(fold, n_folds):
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
