"""From validated rows to the solvers' problem and back: scaled columns, penalties, starts, certificates."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mlwright._kernels import glm
from mlwright._kernels.glm import GlmLoss, Table
from mlwright.linear_model._glm._coded_table import CodedTable

_SAMPLE = 4096  # rows that shifts and scales are taken from
_LARGEST_SCALE = 2.0**500


@dataclass(frozen=True)
class Problem:
    """``min sum w l(y, X b + b0 + offset) + l2 |b|^2 / 2 + l1 |b|_1``.

    Attributes
    ----------
    table : Table
    loss : GlmLoss
    l1, l2 : float
    fit_intercept : bool
    saturated : float
        The sum of losses that no model can be below.
    places : int array of shape (p,), or None
        The user's column of each column of the table, where they are in another order.
    """

    table: Table
    loss: GlmLoss
    l1: float
    l2: float
    fit_intercept: bool
    saturated: float = 0.0
    places: np.ndarray | None = None

    @property
    def scale(self):
        return self.table.scale

    def penalties(self):
        """The penalties of the scaled columns, one a column."""
        with np.errstate(over="ignore"):
            l2 = np.minimum(self.l2 * self.scale**2, 1e300)
            return np.minimum(self.l1 * self.scale, 1e300), l2

    def with_table(self, table, l1, l2):
        """The problem of another table, e.g. of some of the columns or rows."""
        return replace(self, table=table, l1=l1, l2=l2)

    def with_weights(self, w):
        """The problem of rows of other weights."""
        return replace(self, table=self.table._replace(w=w))

    def with_columns(self, shift, scale):
        return replace(self, table=self.table._replace(shift=shift, scale=scale))

    def objective(self, loss, coef):
        """The objective at coefficients of the original columns, where the sum of losses is `loss`."""
        with np.errstate(over="ignore"):
            smooth = self.l2 / 2 * float(coef @ coef) if self.l2 > 0.0 else 0.0
        return float(loss + smooth + (self.l1 * np.abs(coef).sum() if self.l1 > 0.0 else 0.0))


@dataclass(frozen=True)
class Solution:
    """A fit in the original columns, and what is known of it."""

    coef: np.ndarray
    intercept: float
    objective: float
    violation: float
    n_iter: int
    n_passes: float
    status: int

    @property
    def converged(self):
        return self.status == glm.CONVERGED


def table_of(rows, y, w, offset, fit_intercept):
    """The table of validated rows, its columns centred (where there is an intercept) and brought near one."""
    shift, scale = _shift_and_scale(rows.X, fit_intercept)
    return Table(rows.design, shift, scale, y, w, offset)


def _shift_and_scale(X, fit_intercept):
    if isinstance(X, CodedTable):
        shift, scale = _shift_and_scale(X.numbers, fit_intercept)
        n_levels = int(X.ends[-1])
        return np.append(np.zeros(n_levels), shift), np.append(np.ones(n_levels), scale)
    n, p = X.shape
    step = -(-n // _SAMPLE)
    is_sparse = sparse.issparse(X)
    if is_sparse:
        if p > glm.PACKED_COLUMNS:
            return np.zeros(p), np.ones(p)
        sample = X.tocsr()[::step].toarray().astype(np.float64)
    else:
        sample = np.asarray(X[::step], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        first = sample[0]
        shift = first + (sample - first).mean(axis=0) if fit_intercept else np.zeros(p)
        reach = np.abs(sample - shift).max(axis=0)
        if step > 1 and not (reach > 0).all():
            for j in np.flatnonzero(reach == 0):
                column = X[:, [j]].toarray() if is_sparse else X[:, j]
                reach[j] = np.abs(column - shift[j]).max()
        spread = reach * np.sqrt((((sample - shift) / np.where(reach > 0, reach, 1.0)) ** 2).mean(axis=0))
    spread = np.where(spread > 0, spread, reach)
    usable = np.isfinite(spread) & (spread > 0) & np.isfinite(shift)
    scale = np.ldexp(1.0, -np.frexp(np.where(usable, spread, 0.5))[1])
    return np.where(usable | (reach == 0), shift, 0.0), np.clip(scale, 1 / _LARGEST_SCALE, _LARGEST_SCALE)


def scaled(problem, coef, intercept):
    """Coefficients of the original columns as those of the scaled ones."""
    coef = coef if problem.places is None else coef[problem.places]
    return coef / problem.scale, intercept + float(coef @ problem.table.shift)


def original(problem, b, intercept):
    """And back."""
    coef = b * problem.scale
    intercept = intercept - float(coef @ problem.table.shift) if problem.fit_intercept else 0.0
    if problem.places is None:
        return coef, intercept
    of_user = np.empty_like(coef)
    of_user[problem.places] = coef
    return of_user, intercept


def scaled_classes(problem, coef, intercept):
    """Coefficients (k, p) and intercepts (k,) of classes as those of the scaled columns, of shape (p, k) and (k,)."""
    coef = coef if problem.places is None else coef[:, problem.places]
    return np.ascontiguousarray((coef / problem.scale).T), intercept + coef @ problem.table.shift


def original_classes(problem, b, b0):
    """And back; intercepts, of which only differences count, sum to zero."""
    coef = b.T * problem.scale
    intercept = b0 - coef @ problem.table.shift if problem.fit_intercept else np.zeros(len(b0))
    intercept = intercept - intercept.mean()
    if problem.places is None:
        return coef, intercept
    of_user = np.empty_like(coef)
    of_user[:, problem.places] = coef
    return of_user, intercept
