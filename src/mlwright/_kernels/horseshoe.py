"""Gibbs chains of linear regression with the horseshoe prior; ``sampler/horseshoe.hpp``."""

from dataclasses import dataclass

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.horseshoe


@kernel(
    native="horseshoe.draw_shrunk",
    twin="horseshoe:draw_shrunk",
    strategy="horseshoe:shrinkages",
    tolerance=Tolerance(rtol=1e-9, atol=1e-300),
)
def draw_shrunk(seed, stream, q, e):
    """What coefficients lose of their least-squares values, of density ``(1 - r)^(-1/2) exp(-e r) / (1 - (1 - q) r)``.

    Element ``i`` from the generator of chunk ``i // 4096``, as in ``_kernels.rng``.

    Parameters
    ----------
    seed, stream : int
    q : array of shape (n,)
        In (0, 1e100]: ``tau^2 x'x``.
    e : array of shape (n,)
        In [0, 1e30]: half the square of the least-squares value in its standard errors.

    Returns
    -------
    array of shape (n,)
    """
    q, e = layout.vector(q), layout.vector(e)
    out = np.empty(len(q))
    _core.draw_shrunk(seed, stream, q, e, out)
    return out


@dataclass(frozen=True)
class Problem:
    """Standardised rows and priors.

    Attributes
    ----------
    X, y : arrays of shape (n, p) and (n,)
        Centred (where there is an intercept), scaled, and multiplied by the roots of the weights.
    gram : array of shape (p, p) or None
        ``X'X``, where it is to be used.
    shape, rate : float
        Of the noise's variance: the posterior's shape given the coefficients, the prior's rate.
    global_scale : float
    slab_precision : float
        ``1 / c^2``; 0 without a slab.
    """

    X: np.ndarray
    y: np.ndarray
    gram: np.ndarray | None
    shape: float
    rate: float
    global_scale: float
    slab_precision: float


def sample_horseshoe(problem, seed, chains, warm_up, draws, reporter):
    """Draws of the coefficients, of shape (chains, draws, p), and of the noise's variance and the global scale."""
    X, y = problem.X, layout.vector(problem.y)
    coef = np.empty((chains, draws, X.shape[1]))
    variance, scale = np.empty((chains, draws)), np.empty((chains, draws))
    _core.sample(
        np.ascontiguousarray(X.T, dtype=np.float64),
        None if problem.gram is None else np.ascontiguousarray(problem.gram, dtype=np.float64),
        X.T @ y,
        y,
        float(y @ y),
        problem.shape,
        problem.rate,
        problem.global_scale,
        problem.slab_precision,
        seed,
        warm_up,
        coef,
        variance,
        scale,
        reporter.native,
        reporter.interval,
    )
    return coef, variance, scale
