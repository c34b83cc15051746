"""The normal law nearest to a posterior, and the law of candidates that is made of it.

Of all normal laws q it has the least ``E_q[log q - log posterior]``: where the curvature at the mode is about one
point, it knows the density all around, and its centre is near the posterior's mean. What a row adds to the log density
depends on one number, its score, which is normal under q: expectations of that and of its derivatives are quadratures.

Reference: Opper, Archambeau (2009), The variational Gaussian approximation revisited. Neural Computation 21.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special
from scipy.linalg import solve_triangular

from mlwright._kernels.linalg import affine_map, gram
from mlwright.bayes._glm.laplace import Laplace, inverse_root

_NODES = 7
_STEPS = 4
_SETTLED = 0.05  # distance of a step after which none is worth a pass over the rows
_LEAST_SPREAD = 1e-4  # of a score: derivatives of its expectation are differences
_NUMBERS_AT_ONCE = 1 << 17  # stay in the cache
_FEWEST, _MOST = 3.0, 20.0  # degrees of freedom of the tails, by dimension
_AT_MODE = 5.0  # the same around the mode
_SYMMETRIC = 0.25  # distance up to which candidates are not worth a second evaluation


@dataclass(frozen=True)
class Candidates:
    """Student's t around a normal law's centre, by its root.

    Attributes
    ----------
    normal : Laplace
    freedom : float
    mirrored : bool
        Whether a candidate is taken from one of two points that the centre lies between, by their densities.
    """

    normal: Laplace
    freedom: float
    mirrored: bool


def at_mode(laplace, mirrored=False):
    """Candidates of the law at the mode."""
    return Candidates(laplace, max(20.0, _AT_MODE * len(laplace.mode)), mirrored)


def nearest_candidates(problem, laplace):
    """Candidates of the normal law nearest to the posterior, or, where its likelihood has a dispersion or its prior
    is not normal, of that at the mode.

    Where both laws are near to each other, the posterior is nearly normal, and so may be the candidates' tails.
    """
    if not problem.is_plain:
        return at_mode(laplace, mirrored=True)
    normal = nearest_normal(problem, laplace)
    if normal is laplace:
        return at_mode(laplace, mirrored=True)
    d, away = len(normal.mode), distance(normal, laplace)
    freedom = d * np.clip(0.5 * np.sqrt(d) / max(away, 1e-300), _FEWEST, _MOST)
    return Candidates(normal, max(6.0, float(freedom)), away > _SYMMETRIC)


def distance(normal, other):
    """The root of twice the divergence of two normal laws: where only their centres differ, in standard deviations."""
    ratio = solve_triangular(other.root, normal.root)
    apart = solve_triangular(other.root, normal.mode - other.mode)
    twice = np.square(ratio).sum() - len(apart) - 2.0 * (normal.log_det - other.log_det) + apart @ apart
    return float(np.sqrt(max(twice, 0.0)))


def nearest_normal(problem, start):
    """By Newton's steps from another normal law, each kept if it brings the law nearer; `start` itself if none does."""
    best, known, normal = -np.inf, start, start
    for _ in range(_STEPS):
        value, gradient, curvature = expected(problem, normal)
        value += normal.log_det
        if not value > best:
            return known
        best, known = value, normal
        root = inverse_root(curvature)
        if root is None or not np.isfinite(gradient).all():
            return known
        normal = Laplace(normal.mode + root @ (root.T @ gradient), root)
        if distance(normal, known) < _SETTLED:
            return normal
    return known


def expected(problem, normal):
    """Under a normal law of a plain problem's points: the log density, but for constants, its gradient, and minus its
    Hessian.
    """
    p, d = len(problem.scale), len(normal.mode)
    precision = np.zeros(d)
    precision[:p] = problem.prior.scale**-2.0
    value = -0.5 * float(precision @ (normal.mode**2 + np.square(normal.root).sum(axis=1)))
    gradient, curvature = -precision * normal.mode, np.diag(precision)
    rows = max(1, _NUMBERS_AT_ONCE // (d + _NODES))
    for begin in range(0, len(problem.y), rows):
        Z = _columns(problem, begin, begin + rows)
        fit, slope, bend = _expected_rows(problem, normal, Z, begin, begin + rows)
        value += float(fit.sum())
        gradient += np.einsum("n,nd->d", slope, Z)
        curvature += gram(Z, bend, np.zeros(len(Z)), np.ones(d))
    return value, gradient, curvature


def _columns(problem, begin, end):
    """What scores are linear in."""
    X, p = problem.X[begin:end], len(problem.scale)
    Z = np.ones((len(X), p + problem.fit_intercept))
    np.subtract(X, problem.shift, out=Z[:, :p])
    Z[:, :p] *= problem.scale
    return Z


def _expected_rows(problem, normal, Z, begin, end):
    """Expectations of each row's log likelihood, times its weight, and of its slope and minus its bend in the score."""
    centre = affine_map(Z, normal.mode[None, :], np.zeros(1))
    if problem.start is not None:
        centre += problem.start[begin:end, None]
    spread = np.sqrt(np.square(affine_map(Z, normal.root.T, np.zeros(len(normal.mode)))).sum(axis=1))
    spread = np.maximum(spread, _LEAST_SPREAD)
    node, share = _quadrature()
    values = problem.law.log_density(problem.y[begin:end, None], centre + spread[:, None] * node)
    if problem.w is not None:
        w = problem.w[begin:end, None]
        values = np.where(w > 0.0, w * values, 0.0)
    fit, slope, bend = (np.einsum("nk,k->n", values, share * part) for part in (1.0, node, 1.0 - node**2))
    return fit, slope / spread, bend / spread**2


@cache
def _quadrature():
    """Nodes and shares of a standard normal law."""
    node, share = special.roots_hermitenorm(_NODES)
    return node, share / share.sum()
