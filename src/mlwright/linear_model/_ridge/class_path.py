"""Ridge classification for many penalties and folds at once: one pass over X for the fits, one for the scores.

Training sets are sums of folds as for `Ridge`; the scores of the classes are linear maps of the test rows, all
penalties together. Where a score is so near a tie that rounding could decide it, there is no answer, and the fits are
made one by one.
"""

import time

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics._scorer import _PassthroughScorer, _Scorer

from mlwright._kernels.linalg import affine_map, as_design
from mlwright.base import check_parameters
from mlwright.linear_model._folds import Splits
from mlwright.linear_model._ridge.class_targets import ScoresAsClassifier
from mlwright.linear_model._ridge.path import MOST_COLUMNS, is_plain, results, ridge_path

_TIE = 1e-8  # of the largest score: differences that rounding may have made


def class_scores_on_splits(candidates, task, splits):
    """Results of all candidates on all splits as scikit-learn's ``_fit_and_score`` gives them, or None.

    Parameters
    ----------
    candidates : list of RidgeClassifier
        Unfitted.
    task : mlwright.model_selection._folds_and_fits.Task
    splits : list of (train, test)
    """
    begun = time.perf_counter()
    model, w = candidates[0], task.fit_params.get("sample_weight")
    alike = all(map(is_plain, candidates)) and len({(c.fit_intercept, str(c.class_weight)) for c in candidates}) == 1
    if not alike or model.class_weight == "balanced" or not set(task.fit_params) <= {"sample_weight"}:
        return None
    if not _asks_for_predictions(task.scorer, model) or task.score_params or task.return_train_score:
        return None
    try:
        for candidate in candidates:
            check_parameters(candidate)
        rows, labels = model._labelled_rows(task.X, task.y, w)
        if rows.X.shape[1] > MOST_COLUMNS // (1 + rows.is_sparse) or labels.codes is None or len(labels.classes) < 2:
            return None
        found = Splits.of(splits, rows.X, rows.y)
        train, test = found.statistics(model, rows)
        if not all(_has_all_classes(labels, which, rows.w) for which in found.train):
            return None
        scores = _scores(candidates, task.scorer, rows, labels, train, found.test)
    except (ValueError, TypeError):  # separate fits will say what is wrong, each for itself
        return None
    return None if scores is None else results({"test": scores}, test, time.perf_counter() - begun)


def _scores(candidates, scorer, rows, labels, train, test):
    """Scores of shape (m, K); None where a prediction is in doubt."""
    alphas = np.array([candidate.alpha for candidate in candidates], dtype=np.float64)
    stands_for_model = ScoresAsClassifier(labels.classes, False)
    X = rows.X.tocsr() if rows.is_sparse else rows.X
    scores = np.empty((len(alphas), len(test)))
    for k, which in enumerate(test):
        path = ridge_path(train[k], candidates[0].fit_intercept, alphas)
        if path is None:
            return None
        coef, intercept = path
        p, t = coef.shape[2], coef.shape[1]
        all_scores = affine_map(as_design(X[which]), coef.reshape(-1, p), intercept.ravel()).reshape(-1, len(alphas), t)
        if _near_a_tie(all_scores):
            return None
        for i in range(len(alphas)):
            one = all_scores[:, i, 0] if t == 1 else all_scores[:, i]
            scores[i, k] = scorer(stands_for_model, one, labels.given[which])
    return scores


def _near_a_tie(scores):
    if scores.shape[2] == 1:
        margin = np.abs(scores[..., 0])
    else:
        best = np.partition(scores, -2, axis=2)
        margin = best[..., -1] - best[..., -2]
    return bool((margin <= _TIE * np.abs(scores).max(initial=1.0)).any())


def _has_all_classes(labels, rows, w):
    codes = labels.codes[rows] if w is None else labels.codes[rows][w[rows] > 0.0]
    return len(np.unique(codes)) == len(labels.classes)


def _asks_for_predictions(scorer, model):
    """Whether a score follows from the model's predictions: scikit-learn's own scorers, of classes or of scores."""
    if isinstance(scorer, _PassthroughScorer):
        return type(model).score is ClassifierMixin.score
    return isinstance(scorer, _Scorer)
