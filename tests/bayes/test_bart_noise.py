"""BART whose noise differs from row to row, against exact posteriors, closed forms and broken variants."""

import math
from contextlib import nullcontext
from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma, polygamma

from mlwright._kernels import bart
from mlwright._native import core
from mlwright._runtime import simd
from mlwright.bayes import BARTRegressor
from mlwright.bayes._bart.target import variance_prior
from mlwright.reference import bart as exact
from mlwright.reference.bart_chain import LOG_UNIT, NOISE_TREES, stream
from mlwright.reference.rng import Rng
from tests.bayes.bart_frequencies import ROWS, SPACES, UNIT, draw, frequencies, target_of, total_variation

NU, LAM = 5.0, 0.05
NO_MEAN = {"n_trees": 1, "tau2": 1e-24, "sigma2": 0.05, "n_variance_trees": 1, "variance_nu": NU, "variance_lam": LAM}
Y = target_of([-0.5, -0.02, 0.04, 0.9, 0.1, -0.3])[1]
STUMPS = exact.TreeSpace([exact.Column(1)], alpha=0.6, max_depth=1)  # one leaf, or two
OF_STUMPS = np.array([[0], [0], [0], [1], [1], [1]])


def normalised(logs):
    weights = np.exp(np.array(list(logs.values())) - max(logs.values()))
    return dict(zip(logs, weights / weights.sum(), strict=True))


def leaf_marginal(rows, y, scale=1.0, nu=NU, lam=LAM):
    return exact.log_marginal_of_variance(rows.sum(), (y[rows] ** 2).sum() / scale, nu, lam)


def leaves_of(tree, rows):
    places = np.array([exact.leaf_of(tree, row) for row in rows.tolist()])
    return [places == path for path in exact.leaves(tree)]


def posterior_of_variance(space, rows, y, marginal=leaf_marginal):
    """``{tree: probability}`` of a single tree of the variance, of residuals that are known."""
    return normalised(
        {
            tree: space.log_prior(tree) + sum(marginal(inside, y) for inside in leaves_of(tree, rows))
            for tree in space.all_trees()
        }
    )


def test_the_marginal_likelihood_of_a_leaf_is_a_student_law():
    y = np.random.default_rng(0).normal(size=7)
    student = stats.multivariate_t(np.zeros(7), LAM * np.eye(7), df=NU).logpdf(y)
    ours = exact.log_marginal_of_variance(7, y @ y, NU, LAM) - 3.5 * math.log(2 * math.pi)
    assert ours == pytest.approx(student, rel=1e-12)


def test_a_variance_of_one_leaf_is_the_conjugate_one():
    """Draws are those of the closed form with the same random numbers, to the unit that logarithms are kept in."""
    space = exact.TreeSpace([exact.Column(0)])
    trees = draw(space, np.zeros((6, 1)), Y, seed=3, draws=200, **NO_MEAN)
    units = trees["variance_trees"]["value"]
    assert len(units) == 200
    for iteration, value in enumerate(units):
        rng = Rng(3, stream(NOISE_TREES, iteration))
        rng.uniform()  # of the move that there is not
        variance = (NU * LAM + Y @ Y) / rng.chi_square(NU + 6)
        assert value == round(math.log(variance) / LOG_UNIT)
    np.testing.assert_allclose(trees["sigma2"], np.exp(units * LOG_UNIT), rtol=1e-10)


def test_means_of_leaves_are_weighed_by_precision():
    """One leaf of the mean, of known variance: the closed form with the same random numbers."""
    space = exact.TreeSpace([exact.Column(0)])
    known = NO_MEAN | {"tau2": 0.09, "variance_nu": 1e12, "variance_lam": 0.02, "sigma2": 0.02}
    trees = draw(space, np.zeros((6, 1)), Y, seed=4, draws=50, **known)
    for iteration, value in enumerate(trees["value"]):
        rng = Rng(4, stream(0, iteration))
        rng.uniform()
        variance = 1 / (6 / 0.02 + 1 / 0.09)
        assert value * UNIT == pytest.approx(variance * Y.sum() / 0.02 + math.sqrt(variance) * rng.normal(), abs=1e-6)


@pytest.mark.parametrize("name", SPACES)
def test_trees_of_the_variance_are_drawn_as_often_as_they_should_be(name):
    space, rows = SPACES[name], np.array(ROWS[name])
    trees = draw(space, rows, Y, seed=1, draws=60_000, thin=4, **NO_MEAN)
    found = frequencies(trees["variance_trees"], columns=space.columns)
    wanted = posterior_of_variance(space, rows, Y)
    assert total_variation(found, wanted) < 0.025
    even = posterior_of_variance(space, rows, Y, lambda inside, y: 0.0)
    assert total_variation(found, even) > 0.1  # data matter


def without_constants(inside, y):
    """Forgets what each leaf's prior adds."""
    a, b = 0.5 * NU, 0.5 * NU * LAM
    return leaf_marginal(inside, y) - (a * math.log(b) - math.lgamma(a))


def half_of_the_rows(inside, y):
    return exact.log_marginal_of_variance(0.5 * inside.sum(), (y[inside] ** 2).sum(), NU, LAM)


@pytest.mark.parametrize("broken", [without_constants, half_of_the_rows])
def test_broken_marginals_show(broken):
    space, rows = SPACES["one column"], np.array(ROWS["one column"])
    right = posterior_of_variance(space, rows, Y)
    assert total_variation(posterior_of_variance(space, rows, Y, broken), right) > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_trees_of_the_variance_over_a_long_run(name):
    space, rows = SPACES[name], np.array(ROWS[name])
    trees = draw(space, rows, Y, seed=2, draws=250_000, thin=10, chains=4, **NO_MEAN)
    found = frequencies(trees["variance_trees"], columns=space.columns)
    assert total_variation(found, posterior_of_variance(space, rows, Y)) < 0.005


def grid(n=400):
    """Of a leaf's variance: points, and logarithms of prior masses."""
    logs = np.linspace(math.log(LAM) - 6, math.log(LAM) + 9, n)
    prior = -0.5 * NU * logs - 0.5 * NU * LAM / np.exp(logs)
    return np.exp(logs), prior - np.log(np.exp(prior - prior.max()).sum()) - prior.max()


def log_sum(x, axis=None):
    top = x.max(axis=axis, keepdims=True)
    return (np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis=axis)


def log_likelihood_of_product(first, second, y):
    """Of residuals, both trees' leaves integrated out: the second one's on a grid, the first one's in closed form."""
    points, prior = grid()
    tables = {}  # by leaf of the second tree: of each of its points, by leaf of the first
    for (i, a), (j, b) in product(enumerate(leaves_of(first, OF_STUMPS)), enumerate(leaves_of(second, OF_STUMPS))):
        tables[i, j] = a & b
    n_first, n_second = len(leaves_of(first, OF_STUMPS)), len(leaves_of(second, OF_STUMPS))
    if n_second == 1:
        of_points = [sum(leaf_marginal(tables[i, 0], y, s) for i in range(n_first)) for s in points]
        return log_sum(prior + of_points - 3 * np.log(points))
    if n_first == 1:
        return log_likelihood_of_product(second, first, y)
    cells = [tables[i, i] for i in range(2)]  # the same rule: leaves of one tree are those of the other
    return sum(
        log_sum(prior + np.array([leaf_marginal(cell, y, s) for s in points]) - 0.5 * cell.sum() * np.log(points))
        for cell in cells
    )


@pytest.mark.slow
def test_product_of_two_trees():
    how = NO_MEAN | {"n_variance_trees": 2}
    trees = draw(STUMPS, OF_STUMPS, Y, seed=5, draws=400_000, thin=6, **how)
    pairs = list(product(STUMPS.all_trees(), repeat=2))
    wanted = normalised({s: sum(map(STUMPS.log_prior, s)) + log_likelihood_of_product(*s, Y) for s in pairs})
    found = frequencies(trees["variance_trees"], n_trees=2)
    assert total_variation(found, wanted) < 0.005


def log_likelihood_of_both(mean, variance, y, tau2):
    """A tree of the mean with its leaves integrated out, and one of the variance on a grid of its leaves."""
    points, prior = grid(80)
    inside = leaves_of(variance, OF_STUMPS)
    total = []
    for s in product(range(len(points)), repeat=len(inside)):
        precision = np.zeros(len(y))
        for k, rows in zip(s, inside, strict=True):
            precision[rows] = 1 / points[k]
        value = sum(prior[k] for k in s) + 0.5 * np.log(precision).sum() - 0.5 * precision @ y**2
        for rows in leaves_of(mean, OF_STUMPS):
            value += exact.log_marginal(precision[rows].sum(), precision[rows] @ y[rows], tau2, 1.0)
        total.append(value)
    return log_sum(np.array(total))


@pytest.mark.slow
def test_trees_of_mean_and_variance_together():
    how = NO_MEAN | {"tau2": 0.09}
    trees = draw(STUMPS, OF_STUMPS, Y, seed=6, draws=400_000, thin=6, **how)
    pairs = list(product(STUMPS.all_trees(), repeat=2))
    of_pair = normalised(
        {(m, v): STUMPS.log_prior(m) + STUMPS.log_prior(v) + log_likelihood_of_both(m, v, Y, 0.09) for m, v in pairs}
    )
    grown = [np.diff(of["ends"], prepend=0) > 1 for of in (trees, trees["variance_trees"])]
    kinds = list(product([False, True], repeat=2))  # whether each of them is split
    found = {(m, v): np.mean((grown[0] == m) & (grown[1] == v)) for m, v in kinds}
    wanted = {k: sum(p for pair, p in of_pair.items() if k == tuple(t is not None for t in pair)) for k in kinds}
    assert total_variation(found, wanted) < 0.005
    of_mean, of_variance = ({t: sum(p for k, p in wanted.items() if k[i] == t) for t in (False, True)} for i in (0, 1))
    apart = {(m, v): of_mean[m] * of_variance[v] for m, v in kinds}
    assert total_variation(apart, wanted) > 0.005  # they depend on each other


@pytest.mark.parametrize("nu", [0.3, 3.0, 40.0])
@pytest.mark.parametrize("n_trees", [1, 2, 40])
def test_the_prior_of_many_trees_is_that_of_one_variance(nu, n_trees):
    each_nu, each_lam = variance_prior(nu, 0.02, n_trees)
    if n_trees == 1:
        assert (each_nu, each_lam) == pytest.approx((nu, 0.02), rel=1e-10)
    mean = n_trees * (math.log(0.5 * each_nu * each_lam) - digamma(0.5 * each_nu))
    assert mean == pytest.approx(math.log(0.5 * nu * 0.02) - digamma(0.5 * nu), rel=1e-10)
    assert n_trees * polygamma(1, 0.5 * each_nu) == pytest.approx(float(polygamma(1, 0.5 * nu)), rel=1e-10)


QUICK = {"n_trees": 30, "burn_in": 300, "draws": 100, "chains": 2, "n_variance_trees": 20, "random_state": 0}
few_draws = pytest.mark.filterwarnings("ignore:BARTRegressor.*R-hat:sklearn.exceptions.ConvergenceWarning")


def rows(n=500, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, 3))
    sd = np.exp(-2 + 3 * X[:, 1])
    return X, np.sin(6 * X[:, 0]) + sd * rng.normal(size=n), sd


def bits(model):
    arrays = [*model._trees[0].values(), *model._variance_trees.values(), model.sigma_]
    return [array.tobytes() for array in arrays]


@few_draws
def test_noise_is_learnt_where_it_is():
    X, y, _ = rows(1000)
    new, targets, sd = rows(2000, seed=1)
    model = BARTRegressor(**QUICK).fit(X, y)
    found = model.predict_sigma_draws(new)
    assert found.shape == (2, 100, 2000)
    assert np.corrcoef(np.log(found.mean(axis=(0, 1))), np.log(sd))[0, 1] > 0.95
    assert model.variance_inclusion_.argmax() == 1
    assert model.variable_inclusion_.argmax() == 0
    for part in (new[:, 1] < 0.3, new[:, 1] > 0.7):
        ends = model.predict_interval(new[part], 0.8)
        inside = (ends[:, 0] <= targets[part]) & (targets[part] <= ends[:, 1])
        assert inside.mean() == pytest.approx(0.8, abs=0.06)
    alike = BARTRegressor(**QUICK | {"n_variance_trees": 0}).fit(X, y)
    assert alike.variance_inclusion_.tolist() == [0, 0, 0]
    assert np.ptp(alike.predict_sigma_draws(new[:5]), axis=-1).max() == 0


@few_draws
def test_every_answer_has_the_noise_of_its_row():
    X, y, _ = rows(200)
    model = BARTRegressor(**QUICK | {"burn_in": 50, "compute_loo": True}).fit(X, y)
    f, sigma = model.predict_draws(X).reshape(200, -1), model.predict_sigma_draws(X).reshape(200, -1)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, f.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(std**2, f.var(axis=0) + (sigma**2).mean(axis=0), rtol=1e-9)
    quantiles = model.predict_quantiles(X, [0.1, 0.9])
    below = stats.norm.cdf((quantiles[None] - f[:, :, None]) / sigma[:, :, None]).mean(axis=0)
    np.testing.assert_allclose(below, np.broadcast_to([0.1, 0.9], below.shape), rtol=1e-8)
    new = model.sample_predictive(X, 4000, random_state=0)
    np.testing.assert_allclose(new.std(axis=0), std, rtol=0.15)
    within = np.log(np.mean(stats.norm.pdf(y[None], f, sigma), axis=0))
    assert (model.loo_log_density_ < within + 1e-9).all()
    assert model.loo_log_density_.sum() > within.sum() - 60
    np.testing.assert_allclose((sigma**2).mean(axis=1), model.sigma_.ravel() ** 2, rtol=1e-8)
    told = model.diagnostics_
    assert told["sigma"]["rhat"].shape == told["f"]["rhat"].shape == (100,)
    assert model.sample_posterior(7)["sigma"].shape == (7, 100)


@few_draws
def test_same_bits_for_any_thread_count_and_instruction_set():
    X, y, _ = rows(200)
    want = None
    try:
        for level in core.simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    got = bits(BARTRegressor(**QUICK | {"burn_in": 5, "draws": 5, "grow_from_root": 2}).fit(X, y))
                    want = want or got
                    assert got == want
    finally:
        core.runtime.set_num_threads(0)


@few_draws
def test_a_weight_is_a_repetition_and_the_order_of_rows_is_nothing():
    X, y, _ = rows(200)
    short = QUICK | {"burn_in": 40, "draws": 10}
    weight = np.random.default_rng(0).integers(0, 4, 200)
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(200), weight))
    assert bits(BARTRegressor(**short).fit(X, y, weight)) == bits(BARTRegressor(**short).fit(X[repeated], y[repeated]))
    tiny = BARTRegressor(**short).fit(X, y, np.full(200, 1e-12))
    assert np.isfinite(tiny.predict_interval(X)).all()


@few_draws
@pytest.mark.parametrize("y", [np.full(30, 7.0), np.zeros(30), np.r_[np.zeros(29), 1e150]])
def test_odd_targets(y):
    with pytest.warns(UserWarning, match="y is constant") if np.ptp(y) == 0 else nullcontext():
        model = BARTRegressor(**QUICK | {"burn_in": 20, "draws": 10}).fit(rows(30)[0], y)
    mean, std = model.predict(rows(30)[0], return_std=True)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


@few_draws
def test_missing_values_and_categories_say_how_noisy_rows_are():
    X, _, _ = rows(600)
    rng = np.random.default_rng(0)
    X[rng.random(600) < 0.3, 0] = np.nan
    X[:, 2] = rng.integers(0, 5, 600)
    sd = np.where(np.isnan(X[:, 0]) | (X[:, 2] == 3), 2.0, 0.1)
    model = BARTRegressor(**QUICK, categorical_features=[2]).fit(X, sd * rng.normal(size=600))
    found = model.predict_sigma_draws(X).mean(axis=(0, 1))
    assert np.corrcoef(found, sd)[0, 1] > 0.95


def test_what_cannot_be_is_named():
    X, y, _ = rows(50)
    with pytest.raises(ValueError, match="n_variance_trees: got 20 with draws=0"):
        BARTRegressor(**QUICK | {"draws": 0, "burn_in": 1, "grow_from_root": 5}).fit(X, y)
    options = bart.options(seed=0, n_trees=1, tau2=1.0, draws=0, root_sweeps=2, n_variance_trees=1)
    with pytest.raises(ValueError, match="same noise everywhere"):
        bart.run(np.zeros((5, 1)), [(1, 0, 0)], np.zeros(5), [], options)
