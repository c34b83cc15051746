"""Base of the regressors: validation, starts, prediction, the share of deviance explained."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from mlwright._kernels import glm
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.io.composite import Maybe, Optional
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._glm._base import (
    COMMON_FIELDS,
    certify,
    refuse,
    scores_of,
    usable_weights,
)
from mlwright.linear_model._glm._inference import GlmInferenceMixin
from mlwright.linear_model._glm._links import LINKS
from mlwright.linear_model._glm._problem import Problem, table_of
from mlwright.linear_model._glm._solve import solve
from mlwright.linear_model._inference.kept import KEPT

REGRESSOR_FIELDS = {
    **COMMON_FIELDS,
    "coef_": Tensor("f4 f8", "p"),
    "intercept_": Number(),
    "n_iter_": Number(0, integer=True),
    "_inference": Maybe(Optional(KEPT)),
}


class GlmRegressor(GlmInferenceMixin, RegressorMixin, BaseEstimator):
    """Base of the generalized linear regressors: minimises mean half deviance plus penalty.

    A subclass gives ``_law()``.
    """

    l1_ratio = 0.0
    _without_penalty = "alpha=0"

    def _penalised(self):
        return self.alpha != 0

    def predict(self, X):
        """The mean of y at new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._mean(self._scores(X))

    def score(self, X, y, sample_weight=None):
        """D², the share of the deviance that the model explains; 1 is the best.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        return self._explained(self._scores(X), X, y, sample_weight)

    def _scores(self, X, offset=None):
        eta = scores_of(self, X)[:, 0]
        return eta if offset is None else eta + offset

    def _mean(self, eta):
        mean = LINKS[self._law().link].mean(eta)
        return mean.astype(np.float32) if self.coef_.dtype == np.float32 else mean

    def _explained(self, eta, X, y, sample_weight):
        law = self._law()
        y = column_or_1d(check_array(y, ensure_2d=False, dtype=np.float64))
        self._require_domain(law, y)
        w = np.ones(len(y)) if sample_weight is None else usable_weights(sample_weight, X)
        mean = LINKS[law.link].score(np.average(y, weights=w))
        eta = np.asarray(eta, dtype=np.float64)
        table = glm.Table(eta[:, None], np.zeros(1), np.ones(1), y, w)
        least = law.saturated(y, w)
        fitted, null = (glm.evaluate(table, law.loss, [b], b0, False)[0] - least for b, b0 in ((1.0, 0.0), (0.0, mean)))
        return float(1.0 - fitted / null) if null != 0.0 else float(fitted == 0.0)

    def _require_domain(self, law, y):
        row = law.first_outside(y)
        if row >= 0:
            raise ValueError(
                f"y: row {row} is {y[row]!r}, expected {law.domain_words}: some values of y are out of the valid range "
                f"of the family {law.name!r}; remove or correct such rows, or choose another family."
            )

    def _rows(self, X, y, sample_weight):
        rows = rows_for_fit(self, X, y, None, multi_output=False)
        y = np.ascontiguousarray(rows.y[:, 0])
        w = usable_weights(sample_weight, rows.X)
        if not np.isfinite(y).all():
            explain_not_finite(self, rows)
        return rows, y, w

    def _fit(self, X, y, sample_weight):
        rows, y, w = self._rows(X, y, sample_weight)
        self._fit_rows(rows, y, w)
        self._keep_inference(rows, y, w)
        return self

    def _fit_rows(self, rows, y, w, offset=None, again=False):
        law = self._law()
        self._require_domain(law, y)
        problem = self._problem(law, rows, y, w, offset)
        coef, intercept = self._start(problem, law, y, w, offset, again or self.warm_start)
        self._keep(solve(problem, coef, intercept, self.tol, self.max_iter), problem, rows)
        return self

    def _problem(self, law, rows, y, w, offset):
        total = float(len(y) if w is None else w.sum())
        l1, l2 = self.alpha * self.l1_ratio * total, self.alpha * (1.0 - self.l1_ratio) * total
        table = table_of(rows, y, w, offset, self.fit_intercept)
        return Problem(table, law.loss, l1, l2, self.fit_intercept, law.saturated(y, w))

    def _start(self, problem, law, y, w, offset, warm):
        if warm and hasattr(self, "coef_") and len(self.coef_) == self.n_features_in_:
            return np.asarray(self.coef_, dtype=np.float64), float(self.intercept_)
        p = len(problem.scale)
        if not self.fit_intercept:
            return np.zeros(p), 0.0
        mean = float(np.average(y, weights=w))
        if mean <= 0.0 and law.link == "log":  # no counts at all: the loss falls without end, as the solver finds out
            mean = 1e-3
        shift = 0.0 if offset is None else float(np.average(offset, weights=w))
        with np.errstate(divide="ignore", invalid="ignore"):
            start = float(LINKS[law.link].score(mean)) - shift
        return np.zeros(p), start if np.isfinite(start) else 0.0

    def _keep(self, solution, problem, rows):
        total = float(len(problem.table.y) if problem.table.w is None else problem.table.w.sum())
        certify(self, solution, rows)
        self.objective_ = (solution.objective - problem.saturated) / total
        self.coef_ = solution.coef.astype(rows.dtype)
        self.intercept_ = float(solution.intercept)
        self.n_iter_ = int(solution.n_iter)

    def _validate_state(self):
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_)):
            refuse(self, "coef_ or intercept_ is not finite")
        self._require_sound_inference()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        try:
            outside = self._law().first_outside(np.array([-1.0]))
        except ValueError:  # parameters that do not go together: fit says so
            outside = -1
        tags.target_tags.positive_only = outside >= 0
        return tags
