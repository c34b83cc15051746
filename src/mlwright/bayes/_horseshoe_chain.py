"""One Markov chain of horseshoe regression: a Gibbs sampler whose every step has a closed form.

With D = diag(tau^2 lambda_j^2), coefficients and noise are drawn together given the scales (s2 with the coefficients
integrated out), from p by p systems, or from n by n ones where there are more columns than rows (Bhattacharya,
Chakraborty and Mallick 2016). The half-Cauchy scales are inverse gamma given one auxiliary number each (Makalic and
Schmidt 2016). A slab multiplies the prior by exp(-b^2 / (2 s2 c^2)), which leaves the scales' steps as they are
(Nishimura and Suchard 2023).

References
----------
Carvalho, Polson, Scott (2010), The horseshoe estimator for sparse signals. Biometrika 97. Bhattacharya, Chakraborty,
Mallick (2016), Fast sampling with Gaussian scale mixture priors in high-dimensional regression. Biometrika 103.
Makalic, Schmidt (2016), A simple sampler for the horseshoe estimator. IEEE Signal Processing Letters 23. Nishimura,
Suchard (2023), Shrinkage with shrunken shoulders. Bayesian Analysis 18.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg as sla
from scipy.linalg import lapack

from mlwright._kernels.rng import exponential, gamma, normal
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.rng import stream_id

_COEF, _ROWS, _NOISE, _LOCAL, _LOCAL_AUX, _GLOBAL, _GLOBAL_AUX = range(7601, 7608)  # purposes of random numbers
_ITERATIONS = 32
_TALL = 512  # columns up to which p by p systems cost little: their draws do not depend on how rows are counted
_LEAST, _MOST = 1e-100, 1e100  # of squared scales: nothing is learnt beyond


@dataclass(frozen=True)
class Problem:
    """Standardised rows and priors.

    Attributes
    ----------
    X, y : arrays of shape (n, p) and (n,)
        Centred (where there is an intercept), scaled, and multiplied by the roots of the weights.
    gram : array of shape (p, p), or None where there are more columns than rows, and more than 512
    cross : array of shape (p,)
    square : float
        ``y'y``.
    shape, rate : float
        Of the noise's variance: the posterior's shape, the prior's rate.
    global_scale : float
    slab_precision : float
        ``1 / c^2``; 0 without a slab.
    """

    X: np.ndarray
    y: np.ndarray
    gram: np.ndarray | None
    cross: np.ndarray
    square: float
    shape: float
    rate: float
    global_scale: float
    slab_precision: float

    @classmethod
    def of(cls, X, y, **priors):
        wide = X.shape[1] > max(len(X), _TALL)
        return cls(X, y, None if wide else X.T @ X, X.T @ y, float(y @ y), **priors)


class Chain:
    """Where a chain is, and its next step; chains have seeds of their own."""

    def __init__(self, problem, seed, number):
        p = len(problem.cross)
        self.problem, self.seed = problem, seed
        self.iteration, self._drawn = 0, {}
        # Starts that differ, as R-hat asks for.
        self.local, self.aux = 1.0 / self._exponential(_LOCAL, p), np.ones(p)
        self.scale, self.scale_aux = problem.global_scale**2 * 4.0 ** (number % 3 - 1), 1.0

    def _next(self, purpose, fill, size):
        """This iteration's numbers; drawn for several iterations at once, since a call costs more than a number."""
        block, row = divmod(self.iteration, _ITERATIONS)
        if purpose not in self._drawn or self._drawn[purpose][0] != block:
            numbers = fill(self.seed, stream_id(purpose, block), _ITERATIONS * size)
            self._drawn[purpose] = block, numbers.reshape(_ITERATIONS, size)
        return self._drawn[purpose][1][row]

    def _normal(self, purpose, size):
        return self._next(purpose, normal, size)

    def _exponential(self, purpose, size):
        return np.maximum(self._next(purpose, exponential, size), 1e-300)

    def _gamma(self, purpose, shape):
        draw = self._next(purpose, lambda seed, stream, n: gamma(seed, stream, shape, n), 1)[0]
        return max(float(draw), 1e-300)

    def step(self):
        """Coefficients, the noise's variance and the global scale (not squared) of the next state."""
        self.iteration += 1
        problem, p = self.problem, len(self.local)
        prior = _clip(self.scale * self.local)
        coef, variance = self._wide(prior) if problem.gram is None else self._tall(prior)
        square = coef * coef / (2.0 * variance)
        self.local = _clip((1.0 / self.aux + square / self.scale) / self._exponential(_LOCAL, p))
        self.aux = (1.0 + 1.0 / self.local) / self._exponential(_LOCAL_AUX, p)
        rate = 1.0 / self.scale_aux + (square / self.local).sum()
        self.scale = float(_clip(rate / self._gamma(_GLOBAL, 0.5 * (p + 1))))
        rate = problem.global_scale**-2.0 + 1.0 / self.scale
        self.scale_aux = float(rate / self._exponential(_GLOBAL_AUX, 1)[0])
        return coef, variance, np.sqrt(self.scale)

    def _variance(self, rest):
        return (self.problem.rate + 0.5 * max(float(rest), 0.0)) / self._gamma(_NOISE, self.problem.shape)

    def _tall(self, prior):
        """From the p by p precision, scaled to a unit diagonal: prior precisions differ by many powers of ten."""
        problem = self.problem
        precision = problem.gram.copy()
        precision.flat[:: len(prior) + 1] += 1.0 / prior + problem.slab_precision
        d = 1.0 / np.sqrt(precision.diagonal())
        lower, info = lapack.dpotrf(precision * (d[:, None] * d), lower=1)
        if info != 0:
            raise NumericalError(
                "horseshoe: the precision of the coefficients is not positive definite; set slab_scale."
            )
        half, _ = lapack.dtrtrs(lower, d * problem.cross, lower=1)
        variance = self._variance(problem.square - half @ half)
        steps = half + np.sqrt(variance) * self._normal(_COEF, len(prior))
        coef = d * lapack.dtrtrs(lower, steps, lower=1, trans=1)[0]
        return coef, variance

    def _wide(self, prior):
        """From an n by n system: a draw from the prior, moved by what it misses of y."""
        problem, n = self.problem, len(self.problem.y)
        prior = 1.0 / (1.0 / prior + problem.slab_precision)
        scaled = problem.X * np.sqrt(prior)
        kernel = scaled @ scaled.T
        kernel.flat[:: n + 1] += 1.0
        factor = sla.cho_factor(kernel, lower=True, check_finite=False)
        variance = self._variance(problem.y @ sla.cho_solve(factor, problem.y, check_finite=False))
        deviation = np.sqrt(variance)
        start = deviation * np.sqrt(prior) * self._normal(_COEF, len(prior))
        seen = problem.X @ start + deviation * self._normal(_ROWS, n)
        return start + prior * (problem.X.T @ sla.cho_solve(factor, problem.y - seen, check_finite=False)), variance


def _clip(square):
    return np.minimum(np.maximum(square, _LEAST), _MOST)
