"""Simulation-based calibration of BART whose noise differs from row to row: mean and variance at each point.

Trees and leaves of both sums come from the prior, targets from them; the ranks of the truth among a chain's draws are
uniform if the chain is exact. A chain of another prior must not pass.
"""

import numpy as np
import pytest

from mlwright._kernels import bart
from mlwright.reference import bart as exact
from tests.bayes.bart_frequencies import UNIT, draw
from tests.bayes.test_calibration import DRAWS, LEVEL, smallest_p

SPACE = exact.TreeSpace([exact.Column(1, True), exact.Column(1)], alpha=0.8, beta=0.7, max_depth=2)
POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [bart.MISSING, 0], [bart.MISSING, 1]])
X = np.repeat(POINTS, 3, axis=0)
N_TREES, TAU2 = 3, 0.01
NU, LAM = 12.0, 0.25
TREES = list(SPACE.all_trees())
PRIOR = np.exp([SPACE.log_prior(tree) for tree in TREES])
THIN, BURN_IN = 40, 400


def random_sum(rng, leaf):
    """At each of POINTS, of trees from the prior whose leaves ``leaf(rng)`` gives."""
    total = np.zeros(len(POINTS))
    for number in rng.choice(len(TREES), N_TREES, p=PRIOR / PRIOR.sum()):
        of_leaf = {path: leaf(rng) for path in exact.leaves(TREES[number])}
        total += [of_leaf[exact.leaf_of(TREES[number], row)] for row in POINTS.tolist()]
    return total


def simulate(rng):
    f = random_sum(rng, lambda rng: rng.normal(0.0, np.sqrt(TAU2)))
    log_variance = random_sum(rng, lambda rng: np.log(NU * LAM / rng.chisquare(NU)))
    y = np.repeat(f, 3) + np.exp(0.5 * np.repeat(log_variance, 3)) * rng.normal(size=len(X))
    return y, [*f, *log_variance]


def log_likelihood(y, rows):
    f, log_variance = (np.repeat(part, 3, axis=1) for part in np.split(rows, 2, axis=1))
    return -0.5 * ((y - f) ** 2 / np.exp(log_variance) + log_variance).sum(axis=1)


def chain(**changed):
    def drawn(y, number):
        how = {"tau2": TAU2, "variance_nu": NU, "variance_lam": LAM, "n_variance_trees": N_TREES} | changed
        how |= {"n_trees": N_TREES, "sigma2": LAM**N_TREES, "burn_in": BURN_IN, "draws": DRAWS, "thin": THIN}
        trees = draw(SPACE, X, y, seed=number, **how)
        f = bart.sums(trees, N_TREES, POINTS, 0.0, UNIT)
        log_variance = bart.sums(trees["variance_trees"], N_TREES, POINTS, 0.0, bart.LOG_UNIT)
        return {"f": f[None], "log_variance": log_variance[None]}

    return drawn


@pytest.mark.slow
def test_ranks_of_mean_and_variance_are_uniform():
    assert smallest_p(1000, simulate, chain(), log_likelihood) > LEVEL


WRONG = {
    "a larger variance": {"variance_lam": 1.4 * LAM},
    "leaves too near to zero": {"tau2": TAU2 / 25},
    "a variance that hardly varies": {"variance_nu": 25 * NU},
}


@pytest.mark.parametrize("name", WRONG)
def test_another_prior_shows(name):
    assert smallest_p(400, simulate, chain(**WRONG[name]), log_likelihood) < LEVEL
