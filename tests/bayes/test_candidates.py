"""The normal law nearest to a posterior, candidates made of it, and chains that are exact whatever the candidates."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special, stats

from mlwright import bayes
from mlwright._kernels.glm_density import GlmDensity
from mlwright.bayes import BayesianGLM, BayesianLogisticRegression, BayesianPoissonRegressor
from mlwright.bayes._glm import independence, nearest
from mlwright.bayes._glm.families import Law
from mlwright.bayes._glm.laplace import Laplace, find_mode
from mlwright.bayes._glm.nearest import Candidates, at_mode, distance, expected, nearest_candidates, nearest_normal
from mlwright.bayes._glm.priors import SHAPES, Prior
from mlwright.bayes._glm.problem import Problem

LOGIT, LOG = Law("binomial", "logit"), Law("poisson", "log")


def problem_of(law, n=40, p=3, seed=0, *, weighted=False, offset=False, flat=True, scale=1.5):
    rng = np.random.default_rng(seed)
    X = 3.0 + 2.0 * rng.standard_normal((n, p))
    eta = 0.3 * (X - 3.0).sum(axis=1) + 0.5
    y = (rng.random(n) < special.expit(eta)).astype(float) if law is LOGIT else rng.poisson(np.exp(eta)).astype(float)
    w = rng.integers(0, 3, n).astype(float) if weighted else None
    start = rng.standard_normal(n) if offset else None
    return Problem.of(X, y, w, start, law, flat, lambda p: Prior(SHAPES["normal"], np.full(p, scale)))


def mode_of(problem):
    density = GlmDensity(problem.model)
    mode = find_mode(problem, density, "test")
    density.clear_map()
    return density, mode


def some_normal(problem, seed=0):
    d = problem.size
    root = np.triu(0.1 * np.random.default_rng(seed).standard_normal((d, d))) + 0.3 * np.eye(d)
    return Laplace(np.linspace(-0.5, 0.7, d), root)


def rows_of(problem, normal):
    """Columns, and the law of each row's score: its mean and standard deviation."""
    Z = (problem.X - problem.shift) * problem.scale
    Z = np.column_stack([Z, np.ones(len(Z))]) if problem.fit_intercept else Z
    start = 0.0 if problem.offset is None else problem.offset
    w = np.ones(len(Z)) if problem.w is None else problem.w
    return Z, w, Z @ normal.mode + start, np.sqrt(np.square(Z @ normal.root).sum(axis=1))


def prior_part(problem, normal):
    precision = np.zeros(problem.size)
    precision[: len(problem.scale)] = problem.prior.scale**-2.0
    second = normal.mode**2 + np.diag(normal.root @ normal.root.T)
    return -0.5 * precision @ second, -precision * normal.mode, np.diag(precision)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_expectations_of_counts_have_a_closed_form(weighted, offset, flat):
    problem = problem_of(LOG, weighted=weighted, offset=offset, flat=flat)
    normal = some_normal(problem)
    Z, w, centre, spread = rows_of(problem, normal)
    value, gradient, curvature = prior_part(problem, normal)
    mean = np.exp(centre + 0.5 * spread**2)
    got = expected(problem, normal)
    want = value + w @ (problem.y * centre - mean - special.gammaln(problem.y + 1.0))
    assert got[0] == pytest.approx(want, rel=1e-4)
    np.testing.assert_allclose(got[1], gradient + Z.T @ (w * (problem.y - mean)), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(got[2], curvature + (Z.T * (w * mean)) @ Z, rtol=5e-3, atol=1e-2)


def test_expectations_of_classes_are_integrals():
    problem = problem_of(LOGIT, n=8, p=1, weighted=True)
    normal = some_normal(problem)
    Z, w, centre, spread = rows_of(problem, normal)
    value, gradient, curvature = prior_part(problem, normal)
    for i in range(len(Z)):

        def under(f, i=i):
            return integrate.quad(lambda z: stats.norm.pdf(z) * f(centre[i] + spread[i] * z), -12.0, 12.0)[0]

        sign = 2.0 * problem.y[i] - 1.0
        value += w[i] * under(lambda eta, sign=sign: special.log_expit(sign * eta))
        gradient = gradient + w[i] * (problem.y[i] - under(special.expit)) * Z[i]
        curvature = curvature + w[i] * under(lambda eta: special.expit(eta) * special.expit(-eta)) * np.outer(
            Z[i], Z[i]
        )
    got = expected(problem, normal)
    assert got[0] == pytest.approx(value, rel=1e-4)
    np.testing.assert_allclose(got[1], gradient, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(got[2], curvature, rtol=1e-2, atol=1e-3)


def test_rows_may_be_read_in_parts(monkeypatch):
    problem = problem_of(LOGIT, weighted=True, offset=True)
    normal = some_normal(problem)
    whole = expected(problem, normal)
    monkeypatch.setattr(nearest, "_NUMBERS_AT_ONCE", 60)
    for got, want in zip(expected(problem, normal), whole, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_a_weight_is_repetition():
    problem = problem_of(LOGIT, weighted=True, offset=True)
    times = problem.w.astype(int)
    long = replace(
        problem, **{name: np.repeat(getattr(problem, name), times, axis=0) for name in ("X", "y", "offset")}, w=None
    )
    few, many = (nearest_normal(one, some_normal(one)) for one in (problem, long))
    np.testing.assert_allclose(few.mode, many.mode, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(few.root, many.root, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("law", [LOGIT, LOG])
def test_no_normal_law_near_it_is_nearer(law):
    problem = problem_of(law)
    _, mode = mode_of(problem)
    found = nearest_normal(problem, mode)

    def nearness(normal):
        return expected(problem, normal)[0] + normal.log_det

    best, rng = nearness(found), np.random.default_rng(0)
    assert best > nearness(mode)
    for _ in range(20):
        step = 0.2 * rng.standard_normal(problem.size)
        scale = np.exp(0.2 * rng.standard_normal(problem.size))
        assert nearness(Laplace(found.mode + found.root @ step, found.root)) < best
        assert nearness(Laplace(found.mode, found.root * scale)) < best


def test_the_distance_of_normal_laws():
    normal = some_normal(problem_of(LOGIT))
    d = len(normal.mode)
    assert distance(normal, normal) == pytest.approx(0.0, abs=1e-7)
    assert distance(replace(normal, mode=normal.mode + normal.root @ np.eye(d)[0]), normal) == pytest.approx(1.0)
    wide = replace(normal, root=2.0 * normal.root)  # twice the divergence is d (4 - 1 - 2 log 2)
    assert distance(wide, normal) == pytest.approx(np.sqrt(d * (3.0 - 2.0 * np.log(2.0))))


def test_where_nothing_is_nearer_the_mode_stays(monkeypatch):
    problem = problem_of(LOGIT)
    _, mode = mode_of(problem)
    monkeypatch.setattr(nearest, "expected", lambda *_: (np.nan, np.zeros(4), np.eye(4)))
    assert nearest_normal(problem, mode) is mode
    assert nearest_candidates(problem, mode) == at_mode(mode, mirrored=True)


def test_tails_and_mirrors_are_for_those_who_need_them():
    """Of many rows the posterior is nearly normal: light tails, and a density is evaluated once."""
    few, many = (
        nearest_candidates(problem, mode_of(problem)[1]) for problem in (problem_of(LOGIT), problem_of(LOGIT, n=5000))
    )
    d = len(few.normal.mode)
    assert few.mirrored
    assert not many.mirrored
    assert 6.0 <= few.freedom < 5 * d < many.freedom <= 20 * d


class Skewed:
    """A posterior of one slope, that of few rows: skewed, and known by quadrature."""

    def __init__(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((12, 1))
        y = (X[:, 0] + 0.2 * rng.standard_normal(12) > 0.5).astype(float)
        self.problem = Problem.of(X, y, None, None, LOGIT, False, lambda p: Prior(SHAPES["normal"], np.full(p, 2.5)))
        self.density, self.mode = mode_of(self.problem)
        grid = np.linspace(-10.0, 20.0, 20001)
        value = self.density.values(grid[:, None]) + self.problem.log_constant
        mass = np.exp(value)
        self.log_evidence = float(np.log(mass.sum() * (grid[1] - grid[0])))
        self.grid, self.mass = grid, mass / mass.sum()

    def errors(self, candidates, draws=20_000):
        """By how many standard errors the mean, the square, and the shares below three places are off."""
        found = independence.independence_chains(self.problem, self.density, candidates, 4, draws, 7)
        theta = found.theta[..., 0]
        places = self.grid[np.searchsorted(self.mass.cumsum(), [0.05, 0.5, 0.95])]
        values = np.stack([theta, theta**2, *(theta < place for place in places)], axis=-1).astype(float)
        exact = [
            self.mass @ self.grid,
            self.mass @ self.grid**2,
            *(self.mass @ (self.grid < place) for place in places),
        ]
        return (values.mean(axis=(0, 1)) - exact) / bayes.diagnose(values)["mcse_mean"], found


@pytest.fixture(scope="module")
def skewed():
    return Skewed()


def off_centre(mode):
    """A law that is wrong on purpose: a whole deviation to one side, and too wide."""
    return Laplace(mode.mode + mode.root[:, 0], 1.3 * mode.root)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("law", [lambda mode: mode, off_centre], ids=["mode", "off_centre"])
def test_draws_are_those_of_quadrature_whatever_the_candidates(skewed, law, mirrored):
    errors, found = skewed.errors(Candidates(law(skewed.mode), 6.0, mirrored))
    assert np.abs(errors).max() < 4.5
    assert found.log_evidence == pytest.approx(skewed.log_evidence, abs=0.02)


def test_a_ratio_that_forgets_the_image_is_seen(skewed, monkeypatch):
    """The comparison has teeth: one point of two, accepted as if it had been drawn alone."""
    right = independence._one_of_two

    def wrong(density, law, theta, value, u):
        theta, _ = right(density, law, theta, value, u)
        return theta, density.values(theta)

    monkeypatch.setattr(independence, "_one_of_two", wrong)
    errors, _ = skewed.errors(Candidates(off_centre(skewed.mode), 6.0, True))
    assert np.abs(errors).max() > 10.0


def test_mirrors_bring_the_candidates_nearer(skewed):
    plain, mirrored = (skewed.errors(Candidates(skewed.mode, 6.0, m), 2000)[1].acceptance for m in (False, True))
    assert 1.0 - mirrored < 0.7 * (1.0 - plain)


@pytest.mark.parametrize("cls", [BayesianLogisticRegression, BayesianPoissonRegressor])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (500, 30), (3000, 20)])
def test_draws_are_nearly_independent(cls, n, p):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, p))
    eta = X @ rng.standard_normal(p) / np.sqrt(p)
    y = (
        rng.random(n) < special.expit(1.5 * eta + 0.7)
        if cls is BayesianLogisticRegression
        else rng.poisson(np.exp(eta))
    )
    mixes_well(cls(compute_loo=False, random_state=0).fit(X, y))


@pytest.mark.parametrize("family", ["normal", "gamma", "negative_binomial"])
def test_draws_with_a_dispersion_are_nearly_independent(family):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((200, 5))
    mean = np.exp(1.0 + 0.3 * X.sum(axis=1) / np.sqrt(5))
    noisy = mean * rng.gamma(2.0, 0.5, 200)
    y = rng.poisson(noisy) if family == "negative_binomial" else noisy
    mixes_well(BayesianGLM(family, compute_loo=False, random_state=0).fit(X, y))


def mixes_well(model):
    """In the middle of the posterior, in its tails, and of squared deviations; all of it by candidates."""
    assert 0.85 < model.acceptance_rate_ < 1.0
    assert model.k_hat_ < 0.5
    draws = model._coef_draws
    for values in (draws, (draws - draws.mean(axis=(0, 1))) ** 2):
        told = bayes.diagnose(values)
        assert told["ess_bulk"].min() > 2000
        assert told["ess_tail"].min() > 1500
