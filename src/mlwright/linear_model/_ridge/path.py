"""Ridge regression for many penalties and folds at once: one pass over X, one eigendecomposition a training set.

Scores are made from the statistics of the test rows, in which no row is seen again. Wherever rounding might be noticed
(columns of very different spread, errors that all but vanish) there is no answer, and the fits are made one by one.
"""

import time
from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import mean_squared_error, r2_score, root_mean_squared_error
from sklearn.metrics._scorer import _PassthroughScorer

from mlwright._runtime.lapack import eigh
from mlwright.base import check_parameters
from mlwright.linear_model._folds import Splits

MOST_COLUMNS = 1024  # beyond, an eigendecomposition of each training set costs more than it saves
_METRICS = {
    (r2_score, 1): "r2",
    (mean_squared_error, -1): "neg_mean_squared_error",
    (root_mean_squared_error, -1): "neg_root_mean_squared_error",
}
_SEPARATED = 1e-7  # smallest (lambda + alpha) over the largest: coefficients have some nine right digits


def ridge_path(statistics, fit_intercept, alphas):
    """Coefficients (m, t, p) and intercepts (m, t); None where eigenvalues of the Gram matrix will not do."""
    p = statistics.n_features
    second, scale = statistics.moments(fit_intercept)
    with np.errstate(over="ignore", under="ignore"):
        second = second / scale / scale[:, None]
    if not np.isfinite(second).all():
        return None
    values, vectors = eigh(second[:p, :p])
    values = np.maximum(values, 0.0)
    if not values[0] + alphas.min() > _SEPARATED * (values[-1] + alphas.min()):
        return None
    inverse = 1.0 / (values + alphas[:, None])
    coef = (inverse[:, None, :] * (vectors.T @ second[:p, p:]).T) @ vectors.T
    if not fit_intercept:
        return coef, np.zeros(coef.shape[:2])
    return coef, statistics.mean[p:] - coef @ statistics.mean[:p]


def scores_of(statistics, coef, intercept, metric):
    """Scores (m,) of m candidates on the rows of `statistics`, with their weights; None where rounding might show."""
    scores, sure = scores_and_doubt(statistics, coef, intercept, metric)
    return scores if sure else None


def scores_and_doubt(statistics, coef, intercept, metric):
    """The scores, and whether rounding leaves all of them their digits; None for scores that are not defined."""
    p, n, all_sure = statistics.n_features, statistics.weight, True
    if not n > 0.0:
        return None, False
    scores = np.empty(coef.shape[:2])
    for k in range(coef.shape[1]):
        errors, sure = statistics.squared_errors(coef[:, k], intercept[:, k], k)
        all_sure = all_sure and (bool(sure.all()) or not coef[:, k].any())  # no fit, no digits of it to lose
        if metric == "r2":
            spread = statistics.spread()[p + k] / statistics.scale[p + k] ** 2
            if statistics.n_rows < 2 or not spread > 0.0:
                return None, False
            scores[:, k] = 1.0 - errors / spread
        else:
            scores[:, k] = -errors / n if metric == "neg_mean_squared_error" else -np.sqrt(errors / n)
    return scores.mean(axis=1), all_sure


def scores_on_splits(candidates, task, splits):
    """Results of all candidates on all splits as scikit-learn's ``_fit_and_score`` gives them, or None.

    Parameters
    ----------
    candidates : list of Ridge
        Unfitted.
    task : mlwright.model_selection._folds_and_fits.Task
    splits : list of (train, test)
    """
    begun = time.perf_counter()
    metric, w = metric_of(task.scorer, candidates[0]), task.fit_params.get("sample_weight")
    if metric is None or not _weights_agree(task, w) or not all(map(is_plain, candidates)):
        return None
    try:
        for candidate in candidates:
            check_parameters(candidate)
        rows = candidates[0]._rows(task.X, task.y, w, reset=True)
        if rows.X.shape[1] > MOST_COLUMNS or (rows.is_sparse and rows.X.shape[1] > MOST_COLUMNS // 2):
            return None
        train, test = Splits.of(splits, rows.X, rows.y).statistics(candidates[0], rows)
    except (ValueError, TypeError):  # separate fits will say what is wrong, each for itself
        return None
    scores = _all_scores(candidates, train, test, metric, task.return_train_score)
    return None if scores is None else results(scores, test, time.perf_counter() - begun)


def _all_scores(candidates, train, test, metric, with_train):
    """Test scores, and training scores, of shape (m, K); None where any is in doubt."""
    scores = {name: np.empty((len(candidates), len(test))) for name in ["test", *["train"][: int(with_train)]]}
    alphas = np.array([candidate.alpha for candidate in candidates], dtype=np.float64)
    flat = np.array([not candidate.fit_intercept for candidate in candidates])
    for k, statistics in enumerate(train):
        for without in sorted(set(flat.tolist())):
            of_these = np.flatnonzero(flat == without)
            path = ridge_path(statistics, not without, alphas[of_these])
            if path is None:
                return None
            for name, out in scores.items():
                found = scores_of(test[k] if name == "test" else statistics, *path, metric)
                if found is None:
                    return None
                out[of_these, k] = found
    return scores


def results(scores, test, seconds):
    """What ``_fit_and_score`` returns, for scores of shape (m, K) by name."""
    m, n_splits = scores["test"].shape
    return [
        {
            "fit_error": None,
            **{f"{name}_scores": float(values[i, k]) for name, values in scores.items()},
            "n_test_samples": test[k].n_rows,
            "fit_time": seconds / (m * n_splits),
            "score_time": 0.0,
        }
        for i in range(m)
        for k in range(n_splits)
    ]


def metric_of(scorer, model):
    """The name of a scorer whose scores follow from sums over rows, or None."""
    if isinstance(scorer, _PassthroughScorer):
        return "r2" if type(model).score is RegressorMixin.score else None
    if getattr(scorer, "_kwargs", None) != {}:
        return None
    return _METRICS.get((getattr(scorer, "_score_func", None), scorer._sign))


def _weights_agree(task, w):
    """Whether the rows weigh the same in fits and scores, and nothing else is passed to either."""
    of_scores = task.score_params.get("sample_weight")
    return set(task.fit_params) <= {"sample_weight"} and set(task.score_params) <= {"sample_weight"} and of_scores is w


def is_plain(model):
    """Whether a candidate's penalty is one number and its coefficients may have any sign."""
    alpha = model.alpha
    return not model.positive and isinstance(alpha, Real) and not isinstance(alpha, bool) and np.isfinite(alpha)
