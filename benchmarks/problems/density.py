"""Draws from a log density of the user's: the same compiled function in every sampler."""

import numpy as np

from benchmarks import density
from benchmarks.problem import Goal, Metric, Problem


def correlated(quick: bool):
    """Logistic regression whose columns share two factors: far narrower in some directions than in others."""
    rng = np.random.default_rng(0)
    n, p = (100, 6) if quick else (600, 24)
    factors = rng.standard_normal((n, 2)) @ rng.standard_normal((2, p))
    X = 0.5 * rng.standard_normal((n, p)) + factors
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ rng.normal(0.0, 0.5, size=p)))).astype(float)
    return {"X": X, "y": y}


EQUAL_POSTERIOR = (
    Metric("norm of posterior means", density.norm_of_means, rtol=0.01),
    Metric("norm of posterior deviations", density.norm_of_deviations, rtol=0.01, atol=0.01),
)
#: Ours must not need more gradients than the peer for an effective draw.
NO_MORE_GRADIENTS = Metric("gradients an effective draw", density.gradients_an_effective_draw, may_be_lower=True)

COMMON = {
    "task": "density",
    "data": correlated,
    "timed": "fit",
    "per": density.thousands,
}

PROBLEMS = (
    Problem(
        name="density",
        title="A Numba density, logistic 600 x 24, correlated: 1,000 effective draws, warm-up included",
        libraries=("mlwright", "nutpie", "nutpie_low_rank"),
        metrics=(*EQUAL_POSTERIOR, NO_MORE_GRADIENTS),
        goals={"nutpie": Goal(1.2, 3), "nutpie_low_rank": Goal(1.2, 3)},
        **COMMON,
    ),
    Problem(
        name="density_walnutpie",
        title="The same density: 1,000 effective draws, warm-up included",
        libraries=("mlwright", "walnutpie"),
        metrics=EQUAL_POSTERIOR,
        goals={"walnutpie": Goal(1.2, 3)},
        **COMMON,
    ),
)
