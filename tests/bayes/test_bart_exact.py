"""BART against exact posteriors by enumeration of all trees, and broken variants that must not agree with them."""

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats

from mlwright.bayes import BARTRegressor, diagnose
from mlwright.reference import bart as exact
from tests.bayes.bart_frequencies import ROWS, draw, frequencies, target_of, total_variation
from tests.bayes.bart_frequencies import SPACES as SMALL

TAU2, SIGMA2 = 0.09, 0.05
SPACES = {
    "numbers": exact.TreeSpace([exact.Column(3), exact.Column(1)], max_depth=2),
    "missing": SMALL["missing"],
    "categories": exact.TreeSpace([exact.Column(n_codes=3), exact.Column(2)], max_depth=2),
    "one column": SMALL["one column"],
    "weights": exact.TreeSpace([exact.Column(2), exact.Column(1)], max_depth=2, weights=[0.9, 0.1]),
}
X = {
    "numbers": [[0, 0], [1, 1], [2, 1], [3, 0], [1, 1], [2, 0]],
    "missing": ROWS["missing"],
    "categories": [[0, 0], [1, 2], [2, 1], [0, 1], [1, 2], [2, 0]],
    "one column": ROWS["one column"],
    "weights": [[0, 0], [1, 1], [2, 1], [0, 1], [1, 1], [2, 0]],
}
Y = target_of([-0.5, -0.2, 0.4, 0.5, 0.1, -0.3])[1]


def case(name):
    return SPACES[name], np.array(X[name])


@pytest.mark.parametrize("name", SPACES)
def test_prior_is_normalised(name):
    trees = list(SPACES[name].all_trees())
    assert len(set(trees)) == len(trees)
    assert sum(math.exp(SPACES[name].log_prior(tree)) for tree in trees) == pytest.approx(1.0, abs=1e-12)


def invariance_error(space, like, X):
    """Total variation between the exact posterior under `like` and what the moves of `space` leave invariant."""
    posterior = exact.posterior(like, X, Y, TAU2, SIGMA2)
    trees, wanted = list(posterior), np.array(list(posterior.values()))
    logs = [exact.log_likelihood(tree, X, Y, TAU2, SIGMA2) for tree in trees]
    return 0.5 * np.abs(exact.stationary(exact.transition_matrix(space, trees, logs)) - wanted).sum()


@pytest.mark.parametrize("name", SPACES)
def test_moves_leave_the_posterior_invariant(name):
    space, rows = case(name)
    assert invariance_error(space, space, rows) < 1e-10


class LostLeafParents(exact.TreeSpace):
    def n_leaf_parents(self, tree):
        return 1


class LostGrowableLeaves(exact.TreeSpace):
    def n_splittable(self, tree):
        return min(super().n_splittable(tree), 1)


class WrongDepthPrior(exact.TreeSpace):
    def split_probability(self, depth):
        return self.alpha * (2 + depth) ** -self.beta


class LostChildren(exact.TreeSpace):
    def log_children(self, tree, path):
        return 0.0


class EvenMoves(exact.TreeSpace):
    """Forgets that a root can only grow."""

    def grow_ratio(self, tree, path, rule):
        return super().grow_ratio(tree, path, rule) + math.log(self.move_probability(tree, exact.GROW))


MUTANTS = [LostLeafParents, LostGrowableLeaves, WrongDepthPrior, LostChildren, EvenMoves]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_broken_moves_do_not(mutant):
    space, rows = case("one column")
    broken = mutant(space.columns, space.alpha, space.beta, space.max_depth)
    assert invariance_error(broken, space, rows) > 0.005


@pytest.mark.parametrize("name", ["one column", "missing", "categories"])
def test_native_chain_is_at_every_tree_as_often_as_it_should(name):
    space, rows = case(name)
    trees = draw(
        space, rows, Y, seed=1, n_trees=1, tau2=TAU2, sigma2=SIGMA2, sigma_is_fixed=True, draws=200_000, thin=5
    )
    wanted = exact.posterior(space, rows, Y, TAU2, SIGMA2)
    assert total_variation(frequencies(trees, columns=space.columns), wanted) < 0.025


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numbers", "missing", "categories", "one column"])
@pytest.mark.parametrize("seed", [1, 2])
def test_native_chain_over_a_long_run(name, seed):
    space, rows = case(name)
    fixed = {"tau2": TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True}
    # Of the 449 trees of categories a million independent draws miss 0.004 by chance alone, and a chain is slow to turn
    # from one root to another: four of them, and more draws.
    long = {"draws": 500_000, "thin": 40, "chains": 4}
    run = long if name == "categories" else {"draws": 1_000_000, "thin": 15}
    trees = draw(space, rows, Y, seed=seed, n_trees=1, **run, **fixed)
    wanted = exact.posterior(space, rows, Y, TAU2, SIGMA2)
    assert total_variation(frequencies(trees, columns=space.columns), wanted) < 0.005


@pytest.mark.slow
def test_leaves_that_hold_too_little_are_left_out():
    space, rows = case("numbers")
    fixed = {"tau2": TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True, "min_weight": 2}
    trees = draw(space, rows, Y, seed=3, n_trees=1, draws=1_000_000, thin=15, **fixed)
    wanted = exact.posterior(space, rows, Y, TAU2, SIGMA2, min_weight=2)
    assert total_variation(frequencies(trees), wanted) < 0.005


@pytest.mark.slow
def test_sum_of_two_trees():
    space = exact.TreeSpace([exact.Column(2), exact.Column(1)], max_depth=1)
    rows = np.array(X["weights"])
    fixed = {"tau2": TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True}
    trees = draw(space, rows, Y, seed=4, n_trees=2, draws=1_000_000, thin=15, **fixed)
    wanted = exact.posterior_of_sum(space, rows, Y, TAU2, SIGMA2)
    assert total_variation(frequencies(trees, n_trees=2), wanted) < 0.005


@pytest.mark.slow
def test_chains_forget_that_they_were_grown_from_roots():
    space, rows = case("missing")
    fixed = {"tau2": TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True, "root_sweeps": 5, "burn_in": 100}
    trees = draw(space, rows, Y, seed=7, n_trees=1, draws=1_000_000, thin=15, **fixed)
    wanted = exact.posterior(space, rows, Y, TAU2, SIGMA2)
    assert total_variation(frequencies(trees, columns=space.columns), wanted) < 0.005


def posterior_with_weights(columns, max_depth, X, n_points=400):
    """Of trees over two columns, the weights of the columns integrated out under the sparse prior."""
    share = np.arange(1, 1001) / 1001
    thetas = 2 * share / (1 - share)
    s = (np.arange(n_points) + 0.5) / n_points
    s = s**4 / (s**4 + (1 - s) ** 4)  # denser towards the ends, where the prior is
    edges = np.arange(n_points + 1) / n_points
    edges = edges**4 / (edges**4 + (1 - edges) ** 4)
    mass = np.diff(stats.beta.cdf(edges[:, None], thetas / 2, thetas / 2), axis=0) @ (share**-0.5 / (share**-0.5).sum())
    total = defaultdict(float)
    trees = list(exact.TreeSpace(columns, max_depth=max_depth).all_trees())
    likelihood = {tree: math.exp(exact.log_likelihood(tree, X, Y, TAU2, SIGMA2)) for tree in trees}
    for weight, of in zip(mass, s, strict=True):
        space = exact.TreeSpace(columns, max_depth=max_depth, weights=[of, 1 - of])
        for tree in trees:
            total[tree] += weight * math.exp(space.log_prior(tree)) * likelihood[tree]
    whole = sum(total.values())
    return {tree: value / whole for tree, value in total.items()}


@pytest.mark.slow
def test_weights_of_variables_are_drawn_along():
    space, rows = case("weights")
    fixed = {"tau2": TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True, "is_sparse": True}
    trees = draw(space, rows, Y, seed=8, n_trees=1, draws=100_000, thin=4, **fixed)
    wanted = posterior_with_weights(space.columns, space.max_depth, rows, n_points=100)
    even = exact.posterior(exact.TreeSpace(space.columns, max_depth=space.max_depth), rows, Y, TAU2, SIGMA2)
    found = frequencies(trees)
    assert total_variation(found, wanted) < 0.02  # weights move slowly
    assert total_variation(found, wanted) < 0.8 * total_variation(found, even)


@pytest.mark.slow
def test_noise_is_drawn_along():
    space, rows = case("one column")
    trees = draw(space, rows, Y, seed=5, n_trees=1, tau2=TAU2, lam=0.05, sigma2=0.05, draws=1_000_000, thin=15)
    wanted, mean = exact.posterior_with_scale(space, rows, Y, TAU2, 3.0, 0.05)
    assert total_variation(frequencies(trees), wanted) < 0.005
    assert trees["sigma2"].mean() == pytest.approx(mean, rel=0.01)


@pytest.mark.slow
def test_variance_of_leaves_is_drawn_along():
    space, rows = case("one column")
    fixed = {"sigma2": SIGMA2, "sigma_is_fixed": True, "leaf_freedom": 3.0}
    trees = draw(space, rows, Y, seed=9, n_trees=1, tau2=TAU2, draws=1_000_000, thin=15, **fixed)
    wanted = exact.posterior_with_leaf_variance(space, rows, Y, TAU2, 3.0, SIGMA2)
    assert total_variation(frequencies(trees), wanted) < 0.005
    fixed_variance = exact.posterior(space, rows, Y, TAU2, SIGMA2)
    assert total_variation(frequencies(trees), fixed_variance) > 0.01


@pytest.mark.slow
def test_broken_native_data_shows():
    """The same test is red where the chain sees other leaf means than the posterior."""
    space, rows = case("one column")
    fixed = {"tau2": 1.5 * TAU2, "sigma2": SIGMA2, "sigma_is_fixed": True}
    trees = draw(space, rows, Y, seed=6, n_trees=1, draws=300_000, thin=20, **fixed)
    assert total_variation(frequencies(trees), exact.posterior(space, rows, Y, TAU2, SIGMA2)) > 0.02


def means_and_noise(space, rows, y, tau2, nu, lam):
    """Posterior means of f at the rows and of sigma2, by enumeration of trees and a grid of sigma2."""
    grid = np.exp(np.linspace(math.log(lam) - 8, math.log(lam) + 12, 300))
    of_scale = -0.5 * (nu + len(y)) * np.log(grid) - 0.5 * (nu * lam + y @ y) / grid
    logs, means = [], []
    for tree in space.all_trees():
        inside = np.array([exact.leaf_of(tree, row) for row in rows.tolist()])
        same = (inside[:, None] == inside[None, :]).astype(float)
        n, total = same.sum(axis=1), same @ y
        of_data = [exact.log_likelihood(tree, rows, y, tau2, s2) for s2 in grid]
        logs.append(space.log_prior(tree) + of_scale + of_data)
        means.append(tau2 * total / (n * tau2 + grid[:, None]))
    mass = np.exp(np.array(logs) - np.max(logs))
    mass /= mass.sum()
    return np.einsum("ts,tsn->n", mass, np.array(means)), float(mass.sum(axis=0) @ grid)


def test_a_regressor_of_one_tree_has_the_posterior_that_it_documents():
    """Scales of leaves and of noise are those of the range of y and of what least squares leaves."""
    rows = np.repeat([[0], [1], [2], [3]], 3, axis=0)
    y = 10.0 + np.array([0.1, -0.4, 0.9, 1.2, 0.2, 0.6, 2.1, 2.6, 1.5, 0.8, 1.1, 0.3])
    how, k, nu, q = {"alpha": 0.9, "beta": 0.5, "max_depth": 2}, 1.5, 4.0, 0.8
    chains = {"burn_in": 200, "draws": 20_000, "random_state": 0}
    model = BARTRegressor(n_trees=1, k=k, nu=nu, q=q, min_samples_leaf=0, **how, **chains).fit(rows, y)
    middle, size = 0.5 * (y.min() + y.max()), np.ptp(y)
    scaled = (y - middle) / size
    left = np.linalg.lstsq(np.column_stack([np.ones(12), rows]), scaled, rcond=None)[1][0] / 10
    lam = left * stats.chi2.ppf(1.0 - q, nu) / nu
    space = exact.TreeSpace([exact.Column(3)], **how)
    means, noise = means_and_noise(space, rows, scaled, (0.5 / k) ** 2, nu, lam)
    draws = model.predict_draws(rows)
    told = [diagnose(draws[:, :, i])["mcse_mean"] for i in range(12)]
    assert (np.abs(model.predict(rows) - middle - size * means) < 4.5 * np.array(told)).all()
    variance = model.sigma_**2
    assert abs(variance.mean() - size**2 * noise) < 4.5 * diagnose(variance)["mcse_mean"]
    wrong, louder = means_and_noise(space, rows, scaled, (0.5 / k) ** 2, nu, 1.5 * lam)
    assert abs(louder - noise) * size**2 > 20 * diagnose(variance)["mcse_mean"]
    assert np.abs(size * (wrong - means) / told).max() > 5  # a wrong scale would show
