"""BART of classes against exact posteriors of trees: leaf means by quadrature, trees by enumeration."""

import numpy as np
import pytest
from scipy import special, stats

from mlwright.bayes import BARTClassifier, diagnose
from mlwright.reference import bart as exact
from mlwright.reference.bart_chain import positive_normal
from mlwright.reference.rng import Rng
from tests.bayes.bart_frequencies import ROWS, SPACES, draw, frequencies, total_variation

TAU2, OFFSET = 0.7, 0.3
SIGN = np.array([-1, -1, 1, 1, -1, 1])
WEIGHT = np.array([1, 2, 1, 1, 2, 3])
PROBIT = {"n_trees": 1, "tau2": TAU2, "sigma2": 1.0, "sigma_is_fixed": True, "is_probit": True}


def log_probit(eta):
    return special.log_ndtr(eta)


def leaf_marginal(sign, weight, link=log_probit, offset=OFFSET, tau2=TAU2, nodes=80):
    """Of the classes in one leaf, its mean integrated out."""
    z, share = special.roots_hermitenorm(nodes)
    logs = (weight[:, None] * link(sign[:, None] * (offset + np.sqrt(tau2) * z))).sum(axis=0)
    return np.log(share @ np.exp(logs) / share.sum())


def posterior(space, rows, weight, **how):
    """``{tree: probability}`` of a single tree."""
    logs = {}
    for tree in space.all_trees():
        places = np.array([exact.leaf_of(tree, row) for row in rows.tolist()])
        inside = [places == path for path in exact.leaves(tree)]
        logs[tree] = space.log_prior(tree) + sum(leaf_marginal(SIGN[own], weight[own], **how) for own in inside)
    mass = np.exp(np.array(list(logs.values())) - max(logs.values()))
    return dict(zip(logs, mass / mass.sum(), strict=True))


def found(name, weight, **how):
    space = SPACES[name]
    trees = draw(space, np.array(ROWS[name]), SIGN, weight, offset=OFFSET, **PROBIT | how)
    return frequencies(trees, columns=space.columns)


@pytest.mark.parametrize("name", ["one column", "categories"])
def test_trees_are_drawn_as_often_as_they_should_be(name):
    wanted = posterior(SPACES[name], np.array(ROWS[name]), WEIGHT)
    assert total_variation(found(name, WEIGHT, seed=1, draws=15_000, thin=20, chains=4), wanted) < 0.025
    prior = {tree: np.exp(SPACES[name].log_prior(tree)) for tree in wanted}
    assert total_variation(prior, wanted) > 0.1  # classes matter


@pytest.mark.slow
@pytest.mark.parametrize("weight", [np.ones(6, dtype=int), WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", SPACES)
def test_trees_over_a_long_run(name, weight):
    run = found(name, weight, seed=2, draws=250_000, thin=30, chains=4)
    assert total_variation(run, posterior(SPACES[name], np.array(ROWS[name]), weight)) < 0.005


BROKEN = {
    "another link": {"link": special.log_expit},
    "a lost offset": {"offset": 0.0},
    "narrow leaves": {"tau2": 0.5 * TAU2},
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_models_show(name):
    """By more than a long run is off; and lost weights by more than a short one is."""
    space, rows = SPACES["categories"], np.array(ROWS["categories"])
    right = posterior(space, rows, WEIGHT)
    assert total_variation(posterior(space, rows, WEIGHT, **BROKEN[name]), right) > 0.02
    assert total_variation(posterior(space, rows, np.ones(6)), right) > 0.05


def mean_probability(space, rows, sign, at, offset, tau2):
    """``P(sign > 0)`` at rows `at`, on average over the posterior of a single tree and its leaves."""
    logs, values = [], []
    for tree in space.all_trees():
        places = np.array([exact.leaf_of(tree, row) for row in rows.tolist()])
        inside = {path: places == path for path in exact.leaves(tree)}
        of_leaf = {
            path: leaf_marginal(sign[own], np.ones(own.sum()), offset=offset, tau2=tau2) for path, own in inside.items()
        }
        logs.append(space.log_prior(tree) + sum(of_leaf.values()))
        at_rows = []
        for path in (exact.leaf_of(tree, row) for row in at.tolist()):
            more = np.append(sign[inside[path]], 1)
            at_rows.append(leaf_marginal(more, np.ones(len(more)), offset=offset, tau2=tau2) - of_leaf[path])
        values.append(np.exp(at_rows))
    mass = np.exp(np.array(logs) - max(logs))
    return mass / mass.sum() @ np.array(values)


def test_probabilities_of_three_classes_are_those_of_their_stages():
    """Each is the share of its stage, of what the stages before it leave."""
    rows = np.repeat([[0], [1], [2], [3]], 5, axis=0)
    y = np.array([0, 0, 0, 1, 2, 0, 1, 1, 1, 2, 2, 2, 0, 1, 2, 2, 2, 2, 1, 2])
    how = {"alpha": 0.9, "beta": 0.5, "max_depth": 2}
    chains = {"n_trees": 1, "k": 3.0, "min_samples_leaf": 0, "burn_in": 100, "draws": 20_000, "random_state": 0}
    model = BARTClassifier(**how, **chains).fit(rows, y)
    space, at = exact.TreeSpace([exact.Column(3)], **how), np.arange(4)[:, None]
    left, wanted = np.ones(4), []
    for c in range(2):
        of = y >= c
        sign = np.where(y[of] == c, 1, -1)
        offset = special.ndtri(((sign > 0).sum() + 0.5) / (len(sign) + 1.0))
        share = mean_probability(space, rows[of], sign, at, offset, 1.0)
        wanted.append(left * share)
        left = left * (1.0 - share)
    draws = model.predict_draws(at)
    error = np.array([diagnose(draws[:, :, i])["mcse_mean"] for i in range(4)])
    assert (np.abs(model.predict_proba(at) - np.column_stack([*wanted, left])) < 4.5 * error).all()
    assert error.max() < 0.005


@pytest.mark.parametrize("mean", [3.0, 0.0, -0.44, -0.46, -4.0, -30.0])
def test_latent_variables_are_normal_ones_cut_off(mean):
    """Of the twin, whose draws are the chains': by a normal law, and by an exponential one far out."""
    rng = Rng(7, 0)
    drawn = np.array([positive_normal(mean, rng) for _ in range(4000)])
    assert drawn.min() > 0.0
    survival = np.exp(special.log_ndtr(mean - drawn) - special.log_ndtr(mean))
    assert stats.kstest(survival, "uniform").pvalue > 1e-3
