"""Where the posterior of a generalized linear model has its mode, and how it bends there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize
from scipy.linalg import lapack

from mlwright._kernels import glm
from mlwright._kernels import glm_density as gd
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._runtime.errors import NumericalError

_NEWTON_STEPS = 8
_SETTLED = 1e-8  # of what a Newton step would gain
_DIFFERENCE = 1e-4
_LEAST_DISPERSION = 1e-8


@dataclass(frozen=True)
class Laplace:
    """A normal approximation of the density's points.

    Attributes
    ----------
    mode : array of shape (d,)
    root : array of shape (k, k), upper triangular
        W with ``W W'`` the inverse of the curvature, of the first k numbers; the rest counts as standardised.
    """

    mode: np.ndarray
    root: np.ndarray

    def points(self, u):
        """Of standardised numbers (m, d)."""
        k = len(self.root)
        mapped = affine_map(u[:, :k], self.root, np.zeros(k)) if k else u[:, :0]
        return self.mode + np.column_stack([mapped, u[:, k:]])

    @property
    def log_det(self):
        """Of W."""
        return float(np.log(np.abs(self.root.diagonal())).sum())


def find_mode(problem, density, name, free=None):
    """Laplace's approximation; NumericalError where there is no mode, or no curvature at it.

    `free` is how many numbers, from the first on, are not held where they start; all of them for None.
    """
    start = starting_map(problem, name)
    if problem.is_plain:
        return start
    density.set_map(start.mode, start.root)
    free = density.size if free is None else free
    seen = _Leading(density, free)
    u = optimize.minimize(lambda u: _minus(seen(u)), np.zeros(free), jac=True, method="L-BFGS-B").x
    for _ in range(_NEWTON_STEPS):
        value, gradient = seen(u)
        root = inverse_root(curvature_at(seen, u))
        if root is None or not np.isfinite(value):
            raise NumericalError(f"{name}: the posterior has no curvature at its mode; expected method='nuts'.")
        step = root @ (root.T @ gradient)
        if gradient @ step < _SETTLED or not seen(u + step)[0] > value:
            break
        u = u + step
    (mode,) = start.points(np.pad(u, (0, density.size - free))[None, :])
    whole = np.eye(free)
    whole[: len(start.root), : len(start.root)] = start.root
    return Laplace(mode, whole @ root)


@dataclass(frozen=True)
class _Leading:
    """A density as a function of its first numbers, the rest being zero."""

    density: Any
    free: int

    def __call__(self, u):
        value, gradient = self.density(np.pad(u, (0, self.density.size - self.free)))
        return value, gradient[: self.free]


def _minus(pair):
    value, gradient = pair
    return (-value, -gradient) if np.isfinite(value) else (1e300, np.zeros_like(gradient))


def curvature_at(density, u):
    """Minus the Hessian, by central differences of gradients."""
    d = len(u)
    rows = np.empty((d, d))
    for i in range(d):
        ahead, behind = u.copy(), u.copy()
        ahead[i] += _DIFFERENCE
        behind[i] -= _DIFFERENCE
        rows[i] = (density(behind)[1] - density(ahead)[1]) / (2.0 * _DIFFERENCE)
    return 0.5 * (rows + rows.T)


def inverse_root(curvature):
    """Upper triangular W with ``W W'`` its inverse; None where it is not positive definite."""
    if not np.isfinite(curvature).all():
        return None
    lower, info = lapack.dpotrf(curvature, lower=1, clean=1)
    if info == 0:
        lower, info = lapack.dtrtri(lower, lower=1)
    return None if info != 0 else lower.T.copy()


def starting_map(problem, name):
    """The mode of coefficients and intercept under normal priors, at a dispersion near that of the rows.

    Effects start at 0, and so do coefficients under a horseshoe.
    """
    places, mode, root = problem.places, np.zeros(problem.size), np.zeros((0, 0))
    if problem.prior.shape == gd.HORSESHOE or not len(problem.scale):
        start = problem.start_of_intercept
        mode[places["intercept"]] = start
        dispersion = _dispersion(problem, np.full(len(problem.y), start))
    else:
        coef, intercept, dispersion, curvature = _fit(problem, name)
        linear = slice(0, places["intercept"].stop)
        mode[linear] = np.append(coef, intercept)[: linear.stop]
        root = inverse_root(curvature)
        if root is None:
            raise NumericalError(
                f"{name}: the posterior has no curvature at its mode; expected classes or counts that do not all agree."
            )
    mode[places["dispersion"]] = np.log(dispersion)
    mode[places["scales"]] = [np.log(term.start) for term in problem.terms]
    return Laplace(mode, root)


def _fit(problem, name):
    """Coefficients, intercept, dispersion, and the curvature in both at once."""
    law, p, flat = problem.law, len(problem.scale), problem.fit_intercept
    precision = problem.prior.scale**-2.0
    dispersion, loss, row = 1.0, law.loss, law.row
    table = glm.Table(as_design(problem.X), problem.shift, problem.scale, problem.target, problem.w, problem.start)
    coef, intercept = np.zeros(p), problem.start_of_intercept
    for _ in range(3 if law.dispersed else 1):
        if law.name == "negative_binomial":
            loss, row = loss._replace(parameter=dispersion), row.with_parameter(dispersion)
        penalty = precision * (dispersion if loss.parameter == 0.0 else 1.0)
        least = row.saturated(problem.target, problem.w)
        coef, intercept, facts = glm.fit_newton(table, loss, penalty, flat, coef, intercept, least, 1e-8, 200)
        if facts["status"] not in (glm.CONVERGED, glm.STALLED):
            raise NumericalError(
                f"{name}: the mode of the posterior was not found ({facts['n_iter']} steps); expected classes or "
                "counts that do not all agree, and columns within 1e100; scale the columns or lower prior_scale."
            )
        _, _, hessian, eta = glm.evaluate(table, loss, coef, intercept)
        dispersion = _dispersion(problem, eta)
    factor = 1.0 if law.name == "negative_binomial" else dispersion
    d = p + flat
    curvature = hessian[:d, :d] / factor
    curvature[np.arange(p), np.arange(p)] += precision
    return coef, intercept, dispersion, curvature


def _dispersion(problem, eta):
    """By moments; 1 where the law has none."""
    law, y = problem.law, problem.target
    if not law.dispersed:
        return 1.0
    mu = law.mean(eta)
    w = np.ones(len(y)) if problem.w is None else problem.w
    if law.name == "negative_binomial":
        return float(np.clip((w @ ((y - mu) ** 2 - mu)) / (w @ mu**2), 0.01, 10.0))
    return max(float((w @ ((y - mu) ** 2 / law.row.family.variance(mu, 0.0))) / w.sum()), _LEAST_DISPERSION)
