"""Huber's regression of fewer rows than columns, in as many coordinates as there are rows.

Under the penalty ``b' L b`` the best coefficients are ``L^-1 Z' a`` for some a: what is orthogonal to that only adds to
the penalty, or, where there is none, to the length. With the QR decomposition ``L^(-1/2) Z' = Q R`` they are ``L^(-1/2)
Q c``, the rows ``R'``, and the penalty of c is its squared length.
"""

from dataclasses import replace

import numpy as np

from mlwright._kernels.linalg import as_design
from mlwright._runtime.lapack import qr
from mlwright.linear_model._robust.huber_fit import HuberProblem, fit_huber

_ALIKE = 1e6  # ratio of penalties of scaled columns, beyond which rounding would leave those of the least no digits


def is_wide(problem):
    """Whether rows are so few that their own coordinates are worth the decomposition."""
    rows = problem.rows
    penalty = problem.penalty[: len(rows.scale)][rows.scale > 0.0]
    return 2 * len(rows.y) <= len(penalty) and penalty.max() <= _ALIKE * penalty.min()


class WideProblem:
    """A problem, and the same in the coordinates of its rows: :func:`is_wide` holds of it."""

    def __init__(self, problem):
        rows, p, n = problem.rows, len(problem.rows.scale), len(problem.rows.y)
        penalised = bool(problem.penalty[:p][rows.scale > 0.0].any())
        root = np.sqrt(problem.penalty[:p]) if penalised else np.ones(p)
        X = rows.X if isinstance(rows.X, np.ndarray) else rows.X.toarray()
        q, r = qr(((X - rows.shift) * (rows.scale / root)).T)
        own = np.ascontiguousarray(r.T)
        inside = replace(rows, X=own, design=as_design(own), shift=np.zeros(n), scale=np.ones(n))
        self.problem, self._back, self._forth = problem, q / root[:, None], q.T * root
        penalty = np.append(np.full(n, float(penalised)), problem.penalty[p:])
        self._inside = HuberProblem(inside, problem.epsilon, penalty)
        self._inside.n_parameters = problem.n_parameters  # rows left out know of all

    def start(self):
        return self._inside.start()

    def inwards(self, point):
        """A point of the problem, less what rows say nothing of."""
        p = self._forth.shape[1]
        b = np.append(self._forth @ point.b[:p], point.b[p:])
        return self._inside.at(b, self._inside.rows.residuals(b[None, :])[0], point.sigma)

    def fit(self, point, tol, max_iter):
        """:func:`fit_huber` from a point of the rows' coordinates; the certificate is that of the problem itself."""
        fit = fit_huber(self._inside, point, tol, max_iter)
        n = len(self._forth)
        b = np.append(self._back @ fit.b[:n], fit.b[n:])
        exact = self.problem.at(b, self.problem.rows.residuals(b[None, :])[0], fit.sigma)
        violation = self.problem.violation(exact)
        return replace(fit, b=b, sigma=exact.sigma, objective=exact.objective, violation=violation)
