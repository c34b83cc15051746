"""Huber's regression with concomitant scale: Newton steps on the coefficients, the scale being exact at each.

    minimise   sum_i w_i (sigma + h(r_i / sigma) sigma) + sum_j penalty_j b_j^2,    r = y - z b,
               h(t) = t^2 where |t| <= epsilon, else 2 epsilon |t| - epsilon^2

is convex in (b, sigma). For given residuals the best sigma solves a monotone equation of one unknown; what is left is a
function of b whose Hessian is a weighted Gram matrix of the rows inside, less a rank-one term.

References: Huber and Ronchetti (2009), Robust Statistics, section 7.7; Owen (2007), A robust hybrid of lasso and ridge
regression.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.rng import sample_without_replacement
from mlwright._runtime.lapack import eigh
from mlwright.linear_model._interval import quadratic

_PERFECT = 1e-9  # a scale so much smaller than the target's is taken for zero
_SMALLEST_CURVATURE = 1e-12
_SURE_CURVATURE = 1e-10  # above it no eigenvalue is as small as that: a Cholesky factor will do, at a tenth of the work
_SUFFICIENT = 1e-4  # of the predicted decrease
_SMALLEST_STEP = 2.0**-20
_SHARE = 10  # one row in so many is fitted first, where that leaves enough for each parameter
_LEAST_ROWS_A_PARAMETER = 50
_TOL_OF_SAMPLE, _STEPS_OF_SAMPLE = 1e-3, 30
_LEVERAGES_UP_TO = 50  # rows a parameter; of more, a row left out moves its own plane by less than what is random
_LEAST_LEFT = 1e-6  # of a row: below it the others do not determine its prediction, whose error is then huge
_EPS = np.finfo(np.float64).eps


@dataclass
class HuberFit:
    """Parameters in scaled columns, the scale in units of the scaled target, and the certificate.

    `left_out` are the residuals of rows left out, where these can be told.
    """

    b: np.ndarray
    sigma: float
    objective: float
    violation: float
    n_iter: int
    n_passes: int
    left_out: np.ndarray | None


@dataclass
class _Point:
    """A vector of parameters with all that belongs to it."""

    b: np.ndarray
    residuals: np.ndarray
    sigma: float
    objective: float


class HuberProblem:
    """The objective of :class:`ScaledRows` for one epsilon and the penalties of all parameters."""

    def __init__(self, rows, epsilon, penalty):
        self.rows, self.epsilon, self.w = rows, epsilon, rows.weights()
        self.penalty, self.n_parameters = penalty, rows.n_parameters
        self.floor = _PERFECT  # of the scale

    def at(self, b, residuals, sigma):
        """The point at b; `sigma` is where the search for its scale starts."""
        sigma = self._best_scale(residuals, sigma)
        size = np.abs(residuals)
        inside = size <= self.epsilon * sigma
        w, outer = self.w, np.where(inside, 0.0, self.w)
        squares = (np.where(inside, w, 0.0) * size * size).sum() / sigma
        linear = self.epsilon * ((2.0 * size - self.epsilon * sigma) * outer).sum()
        value = self.rows.total * sigma + squares + linear + (self.penalty * b * b).sum()
        return _Point(b, residuals, sigma, float(value))

    def _best_scale(self, residuals, sigma):
        """Newton's method for ``W s = sum w min(r^2, epsilon^2 s)``, convex in s = sigma^2: it falls from above."""
        squares, bound = residuals * residuals, self.epsilon**2
        weighted, s, total = self.w * squares, max(sigma, _PERFECT) ** 2, self.rows.total
        for _ in range(100):
            inside = squares <= bound * s
            slope = total - bound * (self.w * ~inside).sum()
            if slope <= 4.0 * _EPS * total:
                s *= 4.0
                continue
            new = max((weighted * inside).sum() / slope, _PERFECT**2)
            if abs(new - s) <= 8.0 * _EPS * s:
                break
            s = new
        return max(float(np.sqrt(s)), self.floor)

    def gradient(self, point):
        """Half the gradient in b."""
        pull = np.clip(point.residuals / point.sigma, -self.epsilon, self.epsilon)
        return self.penalty * point.b - self.rows.sums((self.w * pull)[None, :])[0]

    def violation(self, point):
        """The certificate: the largest derivative, relative to the sum of weights."""
        return float(np.abs(self.gradient(point)).max() / self.rows.total)

    def hessian(self, point, bend):
        """Half the Hessian of the objective with the scale eliminated.

        Rows outside have none. `bend` gives them that share of the curvature of the parabola that touches their loss
        from above: with all of it (and the scale held) the step is reweighted least squares', which always descends.
        """
        size = np.abs(point.residuals)
        inside, reach = size <= self.epsilon * point.sigma, self.epsilon * point.sigma
        gram, cross, square = self._moments(
            np.where(inside, self.w, bend * self.w * (reach / np.maximum(size, reach))), point.residuals
        )
        matrix = gram / point.sigma + np.diag(self.penalty)
        if square > 0.0 and point.sigma > self.floor and bend == 0.0:
            matrix -= np.outer(cross, cross) / (square * point.sigma)
        return matrix

    def _moments(self, w, residuals):
        """``Z'wZ``, ``Z'wr`` and ``r'wr``."""
        rows = self.rows
        p, q = len(rows.scale), rows.n_parameters
        if not w.any():
            return np.zeros((q, q)), np.zeros(q), 0.0
        sums = FoldStatistics.of_rows(rows.design, residuals[:, None], w)
        unit = np.append(rows.scale, 1.0)
        mean = (sums.mean - np.append(rows.shift, 0.0)) * unit
        ratio = unit / sums.scale
        moments = sums.scatter * np.outer(ratio, ratio) + sums.weight * np.outer(mean, mean)
        gram = np.empty((q, q))
        gram[:p, :p] = moments[:p, :p]
        if rows.fit_intercept:
            gram[p, :p] = gram[:p, p] = sums.weight * mean[:p]
            gram[p, p] = sums.weight
        cross = moments[:p, p]
        cross = np.append(cross, sums.weight * mean[p]) if rows.fit_intercept else cross
        return gram, cross, float(moments[p, p])

    def residuals_left_out(self, point):
        """Of each row, where one observation of it is left out: a step of reweighted least squares away.

        None where all rows but outliers are fitted exactly, by no fewer coefficients than there are rows.
        """
        rows, q = self.rows, self.n_parameters
        n = max(rows.total / rows.weight_unit, len(rows.y))
        reach = self.epsilon * point.sigma
        few = n > q and (np.abs(point.residuals) <= reach).sum() < 2 * q  # inside, to tell where the plane would go
        if few or point.sigma <= _PERFECT or len(rows.y) > _LEVERAGES_UP_TO * q:
            return point.residuals * (n / (n - q)) if n > q else None
        share = np.minimum(1.0, reach / np.maximum(np.abs(point.residuals), reach))
        gram, _, _ = self._moments(self.w * share, point.residuals)
        root = _inverse_root(gram / point.sigma + np.diag(self.penalty), rows.total / point.sigma)
        p = len(rows.scale)
        X = rows.X if isinstance(rows.X, np.ndarray) else rows.X.tocsr()
        own = quadratic(X, rows.shift, root[:p] * rows.scale[:, None], root[p] if rows.fit_intercept else 0.0)
        own *= share * np.minimum(self.w, rows.weight_unit) / point.sigma
        return point.residuals / np.maximum(1.0 - own, _LEAST_LEFT)

    def start(self):
        """A point not far from the best: that of some of the rows where there are many, else least squares."""
        n = len(self.rows.y)
        few = n // _SHARE
        if few < _LEAST_ROWS_A_PARAMETER * self.rows.n_parameters:
            return self._least_squares()
        sample = np.sort(sample_without_replacement(0, 0, n, few))
        rows = self.rows.take(sample)
        part = HuberProblem(rows, self.epsilon, self.penalty * (rows.total / self.rows.total))
        found = fit_huber(part, part.start(), _TOL_OF_SAMPLE, _STEPS_OF_SAMPLE, leave_out=False)
        return self.at(found.b, self.rows.residuals(found.b[None, :])[0], found.sigma)

    def _least_squares(self):
        gram, cross, _ = self._moments(self.w, self.rows.y)
        b = _solve(gram + np.diag(self.penalty), cross, self.rows.total)
        residuals = self.rows.residuals(b[None, :])[0]
        return self.at(b, residuals, float(np.abs(residuals).mean()))


def fit_huber(problem, point, tol, max_iter, leave_out=True):
    """Newton's method with a line search, under a floor of the scale that falls until the scale stays above it.

    Without the floor the steps would stall where the best scale is zero: the objective has kinks there. Ends where
    another step promises less than ``tol^2 / 1000`` of the objective, or no step makes it smaller.
    """
    n_iter, n_passes, total, bend, goal = 0, 3, problem.rows.total, 0.0, 1e-4
    problem.floor = max(0.1 * point.sigma, _PERFECT)
    gradient, step = problem.gradient(point), None
    while n_iter < max_iter:
        if step is None:
            step = _solve(problem.hessian(point, bend), -gradient, total / point.sigma)
            n_passes += 1
        slope = 2.0 * float((gradient * step).sum())
        new = None
        if -slope > goal * point.objective:
            change = problem.rows.residuals((point.b + step)[None, :])[0] - point.residuals
            new = _search(problem, point, step, change, slope)
            n_iter, n_passes = n_iter + 1, n_passes + 2
        if new is not None:
            point, bend = new, 0.1 * bend if bend > 1e-3 else 0.0
        elif -slope > goal * point.objective and bend < 1.0:
            bend = min(1.0, max(1e-2, 10.0 * bend))  # too few rows inside: lean on those outside
            step = None
            continue
        elif point.sigma <= problem.floor and problem.floor > _PERFECT:
            problem.floor, bend = max(0.1 * problem.floor, _PERFECT), 0.0
            point = problem.at(point.b, point.residuals, point.sigma)
        elif goal > 1e-3 * tol**2:
            goal = 1e-3 * tol**2
            if bend > 0.0:
                bend, step = 0.0, None
            continue
        else:
            break
        gradient, step = problem.gradient(point), None
    exact = problem.at(point.b, problem.rows.residuals(point.b[None, :])[0], point.sigma)
    out = problem.residuals_left_out(exact) if leave_out else None
    return HuberFit(exact.b, exact.sigma, exact.objective, problem.violation(exact), n_iter, n_passes, out)


def _search(problem, point, step, change, slope):
    """The longest of the steps 1, 1/2, 1/4 ... that makes the objective sufficiently smaller, or None."""
    length = 1.0
    while length >= _SMALLEST_STEP:
        new = problem.at(point.b + length * step, point.residuals + length * change, point.sigma)
        if new.objective <= point.objective + _SUFFICIENT * length * slope:
            return new
        length *= 0.5
    return None


def _inverse_root(matrix, unit):
    """W with ``W W'`` the inverse, or the pseudo-inverse where columns depend on others."""
    d, scaled = _equilibrated(matrix, unit)
    lower = _factor(scaled)
    if lower is not None:
        inverse, _ = lapack.dtrtri(lower, lower=1)
        return (inverse * d).T
    values, vectors = eigh(scaled)
    keep = values > _SMALLEST_CURVATURE
    return vectors[:, keep] / np.sqrt(values[keep]) * d[:, None]


def _solve(matrix, right, unit):
    """Solve; eigenvalues are kept from zero, relative to `unit`, the curvature of a column of unit spread."""
    d, scaled = _equilibrated(matrix, unit)
    lower = _factor(scaled)
    if lower is not None:
        return lapack.dpotrs(lower, right * d, lower=1)[0] * d
    values, vectors = eigh(scaled)
    values = np.maximum(values, _SMALLEST_CURVATURE)
    return vectors @ ((vectors.T @ (right * d)) / values) * d


def _equilibrated(matrix, unit):
    """What multiplies rows and columns to bring the diagonal, or `unit` where that is more, to one; the product."""
    d = 1.0 / np.sqrt(np.maximum(matrix.diagonal(), unit))
    return d, matrix * np.outer(d, d)


def _factor(scaled):
    """The lower Cholesky factor, or None where eigenvalues may be so small that they must be seen to be cut off."""
    norm = np.abs(scaled).sum(axis=0).max(initial=0.0)
    lower, info = lapack.dpotrf(scaled, lower=1, clean=1, overwrite_a=0)
    if info != 0:
        return None
    reciprocal, _ = lapack.dpocon(lower, norm, uplo="L")
    return lower if reciprocal * norm > _SURE_CURVATURE else None
