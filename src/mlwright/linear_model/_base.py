"""What the least-squares family shares: validation to statistics, prediction, kept statistics."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import explain_not_finite, require_finite, rows_for_fit, rows_for_predict
from mlwright.base import IntervalMixin, StateAlgebraMixin
from mlwright.linear_model._single import single_statistics
from mlwright.linear_model._sparse_coef import dense_coef
from mlwright.linear_model._state import state_problem

_SMALL = 512  # columns up to which a Gram matrix costs next to nothing, whatever the number of rows
MOST_KEPT = 2048  # columns up to which the statistics stay in the fitted model (32 MiB)
_LARGEST_SPARSE_GRAM = 4096
_SPARSE_WORTH = 20_000  # multiply-adds of a dense Gram that cost as much as one stored entry in an iterative solver


class LinearStatistics(BaseEstimator):
    """Base of the linear models, of numbers or classes, whose data enter through fold statistics."""

    _multi_output = True
    _accept_sparse = True
    _flat_if_one_target = False  # the shape of coef_ for y of shape (n_samples, 1)

    def _rows(self, X, y, sample_weight, *, reset):
        return rows_for_fit(
            self,
            X,
            y,
            sample_weight,
            reset=reset,
            accept_sparse=self._accept_sparse,
            multi_output=self._multi_output,
        )

    def _statistics_of(self, X, y, sample_weight, *, reset):
        rows = self._rows(X, y, sample_weight, reset=reset)
        if reset:
            self._remember_kind(rows)
        return self._sums(rows)

    def _sums(self, rows):
        statistics = single_statistics(rows, self.fit_intercept)
        if statistics is None:
            statistics = FoldStatistics.of_rows(rows.design, rows.y, rows.w)
        if statistics is None:
            explain_not_finite(self, rows)
        return statistics

    def _remember_kind(self, rows):
        self._dtype = "float32" if rows.dtype == np.float32 else "float64"
        self._single_target = rows.single_target

    def _get_statistics(self):
        kept = getattr(self, "_statistics", None)
        return None if kept is None else FoldStatistics(**kept)

    @staticmethod
    def _statistics_to_keep(statistics):
        return statistics if statistics is not None and len(statistics.mean) <= MOST_KEPT else None

    def _keep_statistics(self, statistics):
        self._statistics = None
        if self._statistics_to_keep(statistics) is not None:
            self._statistics = {name: getattr(statistics, name) for name in FoldStatistics.__dataclass_fields__}

    def _set_linear(self, coef, x_mean, y_mean):
        """`coef_` and `intercept_` from coefficients of shape (t, p) and the means of the columns."""
        vars(self).pop("loo_predictions_", None)
        dtype, single = np.dtype(self._dtype), self._single_target
        if not np.isfinite(coef).all():
            raise FloatingPointError(
                f"{type(self).__name__}: coefficients overflow float64; expected y / X within 1e300; rescale X or y."
            )
        intercept = y_mean - (coef * x_mean).sum(axis=1) if self.fit_intercept else np.zeros(len(coef))
        self.coef_ = (coef[0] if single or (self._flat_if_one_target and len(coef) == 1) else coef).astype(dtype)
        if not self.fit_intercept:
            self.intercept_ = 0.0
        else:
            self.intercept_ = dtype.type(intercept[0]) if single else intercept.astype(dtype, copy=False)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        problem = state_problem(self)
        if problem:
            self._refuse_state(problem)

    def _refuse_state(self, problem):
        raise ModelFormatError(f"{type(self).__name__}: {problem}; the file is damaged or not written by mlwright.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accept_sparse
        return tags


class StatisticsModel(IntervalMixin, RegressorMixin, LinearStatistics):
    """Base of the regressors among them."""

    def predict(self, X):
        """Predict with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            The same bits for any number of threads, instruction set and memory layout.
        """
        return linear_predict(self, X, accept_sparse=self._accept_sparse)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self._multi_output
        tags.target_tags.single_output = True
        return tags


class LeastSquaresModel(StateAlgebraMixin, StatisticsModel):
    """Base of those that can go on from the statistics: ``partial_fit``, ``merge`` and ``forget``."""


def linear_predict(model, X, *, accept_sparse=True):
    """``X @ coef_.T + intercept_`` of checked rows, one number a row for a flat ``coef_``."""
    X, finite = rows_for_predict(model, X, accept_sparse=accept_sparse)
    coef, intercept = dense_coef(model), model.intercept_
    if sparse.issparse(X):
        return X @ coef.T + intercept
    start = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (1 if coef.ndim == 1 else len(coef),))
    out = affine_map(as_design(X), coef[None, :] if coef.ndim == 1 else coef, start)
    if not finite and not np.isfinite(out).all():
        require_finite(model, X)
    if coef.dtype == np.float32 and X.dtype == np.float32:
        out = out.astype(np.float32)
    return out[:, 0] if coef.ndim == 1 else out


def plan(rows):
    """``"gram"``, ``"dual"`` or ``"iterative"``: by shape and number of stored entries alone."""
    n, p = rows.X.shape
    if p <= _SMALL:
        return "gram"
    if not rows.is_sparse:
        return "gram" if n >= p else "dual"
    worth = _SPARSE_WORTH * max(1, rows.X.nnz)
    if p <= _LARGEST_SPARSE_GRAM and n * p * p <= worth:
        return "gram"
    return "dual" if n <= _LARGEST_SPARSE_GRAM and (n <= _SMALL or p * n * n <= worth) else "iterative"


def finite(rows):
    """Whether X and y are, by a pass of their own: for the routes whose sums would not tell."""
    data = rows.X.data if rows.is_sparse else rows.X
    return bool(np.isfinite(data).all() and np.isfinite(rows.y).all())


def column_means(rows, fit_intercept):
    """Weighted means of the columns of X and y, or zeros: for the routes that form no statistics."""
    n, p = rows.X.shape
    if not fit_intercept:
        return np.zeros(p), np.zeros(rows.y.shape[1])
    w = np.full(n, 1.0 / n) if rows.w is None else rows.w / rows.w.sum()
    return affine_map(as_design(rows.X.T), w[None, :], np.zeros(1))[:, 0], (w[:, None] * rows.y).sum(axis=0)
