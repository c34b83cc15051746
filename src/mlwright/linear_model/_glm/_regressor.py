"""Base of the regressors: validation, starts, laws, the share of deviance explained."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from mlwright._kernels import glm
from mlwright._runtime.errors import NumericalError
from mlwright._validation import explain_not_finite, rows_for_fit, rows_for_predict
from mlwright.base import as_fitted, check_coverage
from mlwright.io.composite import Maybe, Optional
from mlwright.io.schema import Number, Tensor
from mlwright.linear_model._glm._base import (
    COMMON_FIELDS,
    keep_solution,
    refuse,
    scores_of,
    scores_of_fitted,
    usable_weights,
)
from mlwright.linear_model._glm._inference import GlmInferenceMixin
from mlwright.linear_model._glm._laws import dispersion_freedom, pearson_dispersion, quantile
from mlwright.linear_model._glm._links import LINKS
from mlwright.linear_model._glm._problem import Problem, table_of
from mlwright.linear_model._glm._solve import solve
from mlwright.linear_model._glm._uncertainty import FEW, UNCERTAINTY, uncertain_quantile, uncertainty_of
from mlwright.linear_model._inference.kept import KEPT

_ROUNDING = 1e-14  # of sums of losses: what is closer is equal

REGRESSOR_FIELDS = {
    **COMMON_FIELDS,
    "coef_": Tensor("f4 f8", "p"),
    "intercept_": Number(),
    "n_iter_": Number(0, integer=True),
    "dispersion_": Maybe(Number(0.0, finite=False)),
    "_inference": Maybe(Optional(KEPT)),
    **UNCERTAINTY,
}


class GlmRegressor(GlmInferenceMixin, RegressorMixin, BaseEstimator):
    """Base of the generalized linear regressors: minimises mean half deviance plus penalty.

    A subclass gives ``_law()`` and the public methods.
    """

    l1_ratio = 0.0
    _without_penalty = "alpha=0"

    def _penalised(self):
        return as_fitted(self, "alpha") != 0

    def _uses_l1(self):
        return self.alpha * self.l1_ratio > 0.0

    def _scores(self, X):
        return scores_of(self, X)[:, 0]

    def _mean(self, eta):
        mean = LINKS[self._law().link].mean(eta)
        return mean.astype(np.float32) if self.coef_.dtype == np.float32 else mean

    def _columns(self, X):
        """Checked rows, a column a coefficient."""
        X, _ = rows_for_predict(self, X)
        return X.tocsr() if sparse.issparse(X) else X

    def _interval(self, X, scores, coverage):
        coverage, law = check_coverage(coverage), self._law()
        eta = scores()
        if not law.has_law:
            raise ValueError("predict_interval: a loss of your own has no law; expected a family by name.")
        if not hasattr(self, "dispersion_"):
            raise ValueError(
                f"predict_interval: this {type(self).__name__} comes from a file without a dispersion; fit it again."
            )
        if not np.isfinite(self.dispersion_):
            raise ValueError(
                "predict_interval: no more rows (or weight) than coefficients leave no degrees of freedom for the "
                "dispersion; expected more rows, or a larger alpha."
            )
        levels, kept = (0.5 - coverage / 2, 0.5 + coverage / 2), getattr(self, "_uncertainty", None)
        if kept is None:
            mean = LINKS[law.link].mean(eta)
            ends = [quantile(law, mean, self.dispersion_, level) for level in levels]
        else:
            eta, columns = np.asarray(eta, dtype=np.float64), self._columns(X)
            ends = [uncertain_quantile(law, eta, self.dispersion_, level, columns, kept) for level in levels]
        return np.stack(ends, axis=-1)

    def _explained(self, eta, X, y, sample_weight):
        law = self._law()
        y = column_or_1d(check_array(y, ensure_2d=False, dtype=np.float64))
        self._require_domain(law, y)
        w = np.ones(len(y)) if sample_weight is None else usable_weights(sample_weight, X)
        with np.errstate(divide="ignore", invalid="ignore"):
            constant = float(LINKS[law.link].score(np.average(y, weights=w)))
        eta = np.asarray(eta, dtype=np.float64)
        table = glm.Table(eta[:, None], np.zeros(1), np.ones(1), y, w)
        least = law.saturated(y, w)
        fitted, null = glm.evaluate(table, law.loss, [1.0], 0.0, False)[0] - least, 0.0
        if np.isfinite(constant):  # else the targets are all at the end of the range, and a constant mean fits them
            null = glm.evaluate(table, law.loss, [0.0], constant, False)[0] - least
        noise = _ROUNDING * (abs(least) + abs(null))
        return float(1.0 - fitted / null) if abs(null) > noise else float(abs(fitted) <= noise)

    def _require_domain(self, law, y):
        row = law.first_outside(y)
        if row >= 0:
            raise ValueError(
                f"y: row {row} is {y[row]}, expected {law.domain_words}: some values of y are out of the valid range "
                f"of the family {law.name!r}; remove or correct such rows, or choose another family."
            )

    def _rows(self, X, y, sample_weight):
        rows = rows_for_fit(self, X, y, None, multi_output=False)
        y = np.ascontiguousarray(rows.y[:, 0])
        w = usable_weights(sample_weight, rows.X)
        if not np.isfinite(y).all():
            explain_not_finite(self, rows)
        return rows, y, w

    def _keep_laws(self, rows, y, w, offset=None):
        """The dispersion, and where there is no penalty the covariance of the coefficients."""
        law = self._law()
        eta, self._uncertainty = None, None
        total = float(len(y) if w is None else w.sum())
        count = np.count_nonzero(self.coef_) + bool(self.fit_intercept)
        self.dispersion_ = float(law.parameter) if law.name == "negative_binomial" else 1.0
        if law.has_law and (law.family.dispersed or total < FEW * count):
            eta, freedom = self._fitted_scores(rows, offset), total - count
            if self.converged_ and total < FEW * count:
                l2 = self.alpha * (1.0 - self.l1_ratio) * total
                self._uncertainty = uncertainty_of(law, rows.X, eta, w, self.coef_, l2, bool(self.fit_intercept))
            if self._uncertainty is not None:
                freedom = self._uncertainty["freedom"]
            if law.family.dispersed:
                mu = LINKS[law.link].mean(eta)
                self.dispersion_ = pearson_dispersion(law, y, mu, w, freedom)
                if self._uncertainty is not None:
                    self._uncertainty["freedom"] = dispersion_freedom(law, mu, w, self.dispersion_, freedom)
        self._keep_inference(rows, y, w, lambda: self._fitted_scores(rows, offset) if eta is None else eta)

    def _fitted_scores(self, rows, offset):
        eta = scores_of_fitted(self, rows)[:, 0]
        return eta if offset is None else eta + offset

    def _fitted_mean(self, rows, offset):
        return LINKS[self._law().link].mean(self._fitted_scores(rows, offset))

    def _fit_rows(self, rows, y, w, offset=None, again=False):
        law = self._law()
        self._require_domain(law, y)
        row, largest = law.first_beyond(y)
        if row >= 0:
            raise NumericalError(
                f"y: row {row} is {y[row]:g}, whose powers overflow in the family {law.name!r}; expected sizes between "
                f"{1 / largest:.0e} and {largest:.0e}; divide y by a constant."
            )
        problem = self._problem(law, rows, y, w, offset)
        coef, intercept = self._start(problem, law, y, w, offset, again or self.warm_start)
        solution = solve(problem, coef, intercept, self.tol, self.max_iter)
        self._keep(solution, problem, rows)
        return solution

    def _problem(self, law, rows, y, w, offset):
        total = float(len(y) if w is None else w.sum())
        l1, l2 = self.alpha * self.l1_ratio * total, self.alpha * (1.0 - self.l1_ratio) * total
        table = table_of(rows, y, w, offset, self.fit_intercept)
        places = getattr(rows.X, "places", None)
        return Problem(table, law.loss, l1, l2, self.fit_intercept, law.saturated(y, w), places)

    def _start(self, problem, law, y, w, offset, warm):
        if warm and hasattr(self, "coef_") and len(self.coef_) == len(problem.scale):
            return np.asarray(self.coef_, dtype=np.float64), float(self.intercept_)
        p = len(problem.scale)
        if not self.fit_intercept:
            return np.zeros(p), 0.0
        mean = float(np.average(y, weights=w))
        if mean <= 0.0 and law.link == "log":  # no counts at all: the loss falls without end, as the solver finds out
            mean = 1e-3
        shift = 0.0 if offset is None else float(np.average(offset, weights=w))
        start = law.start_of(y, w)
        if np.isnan(start):
            with np.errstate(divide="ignore", invalid="ignore"):
                start = float(LINKS[law.link].score(mean))
        start -= shift
        return np.zeros(p), start if np.isfinite(start) else 0.0

    def _keep(self, solution, problem, rows):
        total = float(len(problem.table.y) if problem.table.w is None else problem.table.w.sum())
        keep_solution(self, solution, rows)
        self.objective_ = (solution.objective - problem.saturated) / total
        self.coef_ = solution.coef.astype(rows.dtype)
        self.intercept_ = float(solution.intercept)
        self.n_iter_ = int(solution.n_iter)

    def _validate_state(self):
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_)):
            refuse(self, "coef_ or intercept_ is not finite")
        kept = getattr(self, "_uncertainty", None)
        if kept is not None and len(kept["root"]) != len(self.coef_):
            refuse(self, f"the covariance of its coefficients is of {len(kept['root'])}, not {len(self.coef_)}")
        self._require_sound_inference()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        try:
            tags.target_tags.positive_only = self._law().positive_only
        except ValueError:  # parameters that do not go together: fit says so
            tags.target_tags.positive_only = False
        return tags
