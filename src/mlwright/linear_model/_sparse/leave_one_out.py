"""Approximate leave-one-out of the lasso and the elastic net: closed on a support that stays, for all penalties.

The objective is ``sum_j w_j (y_j - z_j t)^2 / 2 + W P(b)``, z the columns of the support and the intercept, W the sum
of the weights, which a row takes its weight from. On a fixed support and its signs, the residual of row i without it is

    ``(e_i - w_i z_i' H^-1 P'(b)) / (1 - w_i z_i' H^-1 z_i)``

with H the Hessian; what is left out is a w_i / W of the L2 penalty, and supports that change. How good it is for the
rows at hand is told by fitting without those that it moves most, and those predicted to change the support.

References
----------
Rahnama Rad and Maleki (2020), A scalable estimate of the out-of-sample prediction error via approximate leave-one-out
cross-validation. Journal of the Royal Statistical Society B 82.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse
from scipy.linalg import block_diag

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import as_design
from mlwright._validation import explain_not_finite
from mlwright.linear_model._inference.columns import Columns
from mlwright.linear_model._interval import inverse_root, quadratic
from mlwright.linear_model._sparse.quadratic import Quadratics
from mlwright.linear_model._sparse.working_set import RowsProblem, wants_rows
from mlwright.linear_model._support_changes import Slopes, Steps, most_doubtful
from mlwright.linear_model._system import Problem

REFITS = 10
_LEAST_LEFT = 1e-6  # of a row: below it the others do not determine its prediction, whose error is then huge


@dataclass(frozen=True)
class LeftOut:
    """Rows left out under every penalty.

    Attributes
    ----------
    mse : array of shape (n_ratios, n_alphas)
        Weighted means of squared errors.
    alphas : array of shape (n_ratios, n_alphas)
    coef : array of shape (n_ratios, n_alphas, p)
        Of all rows.
    rows : _Rows
    """

    mse: np.ndarray
    alphas: np.ndarray
    coef: np.ndarray
    rows: object

    def residuals(self, ratio, r, a):
        """Of rows left out, and of the fit to all rows."""
        return self.rows.without(self.coef[r, a], self.alphas[r, a], ratio)


def left_out(model, rows):
    """Of every penalty of the model's grid; sets ``_whole`` as the other searches do."""
    n = len(rows.y) if rows.w is None else np.count_nonzero(rows.w)
    if n < 2:
        raise ValueError(
            f"{type(model).__name__}: got {n} row that weighs something, expected at least 2 for cv='alo', which fits "
            "without each of them; add rows."
        )
    by_rows = wants_rows(rows)
    model._whole = None if by_rows else model._sums(rows)
    problem = (
        RowsProblem.of(rows, model.fit_intercept) if by_rows else Quadratics.of([model._whole], model.fit_intercept)
    )
    if problem is None:
        explain_not_finite(model, rows)
    alphas, ratios = model._grids(problem), model._ratios()
    coef = np.array([_path(problem, by_rows, alphas[r], ratio, model._options()) for r, ratio in enumerate(ratios)])
    guess = LeftOut(np.empty(alphas.shape), alphas, coef, _Rows.of(model, rows))
    for r, ratio in enumerate(ratios):
        for a in range(alphas.shape[1]):
            errors = guess.residuals(ratio, r, a)[0]
            guess.mse[r, a] = np.average(errors * errors, weights=rows.w)
    return guess


def _path(problem, by_rows, alphas, ratio, options, start=None):
    """Coefficients (n_alphas, p)."""
    if by_rows:
        return problem.solve(alphas[None], ratio, start=start, **options).coef[0]
    zero = np.zeros(1, dtype=np.int64)
    return problem.solve(zero, zero, alphas[None], np.array([ratio]), start=start, **options).coef[0]


@dataclass(frozen=True)
class _Rows:
    X: object
    y: np.ndarray
    w: np.ndarray | None
    weight: float
    fit_intercept: bool
    statistics: FoldStatistics | None

    @classmethod
    def of(cls, model, rows):
        X = rows.X.tocsc() if rows.is_sparse else rows.X
        weight = float(len(rows.y) if rows.w is None else rows.w.sum())
        return cls(X, rows.y[:, 0], rows.w, weight, model.fit_intercept, model._whole)

    def without(self, coef, alpha, ratio, w=None):
        """Residuals of rows left out and of the fit, for coefficients of the columns of X; of weights w of the rows."""
        support = np.flatnonzero(coef)
        b, X = coef[support], self.X[:, support]
        X = X.toarray() if sparse.issparse(X) else np.ascontiguousarray(X, dtype=np.float64)
        problem, mean, y_mean = self._of_support(X, support)
        residual = self.y - y_mean - (X - mean) @ b
        reach = np.full(len(residual), 1.0 / self.weight if self.fit_intercept else 0.0)
        pull = 0.0
        if len(support):
            root = inverse_root(problem, alpha * (1.0 - ratio) * self.weight)
            reach += quadratic(X, mean, root)
            slope = alpha * (ratio * np.sign(b) + (1.0 - ratio) * b)
            pull = (X - mean) @ (root @ (root.T @ slope))
        w = w if w is not None else 1.0 if self.w is None else self.w
        return (residual - w * pull) / np.maximum(1.0 - w * reach, _LEAST_LEFT), residual

    def missed(self, coef, alpha, ratio, positive):
        """By how much predictions without each row (n,) are off for supports that change, to first order."""
        support = np.flatnonzero(coef)
        b, X, a = coef[support], self.X[:, support], int(self.fit_intercept)
        X = X.toarray() if sparse.issparse(X) else np.ascontiguousarray(X, dtype=np.float64)
        problem, mean, _ = self._of_support(X, support)
        root = np.zeros((a, a))
        root[:] = 1.0 / np.sqrt(self.weight)
        if len(support):
            root = block_diag(root, inverse_root(problem, alpha * (1.0 - ratio) * self.weight))
        left, residual = self.without(coef, alpha, ratio)
        slope = np.concatenate([np.zeros(a), alpha * (ratio * np.sign(b) + (1.0 - ratio) * b)])
        w = np.ones(len(left)) if self.w is None else self.w
        steps = Steps(
            self.X.tocsr() if sparse.issparse(self.X) else self.X,
            self.fit_intercept,
            Columns(self.fit_intercept, mean, np.ones(len(support))).of_rows,
            support,
            np.ones((1, a + len(support)), dtype=bool),
            root,
            np.concatenate([np.full(a, np.inf), b]),
            gradient=-(w * residual)[:, None],
            bend=w[:, None, None],
            pull=-(w * left)[:, None],
            drift=root @ (root.T @ slope),
            w=self.w,
        )
        limit, l2 = alpha * ratio * (self.weight - w), alpha * (1.0 - ratio) * self.weight
        return steps.missed(Slopes((coef == 0.0)[None], limit, l2, positive))

    def _of_support(self, X, support):
        """The least-squares problem of the support, and the means of its columns and the target."""
        whole = self.statistics
        if whole is None:
            sums = FoldStatistics.of_rows(as_design(X), self.y[:, None], self.w)
            at = np.arange(X.shape[1])
        else:
            sums, at = whole, support
        full, p = Problem.of(sums, self.fit_intercept), sums.n_features
        part = Problem(
            full.gram[np.ix_(at, at)], full.cross[at], full.square, full.x_scale[at], full.y_scale, full.active[at]
        )
        mean = sums.mean if self.fit_intercept else np.zeros(p + 1)
        return part, mean[:p][at], mean[p]


def judged(model, rows, guess, r, a):
    """Approximate predictions of rows left out under one penalty, and their largest difference from exact ones.

    Of the rows that are moved most or predicted to change the support, each by a fit without it.
    """
    alpha, ratio = guess.alphas[r, a], model._ratios()[r]
    residual, fitted = guess.residuals(ratio, r, a)
    own = np.ones(len(residual)) if rows.w is None else rows.w
    moved = np.where(own > 0.0, np.abs(residual - fitted), 0.0)
    missed = np.where(own > 0.0, guess.rows.missed(guess.coef[r, a], alpha, ratio, model.positive), 0.0)
    X = rows.X.tocsr() if rows.is_sparse else rows.X
    worst = 0.0
    for row in most_doubtful(moved, missed, REFITS):
        w = own.copy()
        w[row] = 0.0
        if model._whole is None:
            problem = RowsProblem.of(rows, model.fit_intercept, w)
            x_mean, y_mean = problem.x_mean, problem.y_mean
        else:
            one = FoldStatistics.of_rows(as_design(X[[row]]), rows.y[[row]], own[[row]])
            rest = model._whole.without(one, partial(FoldStatistics.of_rows, rows.design, rows.y, w))
            problem, p = Quadratics.of([rest], model.fit_intercept), rest.n_features
            x_mean, y_mean = (rest.mean[:p], rest.mean[p]) if model.fit_intercept else (np.zeros(p), 0.0)
        coef = _path(problem, model._whole is None, np.array([alpha]), ratio, model._options())[0]
        at = X[[row]].toarray()[0] if sparse.issparse(X) else X[row]
        exact = float(np.squeeze(y_mean)) + (at - x_mean) @ coef
        worst = max(worst, float(np.abs(rows.y[row, 0] - residual[row] - exact)))
    return rows.y[:, 0] - residual, worst


def residuals_left_out(rows, fit_intercept, coef, alpha, ratio):
    """Residuals (n, t) of rows of which one repetition is left out, for coefficients (t, p)."""
    X = rows.X.tocsc() if rows.is_sparse else rows.X
    weight = float(len(rows.y) if rows.w is None else rows.w.sum())
    once = None if rows.w is None else np.minimum(rows.w, 1.0)
    out = np.empty(rows.y.shape)
    for k, b in enumerate(coef):
        of_target = _Rows(X, rows.y[:, k], rows.w, weight, fit_intercept, None)
        out[:, k] = of_target.without(b, alpha, ratio, once)[0]
    return out
