"""How ridge regression is solved, of numbers and of classes: by sums where they will do, else by the rows."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright._validation import explain_not_finite
from mlwright.base import as_fitted
from mlwright.io.schema import Choice, Tensor
from mlwright.linear_model import _iterative
from mlwright.linear_model._base import column_means, finite, plan
from mlwright.linear_model._nonnegative import nonnegative_least_squares
from mlwright.linear_model._sparse.penalised import ridge_dual, ridge_from_statistics, ridge_svd
from mlwright.linear_model._state import LINEAR_FIELDS
from mlwright.linear_model._stationary import STATIONARY, certify

_READS = {"svd": 3, "cholesky": 4, "lsqr": 2}  # of the rows, where they make no sums: means and finiteness included
_SOLVERS = {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}

RIDGE_FIELDS = {
    **LINEAR_FIELDS,
    "n_iter_": Tensor("i4", "*"),
    "solver_": Choice("cholesky", "svd", "lsqr", "nnls"),
    **STATIONARY,
}


class RidgeSolver:
    """Mixin: the fit of ``||Y - X B||^2 + alpha ||B||^2`` for estimators with the parameters of ``Ridge``."""

    _flat_if_one_target = True  # as in scikit-learn
    _has_intervals = False
    _parameter_constraints: ClassVar[dict] = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(_SOLVERS)],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }

    @property
    def _accept_sparse(self):
        return self.solver != "svd"

    def _fit_by_plan(self, rows):
        route = plan(rows)
        sums = self._sums(rows) if self.positive or route == "gram" else None
        if self.solver == "svd":
            return self._fit_rows(rows, "svd", sums)  # the sums are for partial_fit, merge and forget
        return self._fit_rows(rows, route) if sums is None else self._fit_statistics(sums, rows)

    def _fit_statistics(self, statistics, rows=None):
        alpha = self._penalties(statistics.n_targets)
        p = statistics.n_features
        if self.positive:
            problem = None
            coef, reads = nonnegative_least_squares(statistics, self.fit_intercept, alpha, rows)
            self.solver_ = "nnls"
        else:
            coef, sure, reads, problem = ridge_from_statistics(statistics, self.fit_intercept, alpha, rows)
            if coef is None:
                return self._fit_rows(rows, "svd", statistics)
            if not sure:
                _warn_of_stream(self, statistics)
            self.solver_ = "cholesky"
        self.n_iter_ = np.ones(len(coef), dtype=np.int32)
        self._keep_statistics(statistics)
        self._set_linear(coef, statistics.mean[:p], statistics.mean[p:])
        if self._has_intervals:
            self._keep_left_out()
        certify(self, coef, alpha, 1 + reads, statistics=statistics, rows=rows, problem=problem)
        return self

    def _fit_rows(self, rows, route, statistics=None):
        """The routes that need the rows themselves: svd, dual, iterative."""
        alpha = self._penalties(rows.y.shape[1])
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        if not finite(rows):
            explain_not_finite(self, rows)
        self.n_iter_, self.solver_ = np.ones(rows.y.shape[1], dtype=np.int32), "cholesky"
        coef = left = None
        if route == "dual":
            leave_out = self._has_intervals and statistics is None
            coef, left = ridge_dual(rows, x_mean, y_mean, alpha, self.fit_intercept, leave_out)
        if coef is None and rows.is_sparse:
            self.solver_ = "lsqr"
            coef, self.n_iter_ = _iterative.ridge(rows, x_mean, y_mean, alpha, self.max_iter)
        elif coef is None:
            self.solver_ = "svd"
            leave_out = self._has_intervals and self._statistics_to_keep(statistics) is None
            coef, left = ridge_svd(rows, x_mean, y_mean, alpha, self.fit_intercept, leave_out)
        self._keep_statistics(statistics)
        self._set_linear(coef, x_mean, y_mean)
        if self._has_intervals:
            self._keep_left_out(left, rows.w)
        reads = _READS[self.solver_] + 2 * int(self.n_iter_.max()) * (self.solver_ == "lsqr")
        certify(self, coef, alpha, reads, statistics=statistics, rows=rows, iterated=self.solver_ == "lsqr")
        return self

    def _penalties(self, n_targets):
        """One penalty a target."""
        alpha = np.asarray(as_fitted(self, "alpha"), dtype=np.float64).ravel()
        if len(alpha) not in (1, n_targets):
            raise ValueError(
                f"Number of targets and number of penalties do not correspond: {len(alpha)} != {n_targets}"
            )
        if not (alpha >= 0.0).all():
            raise ValueError(f"alpha: got {self.alpha!r}, expected numbers that are not negative.")
        return alpha if len(alpha) == n_targets else np.full(n_targets, alpha[0])

    def _require_solver(self):
        """scikit-learn's rules of which solver goes with what."""
        if self.positive and self.solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver='{self.solver}' does not support positive fitting. Please set the solver to 'auto' or "
                "'lbfgs', or set `positive=False`"
            )
        if self.solver == "lbfgs" and not self.positive:
            raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")


def _warn_of_stream(model, statistics):
    warnings.warn(
        f"{type(model).__name__}: the penalised Gram matrix of the {statistics.n_rows} rows seen is ill-conditioned: "
        "the coefficients have fewer right digits than usual. Raise alpha, or call fit on all rows.",
        LossOfPrecisionWarning,
        stacklevel=4,
    )
