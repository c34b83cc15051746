"""The normal law at the mode of a density of one's own: an answer at once, a place to start from, candidates."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from mlwright._bayesian.contract import check_count
from mlwright._kernels.density import constrain
from mlwright._kernels.rng import normal, uniform
from mlwright._kernels.sampler import Settings, Target, log_ratios, pareto_smoothed
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.rng import seed_from, stream_id
from mlwright.bayes._gradient_check import check_gradient
from mlwright.bayes._proper import refuse_improper
from mlwright.bayes._run import compiled_density

_START, _DRAW = 18, 19  # purposes of random numbers, beside those of chains and of the gradient's check
_TRIES, _STARTS = 50, 3
_STEP = 1e-4  # of differences of gradients
_NEWTON, _HALVINGS = 30, 30
_CLOSE = 1e-6  # what a Newton step may still gain
_CANDIDATES = 2000
_NOWHERE = 1e100  # in place of an infinity that line searches cannot do with
_MOST_PARAMETERS = 3000


@dataclass(frozen=True)
class Peak:
    """The mode over free numbers, and the normal law with its curvature.

    Attributes
    ----------
    mode : array of shape (d,)
    root : array of shape (d, d)
        A lower triangle; the covariance is ``root @ root.T``.
    log_density : float
    """

    mode: np.ndarray
    root: np.ndarray
    log_density: float

    @property
    def log_evidence(self):
        return float(self.log_density + 0.5 * len(self.mode) * np.log(2 * np.pi) + np.log(np.diag(self.root)).sum())


def find_peak(target, seed):
    """Climb from a few random points by L-BFGS, then by Newton steps.

    Raises
    ------
    NumericalError
        Where there is no mode with a negative definite Hessian.
    """
    if target.free_size > _MOST_PARAMETERS:
        raise ValueError(
            f"laplace: got {target.free_size} free numbers, expected at most {_MOST_PARAMETERS}: it holds their "
            "covariance; sample without it"
        )
    best = max((_climb(target, u) for u in _starts(target, seed)), key=lambda found: found[0], default=None)
    if best is None:
        raise NumericalError(
            f"density: the log density is finite at none of {_TRIES} points around the middle of the free numbers; "
            "expected a mode near it; sample with init= a point of the support"
        )
    return _newton(target, *best)


def _starts(target, seed):
    found = 0
    for attempt in range(_TRIES):
        u = 2 * uniform(seed, stream_id(_START, attempt), target.free_size) - 1
        if np.isfinite(target.evaluate(u)[0]):
            found += 1
            yield u
        if found == _STARTS:
            return


def _climb(target, u):
    def loss(u):
        value, gradient, _ = target.evaluate(u)
        return (-value, -gradient) if np.isfinite(value) else (_NOWHERE, np.zeros_like(u))

    found = minimize(loss, u, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "maxcor": 20, "gtol": 1e-8})
    return target.evaluate(found.x)[0], found.x


def _newton(target, value, u):
    for _ in range(_NEWTON):
        factor = _curvature(target, u)
        gradient = target.evaluate(u)[1]
        step = _solve(factor, gradient)
        if gradient @ step < _CLOSE:  # one more step is exact to rounding, whatever rounding says of the gain
            u = u + step
            value, factor = target.evaluate(u)[0], _curvature(target, u)
            break
        moved = _towards(target, value, u, step)
        if moved is None:
            break  # rounding hides what is left to gain
        value, u = moved
    else:
        raise NumericalError(
            f"density: Newton steps do not end, last at a log density of {value:g}; expected a mode; the density may "
            "have none (a scale that goes to zero, a flat direction): sample without laplace"
        )
    inverse = solve_triangular(factor, np.eye(len(u)), lower=True)
    return Peak(u, np.ascontiguousarray(inverse.T[::-1, ::-1]), value)


def _towards(target, value, u, step):
    for _ in range(_HALVINGS):
        new = target.evaluate(u + step)[0]
        if new > value:
            return new, u + step
        step = 0.5 * step
    return None


def _curvature(target, u):
    """Cholesky factor of the negative Hessian, its rows and columns in reverse order."""
    d = len(u)
    hessian = np.empty((d, d))
    for i in range(d):
        h = _STEP * max(1.0, abs(u[i]))
        ends = []
        for sign in (1, -1):
            moved = u.copy()
            moved[i] += sign * h
            ends.append(target.evaluate(moved)[1])
        hessian[i] = (ends[1] - ends[0]) / (2 * h)
    hessian = 0.5 * (hessian + hessian.T)
    try:
        return np.linalg.cholesky(hessian[::-1, ::-1])
    except np.linalg.LinAlgError:
        raise NumericalError(
            f"density: where climbing ended, at parameters {target.evaluate(u)[2].tolist()}, the Hessian of the log "
            "density is not negative definite; expected a mode; the density may have none (a scale that goes to zero, "
            "a flat direction): sample without laplace"
        ) from None


def _solve(factor, gradient):
    half = solve_triangular(factor, gradient[::-1], lower=True)
    return solve_triangular(factor, half, lower=True, trans="T")[::-1]


def proposal_k_hat(target, peak, seed):
    """k-hat of the density's ratio to the normal law: below 0.7, candidates from the law serve."""
    settings = Settings(seed, 0, method="independence", mean=peak.mode, root=peak.root)
    ratios = log_ratios(target, settings, _CANDIDATES)
    possible = ratios[np.isfinite(ratios)]
    if len(possible) < _CANDIDATES // 2:
        return float("inf")
    return float(pareto_smoothed(peak.log_density - possible[None])[0, 2])


class LaplaceApproximation:
    """What :func:`laplace` returns.

    Attributes
    ----------
    mode : dict of str to ndarray or float
        Parameters at the mode of their free numbers, where the density includes the Jacobians of constraints.
    log_evidence : float
        Logarithm of the integral of the density, as far as it is normal.
    k_hat : float
        How far the density's tails are from the normal law's: below 0.5 it is near, above 0.7 not to be trusted.
    covariance : ndarray of shape (d, d)
        Of the free numbers.
    """

    def __init__(self, compiled, peak, k_hat):
        self._compiled, self._peak = compiled, peak
        self.k_hat, self.log_evidence = k_hat, peak.log_evidence
        self.covariance = peak.root @ peak.root.T
        self.mode = self._named(peak.mode[None], one=True)

    def __repr__(self):
        return f"<mlwright Laplace approximation of {', '.join(self._compiled.names)}, k-hat {self.k_hat:.2f}>"

    def sample(self, n_samples=1000, random_state=None):
        """Draw parameters from the approximation.

        Parameters
        ----------
        n_samples : int, default=1000
        random_state : int, RandomState instance, Generator or None, default=None

        Returns
        -------
        dict of str to ndarray of shape (n_samples, ...)
        """
        n, d = check_count("n_samples", n_samples), len(self._peak.mode)
        z = normal(seed_from(random_state), stream_id(_DRAW), n * d).reshape(n, d)
        return self._named(self._peak.mode + z @ self._peak.root.T)

    def _named(self, rows, one=False):
        x = np.array([constrain(self._compiled.blocks, u)[0] for u in rows])
        out, at = {}, 0
        for name, shape in zip(self._compiled.names, self._compiled.shapes, strict=True):
            size = int(np.prod(shape, dtype=int))
            values = x[:, at : at + size].reshape(len(x), *shape)
            out[name] = values[0] if one else values
            at += size
        return out


def laplace(density, data=None, *, random_state=None):
    """Approximate a posterior by the normal law at its mode.

    Parameters
    ----------
    density : LogDensity
        Made by :func:`mlwright.extend.log_density`.
    data : mapping of str to array-like or number, default=None
    random_state : int, RandomState instance, Generator or None, default=None
        Of the points from which the mode is looked for, and of k-hat's candidates.

    Returns
    -------
    LaplaceApproximation

    Raises
    ------
    ValueError
        For data that make no sense, a gradient that is not the density's, a density that has no finite integral along
        one of its parameters, or too many parameters.
    NumericalError
        If there is no mode: the density grows without bound, or is flat in a direction that is no parameter's.

    References
    ----------
    Tierney, Kadane (1986), Accurate approximations for posterior moments and marginal densities. JASA 81.

    Examples
    --------
    >>> from mlwright import bayes
    >>> from mlwright.extend import log_density, real
    >>> @log_density(x=real(2))
    ... def model(x):
    ...     return -0.5 * (x[0] - 1.0) * (x[0] - 1.0) - 2.0 * x[1] * x[1]
    >>> found = bayes.laplace(model, random_state=0)
    >>> found.mode["x"].round(6).tolist(), found.covariance.round(6).tolist()
    ([1.0, 0.0], [[1.0, 0.0], [0.0, 0.25]])
    """
    compiled = compiled_density(density, data)
    target, seed = Target(compiled), seed_from(random_state)
    check_gradient(target, seed)
    refuse_improper(target, seed)
    peak = find_peak(target, seed)
    return LaplaceApproximation(compiled, peak, proposal_k_hat(target, peak, seed))
