"""Steps of many fits that have one Hessian, to the minima of their quadratic models.

``of(b, gradient, deviance)`` takes coefficients (n_fits, p), gradients of the losses (n_fits, p + 1), the intercept's
last, and deviances (n_fits,); it gives the moves (n_fits, p + 1), what twice the moves gain (the squared decrements),
and the violations.
"""

import numpy as np
from scipy.linalg import lapack

from mlwright._kernels.coordinate_descent import elastic_net_paths
from mlwright.linear_model._glm._proximal import how_far, violation

_SWEEPS = 10_000


class NewtonSteps:
    """Without an L1 penalty: one Cholesky factor, in columns of unit diagonal."""

    def __init__(self, hessian, l1, l2, fit_intercept, tol):
        H, self.l2 = hessian.copy(), l2
        H[np.diag_indices(len(l2))] += l2
        free = len(H) if fit_intercept else len(l2)
        self.unit = 1.0 / np.sqrt(np.maximum(H.diagonal()[:free], 1e-300))
        factor, info = lapack.dpotrf(H[:free, :free] * np.multiply.outer(self.unit, self.unit), lower=1)
        self.factor = factor if info == 0 else None

    def penalty(self, b):
        return (self.l2 * b**2).sum(axis=1) / 2.0

    def of(self, b, gradient, deviance):
        move, free = np.zeros_like(gradient), len(self.unit)
        if self.factor is None:
            nothing = np.full(len(b), np.nan)
            return move, nothing, nothing
        slope = gradient.copy()
        slope[:, :-1] += self.l2 * b
        right = slope[:, :free] * self.unit
        move[:, :free] = -lapack.dpotrs(self.factor, right.T, lower=1)[0].T * self.unit
        worst = np.abs(right).max(axis=1, initial=0.0) / np.sqrt(deviance)
        return move, -(move * slope).sum(axis=1), worst


class ProximalSteps:
    """With one: the quadratics of all fits by the coordinate descent of least squares, intercepts eliminated."""

    def __init__(self, hessian, l1, l2, fit_intercept, tol):
        self.l1, self.l2, self.tol = l1, l2, tol
        self.border, self.corner = hessian[:-1, -1], hessian[-1, -1]
        self.intercept = fit_intercept and self.corner > 0.0
        self.diagonal = hessian.diagonal()[:-1]
        H = hessian[:-1, :-1]
        if self.intercept:
            H = H - np.outer(self.border, self.border / self.corner)
        self.H = np.ascontiguousarray(H)

    def penalty(self, b):
        return (self.l2 * b**2).sum(axis=1) / 2.0 + (self.l1 * np.abs(b)).sum(axis=1)

    def of(self, b, gradient, deviance):
        worst = self._violations(b, gradient, deviance)
        if not np.isfinite(worst).all():
            return np.zeros_like(gradient), np.full(len(b), np.nan), worst
        reduced, n = gradient[:, :-1], len(b)
        if self.intercept:
            reduced = reduced - np.outer(gradient[:, -1] / self.corner, self.border)
        linear = (b[:, None, :] * self.H).sum(axis=2) - reduced
        square = 4.0 * deviance + np.abs((b * linear).sum(axis=1)) + 2.0 * np.abs((reduced * b).sum(axis=1))
        inner = np.array([how_far(each, self.tol) for each in worst]) * np.sqrt(deviance / square)
        coef, *_ = elastic_net_paths(
            self.H[None],
            np.zeros(n, dtype=np.int64),
            linear,
            square,
            np.ones((n, 1)),
            np.ones((n, 1)),
            self.l1,
            self.l2,
            start=b,
            tol=-1.0,  # the gap is rounding long before the violation is
            violation=float(inner.min()),
            max_iter=_SWEEPS,
        )
        move = np.zeros_like(gradient)
        move[:, :-1] = coef[:, 0] - b
        if self.intercept:
            move[:, -1] = -(gradient[:, -1] + (move[:, :-1] * self.border).sum(axis=1)) / self.corner
        gain = (gradient * move).sum(axis=1) + self.penalty(coef[:, 0]) - self.penalty(b)
        return move, -gain, worst

    def _violations(self, b, gradient, deviance):
        each = [violation(gradient[f, :-1], self.diagonal, b[f], self.l1, self.l2, deviance[f]) for f in range(len(b))]
        if not self.intercept:
            return np.array(each)
        return np.maximum(each, np.abs(gradient[:, -1]) / (np.sqrt(self.corner) * np.sqrt(deviance)))
