"""Pólya-Gamma variates, and Gibbs chains of logistic regression made of them; ``sampler/polya_gamma.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.polya_gamma


@kernel(
    native="polya_gamma.draw",
    twin="polya_gamma:draw",
    strategy="polya_gamma:tilts",
    tolerance=Tolerance(rtol=1e-9, atol=1e-300),
)
def draw(seed, stream, z):
    """PG(1, z) for each z; element ``i`` from the generator of chunk ``i // 4096``, as in ``_kernels.rng``."""
    z = layout.vector(z)
    out = np.empty(len(z))
    _core.draw(seed, stream, z, out)
    return out


def sample_logistic(table, fit_intercept, precision, starts, seed, warm_up, draws, reporter):
    """Gibbs chains of a logistic model with independent normal priors, the intercept's flat.

    Parameters
    ----------
    table : mlwright._kernels.glm.Table
        Its weights are whole numbers.
    fit_intercept : bool
    precision : array of shape (p,)
        Of the priors of the coefficients of ``(X - shift) * scale``.
    starts : array of shape (chains, p + fit_intercept)
    seed, warm_up, draws : int
    reporter : Reporter

    Returns
    -------
    array of shape (chains, draws, p + fit_intercept)
        The intercept last.
    """
    X, *vectors = table
    starts = np.ascontiguousarray(starts, dtype=np.float64)
    out = np.empty((len(starts), draws, starts.shape[1]))
    _core.sample_logistic(
        X,
        *(None if a is None else layout.vector(a) for a in vectors),
        bool(fit_intercept),
        layout.vector(precision),
        starts,
        seed,
        warm_up,
        out,
        reporter.native,
        reporter.interval,
    )
    return out
