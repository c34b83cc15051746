"""Bayesian logistic and Poisson regression against quadrature on a grid, and on hard data."""

import copy
import warnings

import numpy as np
import pytest
from scipy import special, stats

from mlwright import bayes
from mlwright._runtime.errors import ModelFormatError
from mlwright.bayes import BayesianLogisticRegression, BayesianPoissonRegressor

MODELS = [BayesianLogisticRegression, BayesianPoissonRegressor]
each_model = pytest.mark.parametrize("cls", MODELS)


def rows(cls, n=25, p=1, seed=0):
    rng = np.random.default_rng(seed)
    X = 3.0 + 2.0 * rng.standard_normal((n, p))
    eta = 0.4 * (X[:, 0] - 3.0) + 0.5
    return X, (rng.random(n) < special.expit(eta)).astype(int) if cls is BayesianLogisticRegression else rng.poisson(
        np.exp(eta)
    )


def log_likelihood(cls, y, eta):
    if cls is BayesianLogisticRegression:
        return stats.bernoulli.logpmf(y, special.expit(eta))
    return y * eta - np.exp(np.minimum(eta, 600.0)) - special.gammaln(y + 1.0)


class Grid:
    """The posterior of slope (of X as it is) and intercept by the trapezoidal rule: exact to many digits."""

    def __init__(self, cls, X, y, w, prior_scale):
        w = np.ones(len(y)) if w is None else w
        mean = (w @ X[:, 0]) / w.sum()
        sd = np.sqrt(w @ (X[:, 0] - mean) ** 2 / w.sum())
        slope, level = np.meshgrid(np.linspace(-6, 14, 801), np.linspace(-14, 6, 801), indexing="ij")
        z = (X[:, 0] - mean) / sd
        log_density = stats.norm.logpdf(slope, 0.0, prior_scale)
        for i in range(len(y)):
            log_density += w[i] * log_likelihood(cls, y[i], level + slope * z[i])
        top, cell = log_density.max(), 0.025**2
        mass = np.exp(log_density - top)
        self.log_evidence = top + np.log(mass.sum() * cell)
        self.mass = mass / mass.sum()
        self.slope, self.intercept = slope / sd, level - slope / sd * mean

    def mean(self, values):
        return float((self.mass * values).sum())


@each_model
@pytest.mark.parametrize("weighted", [False, True])
def test_the_posterior_is_that_of_quadrature(cls, weighted):
    X, y = rows(cls)
    w = np.random.default_rng(1).integers(1, 3, len(y)).astype(float) if weighted else None
    model = cls(draws=4000, prior_scale=1.5, random_state=0).fit(X, y, w)
    grid = Grid(cls, X, y, w, 1.5)
    told = model.diagnostics_
    for name, draws, values in [
        ("coef", model._coef_draws[..., 0], grid.slope),
        ("intercept", model._intercept_draws, grid.intercept),
    ]:
        assert abs(draws.mean() - grid.mean(values)) < 4.5 * np.max(told[name]["mcse_mean"]), name
        sd = np.sqrt(grid.mean(values**2) - grid.mean(values) ** 2)
        assert abs(draws.std() - sd) < 4.5 * np.max(told[name]["mcse_sd"]), name
    assert model.log_evidence_ == pytest.approx(grid.log_evidence, abs=0.05)
    new = np.array([[1.0], [6.0]])
    want = [grid.mean(model._law.mean(grid.intercept + grid.slope * x)) for x in new[:, 0]]
    got = model.predict_proba(new)[:, 1] if hasattr(model, "predict_proba") else model.predict(new)
    np.testing.assert_allclose(got, want, rtol=0.03)


def test_the_approximation_alone_is_seen_to_be_one():
    """The comparison has teeth: Laplace's draws of a skewed posterior miss its mean."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 1))
    y = (X[:, 0] + 0.2 * rng.standard_normal(12) > 0.5).astype(int)
    grid = Grid(BayesianLogisticRegression, X, y, None, 2.5)
    exact, rough = (
        BayesianLogisticRegression(method=method, draws=8000, random_state=0).fit(X, y)
        for method in ("sample", "laplace")
    )
    errors = [
        abs(model._coef_draws.mean() - grid.mean(grid.slope)) / model.diagnostics_["coef"]["mcse_mean"][0]
        for model in (exact, rough)
    ]
    assert errors[0] < 4.5
    assert errors[1] > 10


@each_model
def test_leaving_out_is_what_quadrature_says(cls):
    X, y = rows(cls, 20)
    model = cls(draws=4000, prior_scale=1.5, random_state=0).fit(X, y)
    grid = Grid(cls, X, y, None, 1.5)
    for i in range(0, 20, 5):
        own = log_likelihood(cls, y[i], grid.intercept + grid.slope * X[i, 0])
        want = -special.logsumexp(np.log(np.maximum(grid.mass, 1e-300)) - own, b=grid.mass > 0.0)
        assert model.loo_log_density_[i] == pytest.approx(want, abs=0.05)


@each_model
def test_units_do_not_matter(cls):
    X, y = rows(cls, 60, 3)
    unit = np.array([1e-3, 1.0, 1e5])
    one, other = (cls(random_state=0).fit(Z, y) for Z in (X, X * unit))
    np.testing.assert_allclose(other.coef_ * unit, one.coef_, rtol=1e-6)
    assert other.log_evidence_ == pytest.approx(one.log_evidence_, rel=1e-8)


@each_model
def test_the_same_bits_for_any_number_of_threads(cls):
    X, y = rows(cls, 200, 4)
    got = {n: cls(random_state=3, n_jobs=n).fit(X, y)._coef_draws.tobytes() for n in (1, 2, 3, 8)}
    assert len(set(got.values())) == 1


@each_model
def test_it_keeps_the_contract(cls):
    X, y = rows(cls, 80, 3)
    model = cls(random_state=0).fit(X, y)
    assert isinstance(model, bayes.BayesianMixin)
    assert set(model.diagnostics_) == {"coef", "intercept"}
    values = model.predict_quantiles(X[:5], [0.1, 0.5, 0.9])
    assert (np.diff(values, axis=1) >= 0).all()
    np.testing.assert_allclose(model.predict_interval(X[:5], 0.8), values[:, [0, 2]])
    draws = model.sample_predictive(X[:5], 4000, random_state=0)
    mean = model.predict_proba(X[:5])[:, 1] if hasattr(model, "predict_proba") else model.predict(X[:5])
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=5 * draws.std(axis=0).max() / np.sqrt(4000) + 0.01)
    np.testing.assert_array_equal(model.sample_predictive(X[:5], 4000, random_state=0), draws)
    with pytest.raises(ValueError, match="n_samples: got 0"):
        model.sample_posterior(0)
    broken = copy.deepcopy(model)
    broken._intercept_draws = broken._intercept_draws[:1]
    with pytest.raises(ModelFormatError, match=cls.__name__):
        broken._validate_state()


def test_separated_classes_constant_columns_and_more_columns_than_rows():
    X = np.linspace(-1, 1, 20)[:, None]
    separated = BayesianLogisticRegression(random_state=0).fit(X, X[:, 0] > 0)
    assert np.isfinite(separated.coef_).all()
    assert separated.predict(X).tolist() == (X[:, 0] > 0).tolist()
    constant = BayesianLogisticRegression(random_state=0).fit(np.column_stack([X, np.ones(20)]), X[:, 0] > 0)
    assert abs(constant.coef_[0, 1]) < 1.0
    wide = np.random.default_rng(0).standard_normal((10, 15))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(BayesianLogisticRegression(random_state=0).fit(wide, wide[:, 0] > 0).coef_).all()


def test_improper_posteriors_are_refused():
    X = np.linspace(-1, 1, 10)[:, None]
    with pytest.raises(ValueError, match="only one class"):
        BayesianLogisticRegression().fit(X, np.ones(10, dtype=int))
    with pytest.raises(ValueError, match="Only binary classification"):
        BayesianLogisticRegression().fit(X, np.arange(10) % 3)
    for y in (np.zeros(10), -np.ones(10)):
        with pytest.raises(ValueError, match="counts that are not negative, not all of them 0"):
            BayesianPoissonRegressor().fit(X, y)


def test_trajectories_that_leave_the_numbers_say_nothing():
    """One count above zero: means far out overflow, and such trajectories are just not accepted."""
    X = np.random.default_rng(0).standard_normal((80, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = BayesianPoissonRegressor(draws=300, random_state=0).fit(X, np.r_[1.0, np.zeros(79)])
    assert np.isfinite(model.coef_).all()


def test_a_mode_whose_loss_is_nearly_zero():
    """Of counts whose log likelihood but for constants is none: what is left to gain is no share of it."""
    x = np.random.default_rng(4).standard_normal(40)
    x = ((x - x.mean()) / x.std())[:, None]
    y = np.array([int(digit, 36) for digit in "011201011021100n002111213000200111251121"], dtype=float)
    model = BayesianPoissonRegressor(prior_scale=0.6, fit_intercept=False, random_state=0).fit(x, y)
    grid = np.linspace(0.5, 1.5, 4001)
    mass = stats.norm.logpdf(grid, 0.0, 0.6) + stats.poisson.logpmf(y, np.exp(grid[:, None] * x[:, 0])).sum(axis=1)
    mass = np.exp(mass - mass.max())
    mean = mass @ grid / mass.sum()
    assert abs(model.coef_[0] - mean) < 4.5 * model.diagnostics_["coef"]["mcse_mean"][0]
