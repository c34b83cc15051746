"""L1 and elastic-net penalties of several classes: accelerated steps under a bound of the Hessian.

The multinomial Hessian is at most ``1/2 Z'WZ`` in every class (Boehning 1992). A step minimises gradient, that bound
times a factor and the penalty: one quadratic a class, all with one Gram matrix, by the coordinate descent of least
squares. The factor starts below one and grows where a step does not do what the bound says; steps are accelerated, and
start anew where the objective rises.

References: Boehning, Annals of the Institute of Statistical Mathematics 44 (1992), 197-200. Beck and Teboulle, SIAM
Journal on Imaging Sciences 2 (2009), 183-202. O'Donoghue and Candes, Foundations of Computational Mathematics 15
(2015), 715-732.
"""

import numpy as np

from mlwright._kernels import glm
from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright.linear_model._glm._problem import Solution, original_classes, scaled_classes
from mlwright.linear_model._glm._proximal import violation

_FIRST_FACTOR, _GROWS, _MOST_TRIALS = 0.3, 1.6, 12
_INNER, _SWEEPS = 0.03, 2000
_STEPS = 20  # steps here that count as one of max_iter
_TIGHTER = 0.01  # the bound's curvature, in which violations are measured, is far above the true one
_ROUNDING = 1e-14  # of a sum of losses, relative to it and to the weights: a loss near zero is a difference too


class ClassDescent:
    """The state of one minimisation: coefficients (p, k) of scaled columns and intercepts (k,)."""

    def __init__(self, problem, n_classes, b, b0):
        self.problem, self.k = problem, n_classes
        self.l1, self.l2 = problem.penalties()
        self.b, self.b0, self.factor = b, b0, _FIRST_FACTOR
        self.n_passes, self.n_iter, self.status = 1.0, 0, glm.ITERATIONS
        self._bound()

    def _bound(self):
        """Half the Gram matrix, with the intercept eliminated."""
        table = self.problem.table
        squares = glm.GlmLoss("squared_error")
        p = len(self.b)
        H = 0.5 * glm.evaluate(table._replace(y=np.zeros(len(table.y)), offset=None), squares, np.zeros(p), 0.0)[2]
        self.border, self.corner, H = H[:p, p], H[p, p], H[:p, :p]
        self.diagonal = H.diagonal().copy()
        if self.problem.fit_intercept:
            H = H - np.outer(self.border, self.border / self.corner)
        self.H = np.ascontiguousarray(H)

    def _noise(self, loss):
        w = self.problem.table.w
        return _ROUNDING * (abs(loss) + float(len(self.problem.table.y) if w is None else w.sum()))

    def penalty(self, b):
        """The penalty of coefficients (p, k)."""
        return float((self.l2[:, None] * b**2).sum() / 2 + (self.l1[:, None] * np.abs(b)).sum())

    def _evaluate(self, b, b0):
        self.n_passes += 1.0
        loss, g, total = glm.class_gradient(self.problem.table, self.k, np.ascontiguousarray(b), b0)
        return loss, g, total if self.problem.fit_intercept else np.zeros(self.k)

    def run(self, tol, max_iter):
        """To the optimum, or as far as `max_iter` goes; returns itself."""
        here = self._evaluate(self.b, self.b0)
        self.objective = here[0] + self.penalty(self.b)
        self.first = max(abs(self.objective), 1e-300)
        at, at0, at_here, momentum = self.b, self.b0, here, 1.0
        while True:
            self.loss = here[0]
            self.violation = self._violation(here)
            if not np.isfinite(self.objective):
                self.status = glm.NOT_FINITE
                return self
            if self.violation <= _TIGHTER * tol:
                self.status = glm.CONVERGED
                return self
            if self.n_iter >= max_iter * _STEPS:
                self.status = glm.CONVERGED if self.violation <= tol else self.status
                return self
            b, b0, there = self._step(at, at0, at_here, tol)
            self.n_iter += 1
            objective = there[0] + self.penalty(b)
            if objective > self.objective + self._noise(self.objective) and momentum > 1.0:
                at, at0, at_here, momentum = self.b, self.b0, here, 1.0
                continue
            moved, moved0 = b - self.b, b0 - self.b0
            # Near the optimum the objective is rounding: there the step's direction tells that momentum is spent.
            if self._inner(at - b, at0 - b0, moved, moved0) > 0.0:
                momentum = 1.0
            following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
            beta = (momentum - 1.0) / following
            self.b, self.b0, self.objective, here, momentum = b, b0, objective, there, following
            at, at0 = b + beta * moved, b0 + beta * moved0
            at_here = there if beta == 0.0 else self._evaluate(at, at0)

    def _step(self, b, b0, here, tol):
        """The minimiser under the bound from a point; the factor grows until the bound holds."""
        loss, g, total = here
        if self.problem.fit_intercept:
            reduced = g - self.border[:, None] * (total / self.corner)
        else:
            reduced = g
        for _ in range(_MOST_TRIALS):
            new = self._quadratics(b, reduced, tol)
            d = new - b
            d0 = (
                -(total / self.factor + self.border @ d) / self.corner
                if self.problem.fit_intercept
                else np.zeros(self.k)
            )
            there = self._evaluate(new, b0 + d0)
            bound = loss + (g * d).sum() + total @ d0 + self.factor * self._inner(d, d0, d, d0) / 2
            if there[0] <= bound + self._noise(loss):
                break
            self.factor *= _GROWS
        return new, b0 + d0, there

    def _inner(self, d, d0, e, e0):
        """The inner product of two steps under the bound."""
        inner = (d * (self.H @ e)).sum()
        if self.problem.fit_intercept:
            along = d0 + self.border @ d / self.corner, e0 + self.border @ e / self.corner
            inner += self.corner * (along[0] * along[1]).sum()
        return float(inner)

    def _quadratics(self, b, reduced, tol):
        k, p = self.k, len(b)
        H = self.factor * self.H
        linear = np.ascontiguousarray((H @ b - reduced).T)
        square = (
            4.0 * max(self.objective, 1e-300)
            + np.abs((b.T * linear).sum(axis=1))
            + 2 * np.abs((reduced * b).sum(axis=0))
        )
        inner = _INNER * max(min(self.violation, 1.0), _TIGHTER * tol)
        inner *= np.sqrt(max(self.objective, 1e-300) / square.max())
        coef, *_ = elastic_net_paths(
            H[None],
            np.zeros(k, dtype=np.int64),
            linear,
            square,
            np.ones((k, 1)),
            np.ones((k, 1)),
            self.l1,
            self.l2,
            start=np.ascontiguousarray(b.T),
            tol=-1.0,  # the gap is rounding long before the violation is
            violation=inner,
            max_iter=_SWEEPS,
        )
        return coef[:, 0].T.reshape(p, k)

    def _violation(self, here):
        deviance = max(self.objective, 1e-12 * self.first)
        _, g, total = here
        each = [violation(g[:, c], self.diagonal, self.b[:, c], self.l1, self.l2, deviance) for c in range(self.k)]
        if self.problem.fit_intercept:
            each.append(float(np.abs(total).max() / (np.sqrt(self.corner) * np.sqrt(deviance))))
        return max(each)


def solve_classes_l1(problem, n_classes, coef, intercept, tol, max_iter):
    """The optimum in coefficients (k, p) and intercepts (k,) of the original columns."""
    state = ClassDescent(problem, n_classes, *scaled_classes(problem, coef, intercept)).run(tol, max_iter)
    coef, intercept = original_classes(problem, state.b, state.b0)
    return Solution(
        coef,
        intercept,
        problem.objective(state.loss, coef.ravel()),
        state.violation if np.isfinite(state.violation) else np.inf,
        state.n_iter,
        state.n_passes,
        state.status,
    )
