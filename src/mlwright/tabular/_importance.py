"""Permutation importances of the columns of a table."""

import numpy as np

from mlwright.preprocessing._columns import permute_column


def permutation_importances(model, X, y, *, sample_weight=None, n_repeats=3, random_state=0):
    """How much worse a fitted model gets when a column no longer belongs to its rows.

    Parameters
    ----------
    model : TabularClassifier or TabularRegressor
        Fitted.
    X : table (n, p)
        Rows that the model was not fitted on.
    y : array-like (n,)
    sample_weight : array-like (n,), default=None
    n_repeats : int, default=3
        Permutations of each column.
    random_state : int, default=0

    Returns
    -------
    dict of str to ndarray (n_repeats,)
        By column: rise of the log loss for classes, fall of R² for numbers, one a permutation. Around 0 the column
        is of no use beyond the others.

    References
    ----------
    Breiman: Random forests, Machine Learning 45 (2001), section 10.
    """
    names = getattr(model, "feature_names_in_", None)
    names = [f"x{j}" for j in range(model.n_features_in_)] if names is None else names.tolist()
    metric = model._metrics[0]
    sign = 1 if metric.higher_is_better else -1

    def score(X):
        return model.evaluate(X, y, sample_weight)[metric.name]

    reference = score(X)
    rng = np.random.default_rng(random_state)
    orders = [rng.permutation(len(y)) for _ in range(n_repeats)]
    return {
        name: np.array([sign * (reference - score(permute_column(X, j, name, order))) for order in orders])
        for j, name in enumerate(names)
    }
