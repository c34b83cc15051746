"""Simulation-based calibration of BART: of noise that is alike and that differs from row to row, of leaves and weights
of variables that are drawn along, of classes.

Trees and leaves come from the prior, targets from them; the ranks of the truth among a chain's draws are uniform if the
chain is exact. A chain of another prior must not pass.
"""

from functools import partial

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr

from mlwright._kernels import bart
from mlwright.reference import bart as exact
from tests.bayes.bart_frequencies import PROBIT_UNIT, UNIT, draw
from tests.bayes.test_calibration import DRAWS, LEVEL, smallest_p

SPACE = exact.TreeSpace([exact.Column(1, True), exact.Column(1)], alpha=0.8, beta=0.7, max_depth=2)
POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [bart.MISSING, 0], [bart.MISSING, 1]])
X = np.repeat(POINTS, 3, axis=0)
N_TREES, TAU2 = 3, 0.01
NU, LAM = 12.0, 0.25
THIN, BURN_IN = 40, 400


def random_tree(rng, space, tree=None, path=""):
    """From the prior: nodes are split from the root on."""
    if not space.splittable(tree, path) or rng.random() > space.split_probability(len(path)):
        return tree
    rules, chances = zip(*space.rules(tree, path), strict=True)
    tree = exact.replaced(tree, path, (rules[rng.choice(len(rules), p=np.array(chances))], None, None))
    for step in "lr":
        tree = random_tree(rng, space, tree, path + step)
    return tree


def random_sum(rng, leaf, space=SPACE):
    """At each of POINTS, of trees from the prior whose leaves ``leaf(rng)`` gives."""
    total = np.zeros(len(POINTS))
    for _ in range(N_TREES):
        tree = random_tree(rng, space)
        of_leaf = {path: leaf(rng) for path in exact.leaves(tree)}
        total += [of_leaf[exact.leaf_of(tree, row)] for row in POINTS.tolist()]
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


FREEDOM, OF_SIGMA = 6.0, {"nu": 8.0, "lam": 0.02}


def random_weights(rng):
    """Of two variables, by the sparse prior."""
    share = np.arange(1, 1001) / 1001
    share = rng.choice(share, p=share**-0.5 / (share**-0.5).sum())
    return rng.dirichlet([share / (1 - share)] * 2) + 1e-300


def simulate_alike(is_sparse, rng):
    """With one noise, and one deviation of leaves, that are unknown."""
    tau = np.sqrt(FREEDOM * TAU2 / rng.chisquare(FREEDOM))
    sigma2 = OF_SIGMA["nu"] * OF_SIGMA["lam"] / rng.chisquare(OF_SIGMA["nu"])
    weights = random_weights(rng) if is_sparse else None
    space = exact.TreeSpace(SPACE.columns, SPACE.alpha, SPACE.beta, SPACE.max_depth, weights)
    f = random_sum(rng, lambda rng: rng.normal(0.0, tau), space)
    y = np.repeat(f, 3) + np.sqrt(sigma2) * rng.normal(size=len(X))
    return y, [*f, sigma2]


def likelihood_alike(y, rows):
    f, sigma2 = np.repeat(rows[:, :-1], 3, axis=1), rows[:, -1:]
    return -0.5 * ((y - f) ** 2 / sigma2 + np.log(sigma2)).sum(axis=1)


def alike(**changed):
    def drawn(y, number):
        how = {"tau2": TAU2, "leaf_freedom": FREEDOM, "sigma2": 0.02, "n_trees": N_TREES} | OF_SIGMA | changed
        trees = draw(SPACE, X, y, seed=number, **how, burn_in=2 * BURN_IN, draws=DRAWS, thin=THIN)
        return {"f": bart.sums(trees, N_TREES, POINTS, 0.0, UNIT)[None], "sigma2": trees["sigma2"][None]}

    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("is_sparse", [False, True])
def test_ranks_of_mean_and_noise_are_uniform(is_sparse):
    simulate = partial(simulate_alike, is_sparse)
    assert smallest_p(500 if is_sparse else 1000, simulate, alike(is_sparse=is_sparse), likelihood_alike) > LEVEL


WRONG_ALIKE = {
    "less noise": {"lam": 0.5 * OF_SIGMA["lam"]},
    "a fixed deviation of leaves": {"leaf_freedom": 0.0, "tau2": 0.25 * TAU2},
}


@pytest.mark.parametrize("name", WRONG_ALIKE)
def test_another_prior_of_leaves_or_noise_shows(name):
    assert smallest_p(200, partial(simulate_alike, False), alike(**WRONG_ALIKE[name]), likelihood_alike) < LEVEL


PROBIT = {"tau2": 0.4, "sigma2": 1.0, "sigma_is_fixed": True, "is_probit": True, "offset": 0.3, "n_trees": N_TREES}


def simulate_classes(rng):
    f = random_sum(rng, lambda rng: rng.normal(0.0, np.sqrt(PROBIT["tau2"])))
    return np.where(rng.random(len(X)) < ndtr(PROBIT["offset"] + np.repeat(f, 3)), 1, -1), list(f)


def likelihood_of_classes(sign, rows):
    return log_ndtr(sign * (PROBIT["offset"] + np.repeat(rows, 3, axis=1))).sum(axis=1)


def classes(**changed):
    def drawn(sign, number):
        trees = draw(SPACE, X, sign, seed=number, **PROBIT | changed, burn_in=BURN_IN, draws=DRAWS, thin=THIN)
        return {"f": bart.sums(trees, N_TREES, POINTS, 0.0, PROBIT_UNIT)[None]}

    return drawn


@pytest.mark.slow
def test_ranks_of_scores_of_classes_are_uniform():
    assert smallest_p(1000, simulate_classes, classes(), likelihood_of_classes) > LEVEL


@pytest.mark.parametrize("changed", [{"offset": -0.2}, {"tau2": 0.1}], ids=repr)
def test_another_prior_of_classes_shows(changed):
    assert smallest_p(200, simulate_classes, classes(**changed), likelihood_of_classes) < LEVEL
