"""One logistic problem of two classes or more: from rows and penalties to coefficients of shape (k, p)."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from mlwright._kernels.glm import Table
from mlwright._kernels.linalg import affine_map, as_design
from mlwright.linear_model._glm._coded_table import CodedTable, some_rows
from mlwright.linear_model._glm._dual import SpectralBasis, TriangularBasis, basis_of, wants_dual
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._multinomial import solve_classes
from mlwright.linear_model._glm._problem import Problem, Solution, table_of
from mlwright.linear_model._glm._proximal_joint import forms_joint, solve_joint_by
from mlwright.linear_model._glm._solve import forms_hessian, solve, solve_smooth_path, solve_wide, solve_wide_path

_LOGIT = law_of("binomial", "logit")


@dataclass(frozen=True)
class LogisticFitter:
    """Rows of two classes or more, ready to be fitted under one penalty after the other.

    Attributes
    ----------
    rows : Rows
        What is fitted: validated rows, or the rows of a dual basis.
    codes : float64 array of shape (n,)
        Numbers of classes.
    w : float64 array of shape (n,) or None
    n_classes : int
    fit_intercept : bool
    basis : TriangularBasis, SpectralBasis or None
    offset : float64 array of shape (n,), of several classes (n, n_classes), or None
    """

    rows: object
    codes: np.ndarray
    w: np.ndarray | None
    n_classes: int
    fit_intercept: bool
    basis: TriangularBasis | SpectralBasis | None = None
    offset: np.ndarray | None = None

    @classmethod
    def of_rows(cls, rows, codes, w, n_classes, fit_intercept, l1, offset=None):
        """The fitter of validated rows; through the dual where they are few numbers and `l1` is zero."""
        fitter = cls(rows, codes, w, n_classes, fit_intercept, offset=offset)
        coded = isinstance(rows.X, CodedTable)
        basis = basis_of(rows, fit_intercept) if not coded and wants_dual(rows, l1) else None
        return fitter if basis is None else replace(fitter, rows=_rows_of(rows, basis.rows), basis=basis)

    def part(self, chosen):
        """The fitter of some of the rows."""
        return self._some(_rows_of(self.rows, some_rows(self.rows.X, chosen)), chosen)

    def fold(self, chosen):
        """The fitter of some of the rows, in a dual basis that suits them best."""
        if self.basis is None:
            return self.part(chosen)
        basis, own = self.basis.part(chosen)
        return replace(self._some(_rows_of(self.rows, own), chosen), basis=basis)

    def _some(self, rows, chosen):
        w, offset = (None if each is None else each[chosen] for each in (self.w, self.offset))
        return replace(self, rows=rows, codes=self.codes[chosen], w=w, offset=offset)

    def with_offset(self, scores, chosen):
        """Scores (m, k) of rows `chosen` of this fitter with their offsets."""
        return scores if self.offset is None else scores + self.offset[chosen].reshape(scores.shape)

    def scores(self, path, X, chosen):
        """Scores (m, k) of rows `chosen` of X, the table that the whole was made of, for each Solution of a path.

        They are without the offsets, which the whole has.
        """
        if self.basis is None:
            coef, intercept = stacked(path)
            some = some_rows(X, chosen)
            coded = isinstance(some, CodedTable)
            together = some @ coef.T + intercept if coded else affine_map(as_design(some), coef, intercept)
        else:
            together = self.basis.gram.scores(*self.combinations(path), chosen)
        return np.split(together, len(path), axis=1)

    def combinations(self, path):
        """Of the Solutions of a path in a dual basis: combinations of rows, and intercepts of centred rows."""
        coef, intercept = stacked(path)
        a, moved = self.basis.combinations(coef)
        return a, intercept - moved

    @property
    def weight(self):
        """The sum of the weights."""
        return float(len(self.codes) if self.w is None else self.w.sum())

    @property
    def n_rows_of_coef(self):
        return 1 if self.n_classes == 2 else self.n_classes

    def problem(self):
        """The problem without a penalty; ``with_table`` gives it one."""
        if self.basis is None:
            table = table_of(self.rows, self.codes, self.w, self.offset, self.fit_intercept)
        else:  # whose columns are of like sizes as they are
            q = self.rows.X.shape[1]
            table = Table(self.rows.design, np.zeros(q), np.ones(q), self.codes, self.w, self.offset)
        places = getattr(self.rows.X, "places", None)
        return Problem(table, _LOGIT.loss, 0.0, 0.0, self.fit_intercept, places=places)

    def solve(self, problem, l1, l2, start, tol, max_iter):
        """A Solution whose coefficients are (k, q) and intercepts (k,), q the columns of ``rows``."""
        problem = problem.with_table(problem.table, l1, l2)
        if self.n_classes > 2:
            return solve_classes(problem, self.n_classes, *start, tol, max_iter, diagonal=self.basis is not None)
        method = solve if self.basis is None else solve_wide
        found = method(problem, start[0][0], float(start[1][0]), tol, max_iter)
        return _with_axis(found)

    def solve_path(self, problem, penalties, start, tol, max_iter):
        """Solutions along pairs (l1, l2), each from the one before."""
        if self.n_classes == 2 and all(l1 == 0.0 for l1, _ in penalties):
            method = solve_smooth_path if self.basis is None and forms_hessian(problem) else solve_wide_path
            start = start[0][0], float(start[1][0])
            return [_with_axis(one) for one in method(problem, [l2 for _, l2 in penalties], *start, tol, max_iter)]
        path = []
        for l1, l2 in penalties:
            path.append(self.solve(problem, l1, l2, start, tol, max_iter))
            start = (path[-1].coef, path[-1].intercept)
        return path

    @property
    def lends(self):
        """Whether parts of several classes can start from the Hessian of the whole, see :meth:`solve_lent`."""
        return self.n_classes > 2 and self.basis is None and forms_joint(self.problem(), self.n_classes)

    def solve_lent(self, problem, l1, l2, start, tol, max_iter, lent=None):
        """:meth:`solve` with a Hessian that was lent; the Solution, and the Hessian that led to it."""
        problem = problem.with_table(problem.table, l1, l2)
        return solve_joint_by(problem, self.n_classes, *start, tol, max_iter, lent)

    def start(self):
        """Zero coefficients, and the intercepts of the classes' shares less the mean offsets."""
        k, q = self.n_rows_of_coef, self.rows.X.shape[1]
        if not self.fit_intercept:
            return np.zeros((k, q)), np.zeros(k)
        share = np.bincount(self.codes.astype(np.intp), self.w, self.n_classes)
        share = np.maximum(share, 1e-3 * share.sum() / self.n_classes) / share.sum()
        intercept = np.array([special.logit(share[1] / share.sum())]) if k == 1 else np.log(share)
        if self.offset is not None:
            intercept = intercept - np.average(self.offset, axis=0, weights=self.w)
        return np.zeros((k, q)), intercept if k == 1 else intercept - intercept.mean()

    def original(self, coef, intercept):
        """Coefficients and intercepts of the columns that users know."""
        if self.basis is None:
            return coef, intercept
        a, moved = self.basis.combinations(coef)
        return self.of_combinations(a, intercept - moved)

    def of_combinations(self, a, intercept, out=None):
        """The same of combinations of rows (k, n) and intercepts of centred rows; coefficients in `out` if given."""
        w, shift = self.basis.gram.coefficients(a, out)
        return w, intercept - shift if self.fit_intercept else intercept

    def in_columns(self, solution: Solution) -> Solution:
        """A Solution with coefficients of the columns that users know."""
        coef, intercept = self.original(solution.coef, solution.intercept)
        return replace(solution, coef=coef, intercept=intercept)


def stacked(path):
    """Coefficients and intercepts of Solutions, one below the other."""
    return tuple(np.concatenate([getattr(one, name) for one in path]) for name in ("coef", "intercept"))


def _with_axis(found):
    """A Solution of two classes as one of several has it."""
    return replace(found, coef=found.coef[None, :], intercept=np.array([found.intercept]))


def _rows_of(rows, X):
    return replace(rows, X=X, design=X.design if isinstance(X, CodedTable) else as_design(X))
