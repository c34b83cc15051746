"""Importances of features: from the trees themselves, and by permutation."""

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, _safe_indexing, check_array, check_random_state
from sklearn.utils.random import sample_without_replacement

from mlwright.ensemble._importances import KINDS, forest_importances
from mlwright.explain._model import TreeModel
from mlwright.preprocessing._columns import as_table, permute_column


def feature_importances(model, kind="gain", *, normalize=True):
    """What each feature contributed to the splits of a model.

    Parameters
    ----------
    model : object
        As of :class:`TreeExplainer`.
    kind : {'gain', 'split', 'cover'}, default='gain'
        'gain': what its splits improved the training loss by, in total. 'split': how many splits it has. 'cover': how
        many training rows its splits saw, in total.
    normalize : bool, default=True
        Whether to divide by the total, so that importances sum to one.

    Returns
    -------
    importances : ndarray of shape (n_features,)

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.explain import feature_importances
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> model = HistGradientBoostingRegressor().fit(X, 2 * X[:, 0] + X[:, 2])
    >>> feature_importances(model).round(1)
    array([0.8, 0. , 0.2])
    """
    if kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}, expected one of {KINDS}")
    forest = TreeModel.of(model).forest
    return forest_importances(forest.trees, forest.n_features, kind, normalize)


def permutation_importance(
    model, X, y, *, scoring=None, n_repeats=5, random_state=None, sample_weight=None, max_samples=1.0
):
    """How much worse a model scores when one column is shuffled.

    scikit-learn's function of that name for models of trees: the same numbers for the same ``random_state``. Columns
    that no tree asks about are not predicted again; predictions use all threads.

    Parameters
    ----------
    model : object
        A fitted estimator, as of :class:`TreeExplainer`.
    X : array-like of shape (n, n_features)
    y : array-like of shape (n,)
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the model's own ``score``.
    n_repeats : int, default=5
        How often each column is shuffled.
    random_state : int, RandomState instance or None, default=None
    sample_weight : array-like of shape (n,), default=None
    max_samples : int or float, default=1.0
        Number or share of the rows that each repeat looks at.

    Returns
    -------
    result : Bunch
        ``importances_mean``, ``importances_std`` of shape (n_features,) and ``importances`` of shape
        (n_features, n_repeats).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.explain import permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = 2 * X[:, 0] + X[:, 2]
    >>> model = HistGradientBoostingRegressor().fit(X, y)
    >>> permutation_importance(model, X, y, random_state=0).importances_mean.argmax()
    np.int64(0)
    """
    if not (isinstance(n_repeats, int | np.integer) and n_repeats >= 1):
        raise ValueError(f"n_repeats: got {n_repeats!r}, expected an integer of at least 1")
    used = set(np.unique(TreeModel.of(model).forest.trees["feature"]).tolist())
    if as_table(X) is None:
        X = check_array(X, ensure_all_finite="allow-nan", dtype=None)
    scorer = check_scoring(model, scoring=scoring)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max + 1)
    n_rows = _n_rows(max_samples, X.shape[0])
    importances = np.empty((X.shape[1], n_repeats))
    for column in range(X.shape[1]):
        rng = np.random.RandomState(seed)
        rows = _sampled((X, y, sample_weight), n_rows, rng)
        importances[column] = _scores(scorer, model, rows, column if column in used else None, n_repeats, rng)
    importances = _score(scorer, model, X, y, sample_weight) - importances
    return Bunch(
        importances_mean=importances.mean(axis=1), importances_std=importances.std(axis=1), importances=importances
    )


def _n_rows(max_samples, n):
    if not isinstance(max_samples, int | np.integer):
        max_samples = int(max_samples * n)
    if not 1 <= max_samples <= n:
        raise ValueError(f"max_samples: got {max_samples} rows of {n}, expected 1 to {n}")
    return max_samples


def _sampled(parts, n_rows, rng):
    """A copy of some rows of X, with their y and weights."""
    X, y, weight = parts
    if n_rows == X.shape[0]:
        return X.copy() if hasattr(X, "copy") else X, y, weight  # tables without it cannot be written to
    chosen = sample_without_replacement(X.shape[0], n_rows, random_state=rng)
    return tuple(None if part is None else _safe_indexing(part, chosen, axis=0) for part in parts)


def _scores(scorer, model, rows, column, n_repeats, rng):
    """Scores after shuffling a column, again and again; without a column, the one score of all repeats."""
    X, y, weight = rows
    if column is None:
        return _score(scorer, model, X, y, weight)
    scores = np.empty(n_repeats)
    order = np.arange(X.shape[0])
    for repeat in range(n_repeats):
        rng.shuffle(order)
        X = _shuffled(X, column, order)
        scores[repeat] = _score(scorer, model, X, y, weight)
    return scores


def _shuffled(X, column, order):
    """X with one column in another order: a copy made before is written to, of tables that cannot be a new one."""
    if hasattr(X, "iloc"):
        X.isetitem(column, X.iloc[order, column].set_axis(X.index))
    elif as_table(X) is not None:
        X = permute_column(X, column, None, order)
    else:
        X[:, column] = X[order, column]
    return X


def _score(scorer, model, X, y, weight):
    return scorer(model, X, y) if weight is None else scorer(model, X, y, sample_weight=weight)
