"""Scores of rows that a fit has not seen, by scikit-learn's scorers."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params

from mlwright.linear_model._glm._coded_table import some_rows
from mlwright.linear_model._glm._logistic import LogisticModel, LogisticRegression


class Scored(LogisticModel):
    """Scores (n, k) that are there already; coefficients and intercepts `path` (k, q + 1 or q) where they are given."""

    def __init__(self, classes, scores, path=None, n_columns=0):
        self.classes_, self._given = classes, self._as_scores(scores)
        if path is not None:
            self.coef_, self.intercept_ = _parts(path, n_columns)

    def decision_function(self, X, *, offset=None):
        return self._given


@dataclass(frozen=True)
class Judge:
    """What says how good scores of held-out rows are.

    Attributes
    ----------
    rows : Rows
        All of them.
    codes : float64 array of shape (n,)
        Numbers of their classes.
    classes : array of shape (n_classes,)
    scoring : str, callable or None
        None is the accuracy.
    params : dict
        What the scorer is given besides, such as weights.
    table : object
        What users passed as X, where scores are not what coefficients make of numbers (offsets, categories); or None.
    """

    rows: object
    codes: np.ndarray
    classes: np.ndarray
    scoring: object
    params: dict = field(default_factory=dict)
    table: object = None

    def __call__(self, scores, test, path=None):
        """Of rows `test` with `scores` (m, k), by a model of coefficients `path` (k, p + 1 or p) where it is given."""
        return self.of_rows(test)(scores, path)

    def of_rows(self, test):
        """What judges one set of scores of rows `test` after the other."""
        params = _check_method_params(X=self.rows.X, params=self.params, indices=test)
        w = params.get("sample_weight")
        if w is not None and not np.any(w):
            raise ValueError("cv: the held-out rows of a fold all have weight 0, expected some above 0 in each.")
        return _HeldOut(self, test, params)


class _HeldOut:
    """The held-out rows of a fold, taken from the table once."""

    def __init__(self, judge, test, params):
        self.judge, self.test, self.params = judge, test, params
        self.codes = judge.codes[test]

    def __call__(self, scores, path=None):
        judge = self.judge
        if judge.scoring is None:
            guess = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
            return float(np.average(guess == self.codes, weights=self.params.get("sample_weight")))
        if path is None or judge.table is not None:
            model = Scored(judge.classes, scores, path, judge.rows.X.shape[1])
        else:
            model = self._model(path)
        score = float(get_scorer(judge.scoring)(model, self.X, self.y, **self.params))
        if np.isnan(score):
            raise ValueError(
                f"scoring: {judge.scoring!r} is NaN for the held-out rows of a fold, expected a number, as where all "
                "classes are among them; use stratified or fewer folds, or another scoring."
            )
        return score

    @cached_property
    def X(self):
        judge = self.judge
        return some_rows(judge.rows.X, self.test) if judge.table is None else _safe_indexing(judge.table, self.test)

    @cached_property
    def y(self):
        return self.judge.classes[self.codes.astype(np.intp)]

    def _model(self, path):
        model, p = LogisticRegression(), self.judge.rows.X.shape[1]
        model.classes_, model.n_features_in_ = self.judge.classes, p
        model.coef_, model.intercept_ = _parts(path, p)
        return model


def _parts(path, p):
    """Coefficients and intercepts of a place on a path."""
    return path[:, :p], path[:, p] if path.shape[1] > p else np.zeros(len(path))
