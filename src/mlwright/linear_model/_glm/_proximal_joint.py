"""L1 and elastic-net penalties of several classes: proximal Newton steps in all classes' coefficients at once.

A step minimises gradient, exact Hessian and penalty: one quadratic in all coefficients, by the coordinate descent of
least squares, with the intercepts eliminated. Equal shifts of all classes move no score, so the Hessian is singular
along them; the penalty decides there, and for the intercepts nothing needs to.

Gradients are always exact, so the optimum does not depend on whose Hessian leads there: far from it that of some of the
rows, and near it the last one, as long as each step with it leaves a fifth of the violation or less.

Reference: Lee, Sun and Saunders, SIAM Journal on Optimization 24 (2014), 1420-1443.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse, special

from mlwright._kernels import glm
from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright._kernels.linalg import affine_map, as_design, gram
from mlwright._runtime.lapack import eigh
from mlwright.linear_model._glm._coded_table import Coded, one_hot
from mlwright.linear_model._glm._line_search import LineSearch
from mlwright.linear_model._glm._problem import Solution, original_classes, scaled_classes
from mlwright.linear_model._glm._proximal import LEFT, how_far, violation

_MOST_PARAMETERS = 2048  # of all classes: up to which their joint Hessian is formed
_MOST_ENTRIES = 2**27  # of the table, of which a scaled copy is made: 1 GiB
_ROUNDING, _PERFECT = 1e-14, 1e-12
_SWEEPS = 10_000
_NULL = 1e-12
_SEPARATED = 1e-8  # mean loss of a row
_SHRINKS = 0.2  # what a step leaves of the violation, at most, before the Hessian is formed anew
_FAR, _SHARE = 0.1, 8  # the violation beyond which a Hessian of one row in so many will do
_LEAST_ROWS = 50  # of those, a column
_LARGE_SCORE, _STILL_MOVES = 8.0, 0.5  # as in Newton's method of one score
_ELSEWHERE = np.empty(0)  # where a Hessian that was lent was formed


def forms_joint(problem, n_classes):
    """Whether a joint Hessian is small enough."""
    p, n = len(problem.scale), len(problem.table.y)
    return p * n_classes <= _MOST_PARAMETERS and p * n <= _MOST_ENTRIES


class Curvature(NamedTuple):
    """A joint Hessian: of coefficients, class after class; of those and intercepts; of intercepts."""

    hessian: np.ndarray
    border: np.ndarray
    corner: np.ndarray

    def times(self, share):
        return Curvature(*(share * part for part in self))


class JointNewton(LineSearch):
    """The state of one minimisation: coefficients (p, k) of scaled columns and intercepts (k,).

    ``from_some``: whether a Hessian of some of the rows will do far from the optimum. ``lent``: a
    :class:`Curvature` to start with, as of other rows, in the same scaled columns.
    """

    def __init__(self, problem, n_classes, b, b0, from_some=True, lent=None):
        self.problem, self.k, self.from_some = problem, n_classes, from_some
        l1, l2 = problem.penalties()
        self.l1, self.l2 = np.tile(l1, n_classes), np.tile(l2, n_classes)
        self.Z = _scaled(problem.table)
        self.b, self.b0 = b, b0
        self.n_passes, self.n_iter, self.status, self.first = 0.0, 0, glm.ITERATIONS, None
        self.violation, self.stride, self.curved_at = np.inf, 1, None
        self.hessian = self.border = self.corner = None
        if lent is not None:
            (self.hessian, self.border, self.corner), self.curved_at = lent, _ELSEWHERE

    def penalty(self, b):
        """The penalty of coefficients (p, k)."""
        flat = b.T.ravel()
        return float(self.l2 @ flat**2 / 2 + self.l1 @ np.abs(flat))

    def run(self, tol, max_iter):
        """To the optimum, or as far as `max_iter` steps go; returns itself."""
        self._move_to(self.b, self.b0, self._evaluate(self.b, self.b0))
        while True:
            if not np.isfinite(self.objective):
                self.status = glm.NOT_FINITE
            elif self.violation <= tol and self.stride > 1:
                self._curve(1)
                continue
            else:
                d, d0, expected = self._direction(tol) if self.l1.any() else self._smooth_direction()
                if self.violation <= tol and -expected <= max(LEFT * tol**2 * self.deviance, self._noise):
                    self.status = glm.CONVERGED
                elif self.n_iter < max_iter:
                    if self._step(d, d0, expected):
                        continue
                    if self.stride > 1 or self.curved_at is not self.b:
                        self._curve(1)
                        continue
                    self.status = glm.CONVERGED if self.violation <= tol else glm.STALLED
            return self

    def _evaluate(self, b, b0):
        self.n_passes += 1.0
        loss, g, total = glm.class_gradient(self.problem.table, self.k, np.ascontiguousarray(b), b0)
        return loss, g.T.ravel(), total

    def _move_to(self, b, b0, evaluated):
        self.b, self.b0 = b, b0
        self.loss, self.gradient, self.total = evaluated
        self.objective = self.loss + self.penalty(b)
        self.first = max(abs(self.objective), 1e-300) if self.first is None else self.first
        self.deviance = max(self.objective, _PERFECT * self.first)
        if np.isfinite(self.objective):
            self._look()

    def _look(self):
        """How far from the optimum this is; with a new Hessian where the old one has served its time."""
        if self.curved_at is None:
            self._curve(self._coarse())
            return
        before, self.violation = self.violation, self._violation()
        if not self.violation <= _SHRINKS * before:
            self._curve(self._coarse() if self.violation > _FAR and self.stride > 1 else 1)

    def _coarse(self):
        w = self.problem.table.w
        enough = len(self.Z) >= _SHARE * _LEAST_ROWS * self.Z.shape[1] and (w is None or w.min() > 0.0)
        return _SHARE if self.from_some and enough else 1

    def _curve(self, stride):
        """The Hessian here by every so manieth row, class after class; how far from the optimum this is."""
        k, q = self.k, self.Z.shape[1]
        w = self.problem.table.w
        Z = np.ascontiguousarray(self.Z[::stride])
        p = special.softmax(self._scores(Z, self.b, self.b0, stride), axis=1)
        w = np.full(len(p), len(self.Z) / len(Z)) if w is None else w[::stride] * (w.sum() / w[::stride].sum())
        H = np.empty((k, q, k, q))
        share = np.ascontiguousarray(p.T)
        for c in range(k):
            weighted = share[c] * w
            H[c, :, c] = _gram(Z, weighted * (1.0 - share[c]))
            for d in range(c):
                H[c, :, d] = H[d, :, c] = _gram(Z, -weighted * share[d])
        self.n_passes += 1.0 / stride
        self.stride, self.curved_at = stride, self.b
        self.border = H[:, :-1, :, -1].reshape(-1, k)
        self.corner = H[:, -1, :, -1].copy()
        self.hessian = np.ascontiguousarray(H[:, :-1, :, :-1]).reshape(len(self.l1), -1)
        self.violation = self._violation()

    def scores(self, b, b0):
        """Of all rows, (n, k), for coefficients (p, k) and intercepts (k,)."""
        return self._scores(self.Z, b, b0)

    def _scores(self, Z, b, b0, stride=1):
        """Of the rows Z, every so manieth."""
        eta, offset = self.moves(Z, b, b0), self.problem.table.offset
        return eta if offset is None else eta + offset[::stride]

    def moves(self, Z, b, b0):
        """By how much a step moves the scores of rows."""
        return affine_map(Z, np.vstack([b, b0]).T, np.zeros(self.k))

    def _smooth_direction(self):
        """Newton's step where there is no L1 penalty, and what it is expected to change."""
        d, d0 = self.newton_step()
        return d, d0, float((self.gradient + self.l2 * self.b.T.ravel()) @ d.T.ravel() + self.total @ d0)

    def newton_step(self):
        """To the minimum of the quadratic model without an L1 penalty: steps of the coefficients and intercepts."""
        g, total = self.gradient + self.l2 * self.b.T.ravel(), self.total
        free = np.ones(self.k, dtype=bool) if self.problem.fit_intercept else np.zeros(self.k, dtype=bool)
        H = np.block(
            [
                [self.hessian + np.diag(self.l2), self.border[:, free]],
                [self.border[:, free].T, self.corner[free][:, free]],
            ]
        )
        unit = 1.0 / np.sqrt(np.maximum(H.diagonal(), 1e-300))
        values, vectors = eigh(H * np.multiply.outer(unit, unit))
        keep = values > _NULL * values[-1]
        step = -unit * (vectors[:, keep] @ ((vectors[:, keep].T @ (unit * np.append(g, total[free]))) / values[keep]))
        d0 = np.zeros(self.k)
        d0[free] = step[len(g) :]
        return step[: len(g)].reshape(self.k, -1).T, d0

    def _violation(self):
        b = self.b.T.ravel()
        worst = violation(self.gradient, self.hessian.diagonal(), b, self.l1, self.l2, self.deviance)
        if self.problem.fit_intercept:
            size = np.sqrt(np.maximum(self.corner.diagonal(), 1e-300)) * np.sqrt(self.deviance)
            worst = max(worst, float((np.abs(self.total) / size).max()))
        return worst

    @property
    def _noise(self):
        """What rounding makes of the objective: a loss near zero is a difference too."""
        w = self.problem.table.w
        return _ROUNDING * (abs(self.objective) + (len(self.Z) if w is None else w.sum()))

    def _direction(self, tol):
        """Steps to the minimum of the quadratic model plus penalty, and a bound of the objective's slope there."""
        H, g, b = self.hessian, self.gradient, self.b.T.ravel()
        inverse = _pseudo_inverse(self.corner) if self.problem.fit_intercept else np.zeros_like(self.corner)
        lifted = self.border @ inverse
        H = H - lifted @ self.border.T
        g = g - lifted @ self.total
        linear = (H * b).sum(axis=1) - g
        square = 4 * self.deviance + abs(float(b @ linear)) + 2 * abs(float(g @ b))
        inner = how_far(self.violation, tol) * np.sqrt(self.deviance / square)
        coef, *_ = elastic_net_paths(
            H[None],
            np.zeros(1, dtype=np.int64),
            linear[None],
            np.array([square]),
            np.ones((1, 1)),
            np.ones((1, 1)),
            self.l1,
            self.l2,
            start=b[None],
            tol=-1.0,  # the gap is rounding long before the violation is
            violation=inner,
            max_iter=_SWEEPS,
        )
        flat = coef[0, 0] - b
        d, d0 = flat.reshape(self.k, -1).T, -inverse @ (self.total + self.border.T @ flat)
        expected = float(self.gradient @ flat) + float(self.total @ d0)
        return d, d0, expected + self.penalty(self.b + d) - self.penalty(self.b)


def _gram(rows, w):
    return gram(as_design(rows), w, np.zeros(len(rows)), np.ones(rows.shape[1]))


def _pseudo_inverse(corner):
    """Of the intercepts' Hessian, without the shift of all classes that moves no score."""
    values, vectors = eigh(corner)
    keep = values > _NULL * values[-1]
    return (vectors[:, keep] / values[keep]) @ vectors[:, keep].T


def _scaled(table):
    """The rows in scaled columns, and a column of ones."""
    X = table.X
    if isinstance(X, Coded):
        X = one_hot(X)
    elif isinstance(X, tuple):
        indptr, indices, data, p = X
        X = sparse.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, p)).toarray()
    out = np.ones((X.shape[0], X.shape[1] + 1))
    np.subtract(X, table.shift, out=out[:, :-1])
    out[:, :-1] *= table.scale
    return out


def runs_away(problem, n_classes, coef, intercept, objective):
    """Whether the minimum of an unpenalised fit is at infinity: nothing is left to gain, but a step still moves scores.

    Told by the loss where it is nearly zero (all classes apart), and by Newton's step where the Hessian is small.
    """
    w = problem.table.w
    weight = float(len(problem.table.y) if w is None else w.sum())
    if objective <= _SEPARATED * weight:
        return True
    if not forms_joint(problem, n_classes):
        return False
    state = JointNewton(problem, n_classes, *scaled_classes(problem, coef, intercept), from_some=False)
    spread = np.ptp(state.scores(state.b, state.b0), axis=1)
    if not spread.max(initial=0.0) > _LARGE_SCORE:
        return False
    state._move_to(state.b, state.b0, state._evaluate(state.b, state.b0))
    moved = state.moves(state.Z, *state.newton_step())
    return bool(np.ptp(moved, axis=1).max() > _STILL_MOVES)


def solve_joint(problem, n_classes, coef, intercept, tol, max_iter):
    """The optimum in coefficients (k, p) and intercepts (k,) of the original columns."""
    return solve_joint_by(problem, n_classes, coef, intercept, tol, max_iter)[0]


def solve_joint_by(problem, n_classes, coef, intercept, tol, max_iter, lent=None):
    """The same from a :class:`Curvature` that was lent, and with the one that led to the optimum."""
    state = JointNewton(problem, n_classes, *scaled_classes(problem, coef, intercept), lent=lent).run(tol, max_iter)
    coef, intercept = original_classes(problem, state.b, state.b0)
    solution = Solution(
        coef,
        intercept,
        problem.objective(state.loss, coef.ravel()),
        state.violation if np.isfinite(state.violation) else np.inf,
        state.n_iter,
        state.n_passes,
        state.status,
    )
    return solution, Curvature(state.hessian, state.border, state.corner)
