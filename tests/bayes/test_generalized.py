"""BayesianGLM against quadrature and closed forms, family by family, prior by prior, and with group effects."""

import copy
import warnings

import numpy as np
import pytest
from scipy import special, stats
from sklearn.exceptions import ConvergenceWarning

from mlwright._kernels import glm_density as gd
from mlwright._runtime.errors import ModelFormatError
from mlwright.bayes import BayesianGLM, diagnose
from mlwright.bayes._glm.laplace import Laplace
from mlwright.bayes._glm.posterior import nuts_chains

RNG = np.random.default_rng


def rows(family, n=30, seed=0):
    rng = RNG(seed)
    X = 1.0 + 2.0 * rng.standard_normal((n, 1))
    eta = 0.3 * X[:, 0] + 0.4
    mu = np.exp(eta)
    y = {
        "normal": lambda: eta + 0.8 * rng.standard_normal(n),
        "binomial": lambda: (rng.random(n) < special.expit(eta)).astype(float),
        "poisson": lambda: rng.poisson(mu).astype(float),
        "gamma": lambda: rng.gamma(2.0, mu / 2.0),
        "inverse_gaussian": lambda: rng.wald(mu, 4.0),
        "negative_binomial": lambda: rng.poisson(rng.gamma(2.0, mu / 2.0)).astype(float),
    }[family]()
    return X, y


def log_density(family, link, y, eta, phi):
    """Of rows, by SciPy."""
    mu = {
        "identity": lambda: eta,
        "log": lambda: np.exp(eta),
        "logit": lambda: special.expit(eta),
        "probit": lambda: stats.norm.cdf(eta),
        "cloglog": lambda: -np.expm1(-np.exp(eta)),
    }[link]()
    return {
        "normal": lambda: stats.norm.logpdf(y, mu, np.sqrt(phi)),
        "binomial": lambda: stats.bernoulli.logpmf(y, np.clip(mu, 1e-300, 1.0 - 1e-16)),
        "poisson": lambda: stats.poisson.logpmf(y, mu),
        "gamma": lambda: stats.gamma.logpdf(y, 1.0 / phi, scale=mu * phi),
        "inverse_gaussian": lambda: stats.invgauss.logpdf(y, mu * phi, scale=1.0 / phi),
        "negative_binomial": lambda: stats.nbinom.logpmf(y, 1.0 / phi, 1.0 / (1.0 + phi * mu)),
    }[family]()


#: Likelihoods that do not vanish far out, for which the intercept has a prior.
INFORMED = {("normal", "log"), ("inverse_gaussian", "log")}


class Grid:
    """The posterior of slope, intercept and dispersion by the trapezoidal rule, with the priors as documented."""

    def __init__(self, model, X, y, w=None):
        w = np.ones(len(y)) if w is None else w
        law = model._law
        x = X[:, 0]
        mean = np.average(x, weights=w)
        sd = np.sqrt(np.average((x - mean) ** 2, weights=w))
        y_mean = np.average(y, weights=w)
        y_sd = np.sqrt(np.average((y - y_mean) ** 2, weights=w))
        unit = y_sd if law.in_units_of_y else 1.0
        root = {"normal": y_sd, "inverse_gaussian": y_mean**-0.5}.get(law.name, 1.0)
        centre = np.array([model.coef_[0] * sd, model.intercept_ + model.coef_[0] * mean])
        width = 7.0 * np.array(
            [model._coef_draws.std() * sd, (model._intercept_draws + mean * model._coef_draws[..., 0]).std()]
        )
        axes = [np.linspace(c - h, c + h, 61) for c, h in zip(centre, width, strict=True)]
        axes.append(np.zeros(1))
        if law.dispersed:
            s = np.log(model._dispersion_draws)
            axes[2] = np.linspace(s.mean() - 8.0 * s.std(), s.mean() + 8.0 * s.std(), 81)
        slope, level, s = np.meshgrid(*axes, indexing="ij")
        log_mass = stats.norm.logpdf(slope, 0.0, model.prior_scale * unit)
        if (law.name, law.link) in INFORMED:
            log_mass += stats.norm.logpdf(level, np.log(y_mean), 2.5)
        if law.dispersed:
            t = np.exp(0.5 * s)
            log_mass += stats.t.logpdf(t, 3.0, scale=model.dispersion_scale * root) + np.log(2.0) + np.log(0.5 * t)
        for i in range(len(y)):
            with np.errstate(over="ignore"):  # far out
                log_mass += w[i] * log_density(law.name, law.link, y[i], level + slope * (x[i] - mean) / sd, np.exp(s))
        top = log_mass.max()
        cell = np.prod([axis[1] - axis[0] for axis in axes if len(axis) > 1])
        self.log_evidence = top + np.log(np.exp(log_mass - top).sum() * cell)
        self.mass = np.exp(log_mass - top) / np.exp(log_mass - top).sum()
        self.coef, self.intercept, self.dispersion = slope / sd, level - slope / sd * mean, np.exp(s)

    def moments(self, values):
        mean = (self.mass * values).sum()
        return float(mean), float(np.sqrt((self.mass * (values - mean) ** 2).sum()))


def assert_agrees(draws, moments, what):
    told = diagnose(draws)
    assert abs(told["mean"] - moments[0]) < 4.5 * told["mcse_mean"], what
    assert abs(told["sd"] - moments[1]) < 4.5 * told["mcse_sd"], what


LAWS = [
    ("normal", "identity"),
    ("normal", "log"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("gamma", "log"),
    ("inverse_gaussian", "log"),
    ("negative_binomial", "log"),
]


@pytest.mark.parametrize(("family", "link"), LAWS)
@pytest.mark.parametrize("method", ["auto", "nuts"])
def test_the_posterior_is_that_of_quadrature(family, link, method):
    X, y = rows(family)
    y = y + 3.0 if (family, link) == ("normal", "log") else y
    w = RNG(1).integers(1, 3, len(y)).astype(float) if family == "gamma" else None
    model = BayesianGLM(family, link=link, prior_scale=1.5, method=method, draws=1500, random_state=0).fit(X, y, w)
    grid = Grid(model, X, y, w)
    assert_agrees(model._coef_draws[..., 0], grid.moments(grid.coef), "coef")
    assert_agrees(model._intercept_draws, grid.moments(grid.intercept), "intercept")
    if model._law.dispersed:
        assert_agrees(np.log(model._dispersion_draws), grid.moments(np.log(grid.dispersion)), "dispersion")
    assert model.log_evidence_ == pytest.approx(grid.log_evidence, abs=0.05)
    i = 4
    own = log_density(family, link, y[i], grid.intercept + grid.coef * X[i, 0], grid.dispersion)
    left_out = -np.log((grid.mass * np.exp(-np.maximum(own, -600.0))).sum())
    assert model.loo_log_density_[i] == pytest.approx(left_out, abs=0.1)


def test_polya_gamma_chains_have_the_posterior_of_quadrature():
    X, y = rows("binomial")
    w = RNG(1).integers(0, 3, len(y)).astype(float)
    model = BayesianGLM("binomial", prior_scale=1.5, method="polya_gamma", draws=4000, random_state=0).fit(X, y, w)
    grid = Grid(model, X, y, w)
    assert_agrees(model._coef_draws[..., 0], grid.moments(grid.coef), "coef")
    assert_agrees(model._intercept_draws, grid.moments(grid.intercept), "intercept")
    offset = RNG(2).standard_normal(len(y))
    pair = [
        BayesianGLM("binomial", method=method, draws=3000, random_state=0).fit(X, y, offset=offset)
        for method in ("polya_gamma", "nuts")
    ]
    one, other = (diagnose(each._coef_draws) for each in pair)
    assert abs(one["mean"] - other["mean"])[0] < 4.5 * np.hypot(one["mcse_mean"], other["mcse_mean"])[0]


def shrunk_density(prior, model, coef):
    """Prior density of a standardised coefficient."""
    scale = model.prior_scale
    if prior == "student_t":
        return stats.t.pdf(coef, model.prior_freedom, scale=scale)
    if prior == "cauchy":
        return stats.cauchy.pdf(coef, scale=scale)
    if prior == "laplace":
        return stats.laplace.pdf(coef, scale=scale)
    logs = np.linspace(-12.0, 12.0, 240)
    mass = np.exp(logs) * stats.halfcauchy.pdf(np.exp(logs))
    both = np.convolve(mass, mass) * (logs[1] - logs[0]) ** 2  # of log lambda + log tau, tau in units of its scale
    product = model.global_scale * np.exp(np.linspace(-24.0, 24.0, len(both)))
    deviation = scale * product / np.sqrt(1.0 + (product / model.slab_scale) ** 2)
    return (both * stats.norm.pdf(coef[:, None] / deviation) / deviation).sum(axis=1)


@pytest.mark.parametrize("prior", ["student_t", "cauchy", "laplace", "horseshoe"])
def test_priors_are_what_they_say(prior):
    rng = RNG(5)
    x = rng.standard_normal(12)
    x = x / np.sqrt(np.mean(x**2))
    y = (rng.random(12) < special.expit(1.2 * x)).astype(float)
    model = BayesianGLM(
        "binomial", prior=prior, prior_scale=0.7, global_scale=1.0, fit_intercept=False, draws=4000, random_state=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plain funnel of a horseshoe
        model.fit(x[:, None], y)
    coef = np.concatenate([-np.geomspace(1e-6, 12.0, 1500)[::-1], np.geomspace(1e-6, 12.0, 1500)])
    likelihood = np.exp(sum(stats.bernoulli.logpmf(y[i], special.expit(coef * x[i])) for i in range(12)))
    mass = shrunk_density(prior, model, coef) * likelihood * np.gradient(coef)
    mass /= mass.sum()
    mean = mass @ coef
    assert_agrees(model._coef_draws[..., 0], (mean, np.sqrt(mass @ (coef - mean) ** 2)), prior)


def schools(n_groups=8, seed=3):
    rng = RNG(seed)
    group = np.repeat(np.arange(n_groups), rng.integers(2, 9, n_groups))
    return group, 2.0 + 0.7 * rng.standard_normal(n_groups)[group] + rng.standard_normal(len(group))


class NormalGroups:
    """Closed form given both scales (the mean's prior flat), which a grid integrates out."""

    def __init__(self, model, group, y):
        n, mean = np.bincount(group), np.bincount(group, weights=y) / np.bincount(group)
        within = ((y - mean[group]) ** 2).sum()
        unit = y.std()
        log_tau, log_sigma = np.meshgrid(np.linspace(-7.0, 2.5, 400), np.linspace(-0.8, 0.9, 300), indexing="ij")
        tau, sigma = np.exp(log_tau)[..., None], np.exp(log_sigma)[..., None]
        precision = 1.0 / (tau**2 + sigma**2 / n)
        centre = (precision * mean).sum(axis=-1) / precision.sum(axis=-1)
        log_mass = 0.5 * np.log(precision).sum(axis=-1) - 0.5 * np.log(precision.sum(axis=-1))
        log_mass -= 0.5 * (precision * (mean - centre[..., None]) ** 2).sum(axis=-1)
        log_mass -= (len(y) - len(n)) * log_sigma + 0.5 * within / sigma[..., 0] ** 2
        log_mass += stats.t.logpdf(tau[..., 0], 3.0, scale=model.group_scale * unit) + log_tau
        log_mass += stats.t.logpdf(sigma[..., 0], 3.0, scale=model.dispersion_scale * unit) + log_sigma
        self.mass = np.exp(log_mass - log_mass.max())
        self.mass /= self.mass.sum()
        self.tau, self.sigma, self.centre = tau[..., 0], sigma[..., 0], centre
        self.spread = 1.0 / precision.sum(axis=-1)
        kept = tau**2 * precision  # of a group's distance from the centre
        self.effect = kept * (mean - centre[..., None])

    def mean(self, values):
        return float((self.mass * values).sum())


@pytest.mark.filterwarnings("ignore:BayesianGLM. 1 of:sklearn.exceptions.ConvergenceWarning")  # five groups: a funnel
@pytest.mark.parametrize("n_groups", [5, 30])
def test_normal_groups_have_their_closed_form(n_groups):
    group, y = schools(n_groups)
    X = group[:, None].astype(float)
    model = BayesianGLM(group_effects=[0], draws=3000, random_state=0).fit(X, y)
    exact = NormalGroups(model, group, y)
    for name, draws, value in [
        ("tau", model._scale_draws[0], exact.mean(exact.tau)),
        ("sigma", np.sqrt(model._dispersion_draws), exact.mean(exact.sigma)),
        ("centre", model._intercept_draws, exact.mean(exact.centre)),
        ("first", model._effect_draws[0][..., 0], exact.mean(exact.effect[..., 0])),
        ("last", model._effect_draws[0][..., -1], exact.mean(exact.effect[..., -1])),
    ]:
        told = diagnose(draws)
        assert abs(told["mean"] - value) < 4.5 * told["mcse_mean"], name
    square = exact.mean(exact.centre**2 + exact.spread) - exact.mean(exact.centre) ** 2
    told = diagnose(model._intercept_draws)
    assert abs(told["sd"] - np.sqrt(square)) < 4.5 * told["mcse_sd"]
    assert model.coef_.shape == (0,)
    assert model.group_scale_["intercept|0"] == pytest.approx(model._scale_draws[0].mean())


@pytest.mark.parametrize("centred", [False, True])
def test_the_density_has_the_eight_schools(centred, data_posterior):
    known = data_posterior("eight_schools-eight_schools_noncentered")
    y, sigma = (np.asarray(known["data"][name], float) for name in ("y", "sigma"))
    term = gd.GlmTerm(np.arange(8), None, 8, centred, 5.0, 1.0)
    model = gd.GlmModel(
        np.ones((8, 1)), np.zeros(1), np.ones(1), y, sigma**-2.0, None, "squared_error", False, gd.NORMAL,
        np.array([5.0]), terms=(term,),
    )  # fmt: skip
    density = gd.GlmDensity(model)
    if centred:  # a funnel that no sampler crosses: the two densities must be the same one all the same
        point = np.append(RNG(0).standard_normal(9), 0.3)
        apart = gd.GlmDensity(model._replace(terms=(term._replace(centred=False),)))
        moved = point.copy()
        moved[1:9] /= np.exp(0.3)
        assert density(point)[0] + 8 * 0.3 == pytest.approx(apart(moved)[0], rel=1e-12)
        return
    draws = nuts_chains(density, Laplace(np.zeros(10), np.zeros((0, 0))), 4, 4000, 1000, 0, 0, 0.95).theta
    mu, tau = draws[..., 0], np.exp(draws[..., 9])
    numbers = np.concatenate([mu[..., None] + tau[..., None] * draws[..., 1:9], mu[..., None], tau[..., None]], axis=2)
    for power, mean, error in ((1, "mean", "mcse_mean"), (2, "mean_square", "mcse_mean_square")):
        told = diagnose(numbers**power)
        z = (told["mean"] - known["reference"][mean]) / np.hypot(told["mcse_mean"], known["reference"][error])
        assert abs(z).max() < 4.5


def slopes(seed=0):
    rng = RNG(seed)
    group = rng.integers(0, 10, 250)
    x = rng.standard_normal(250)
    eta = 0.5 + (0.8 + 0.6 * rng.standard_normal(10)[group]) * x + 0.5 * rng.standard_normal(10)[group]
    return x, group, rng.poisson(np.exp(eta)).astype(float)


def test_slopes_by_group_from_a_data_frame():
    pd = pytest.importorskip("pandas")
    x, group, y = slopes()
    X = pd.DataFrame({"x": x, "school": [f"s{k}" for k in group]})
    effects = [("intercept", "school"), ("x", "school")]
    model = BayesianGLM("poisson", group_effects=effects, draws=500, random_state=0).fit(X, y)
    assert list(model.group_coef_) == ["intercept|school", "x|school"]
    assert model.group_levels_["school"].tolist() == sorted({f"s{k}" for k in group})
    assert model.coef_names_.tolist() == ["x"]
    assert 0.2 < model.group_scale_["x|school"] < 1.4
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.6
    new = pd.DataFrame({"x": [1.0, 1.0], "school": ["s3", "of the future"]})
    quantiles = np.log(model.predict_quantiles(new, [0.1, 0.9]) + 1.0)
    assert np.diff(quantiles[1]) > np.diff(quantiles[0])
    by_place = BayesianGLM("poisson", group_effects=[1, (0, 1)], draws=500, random_state=0)
    by_place.fit(np.column_stack([x, group]), y)
    np.testing.assert_array_equal(by_place._coef_draws, model._coef_draws)
    assert set(model.diagnostics_) == {
        "coef", "intercept", "group_scale intercept|school", "group_coef intercept|school", "group_scale x|school",
        "group_coef x|school",
    }  # fmt: skip


def test_levels_not_seen_are_drawn_anew_by_every_seed():
    """One draw by each of many seeds spreads as many draws by one seed do."""
    rng = RNG(0)
    group = rng.integers(0, 10, 300)
    y = 2.0 * rng.standard_normal(10)[group] + 0.1 * rng.standard_normal(300)
    model = BayesianGLM(group_effects=[0], random_state=0).fit(group[:, None], y)
    by_seed = np.concatenate([model.sample_predictive([[99]], 1, random_state=seed)[:, 0] for seed in range(300)])
    at_once = model.sample_predictive([[99]], 300, random_state=0)[:, 0]
    assert 0.7 < by_seed.std() / at_once.std() < 1.4


def test_exposures_and_offsets():
    rng = RNG(0)
    X, years = rng.standard_normal((300, 2)), rng.uniform(0.1, 2.0, 300)
    y = rng.poisson(years * np.exp(X @ [0.5, -0.3] - 0.2)).astype(float)
    model = BayesianGLM("poisson", random_state=0).fit(X, y, exposure=years)
    same = BayesianGLM("poisson", random_state=0).fit(X, y, offset=np.log(years))
    np.testing.assert_array_equal(model._coef_draws, same._coef_draws)
    assert np.abs(model.coef_ - [0.5, -0.3]).max() < 0.15
    np.testing.assert_allclose(model.predict(X[:3], exposure=[2.0, 2.0, 2.0]), 2.0 * model.predict(X[:3]), rtol=1e-12)
    assert (model.predict_interval(X[:3], exposure=[50.0] * 3) > model.predict_interval(X[:3])).all()
    assert model.sample_predictive(X[:3], 7, 0, exposure=[1.0] * 3).shape == (7, 3)
    assert model.predict_quantiles(X[:3], 0.5, offset=[0.0] * 3).shape == (3,)
    for call, message in [
        (lambda: model.predict(X[:3], exposure=[1.0, 0.0, 1.0]), "exposure: row 1 is 0.0"),
        (lambda: model.predict(X[:3], offset=[1.0]), "offset: got shape"),
        (lambda: BayesianGLM().fit(X, y, exposure=years), "expected the log link"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("family", ["normal", "gamma"])
def test_weights_are_repetitions_and_units_do_not_matter(family):
    X, y = rows(family, 60)
    w = RNG(3).integers(0, 3, len(y))
    settings = {"method": "laplace", "draws": 500, "random_state": 0}
    one = BayesianGLM(family, **settings).fit(X, y, w)
    other = BayesianGLM(family, **settings).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(one._coef_draws, other._coef_draws, rtol=1e-5)
    np.testing.assert_allclose(one._loo_score, other._loo_score, rtol=1e-5)
    np.testing.assert_allclose(one.log_evidence_, other.log_evidence_, rtol=1e-6)
    scaled = BayesianGLM(family, **settings).fit(X * 1e4, y * 1e3, w)
    factor = 1e3 if family == "normal" else 1.0
    np.testing.assert_allclose(scaled.coef_ * 1e4, one.coef_ * factor, rtol=1e-5)
    free = w.sum() - (family == "normal")  # the intercept's flat prior is in the units of y
    np.testing.assert_allclose(scaled.log_evidence_ + free * np.log(1e3), one.log_evidence_, rtol=1e-5)


def test_y_that_the_model_fits_exactly():
    X = RNG(0).standard_normal((20, 2))
    for y in (np.ones(20), X[:, 0], X @ [1.0, -2.0] + 3.0):
        model = BayesianGLM(random_state=0).fit(X, y)
        np.testing.assert_allclose(model.predict(X), y, atol=1e-3)
        assert model.dispersion_ < 1e-6
    model = BayesianGLM("gamma", random_state=0).fit(X, np.full(20, 2.0))
    np.testing.assert_allclose(model.predict(X), 2.0, rtol=1e-3)


@pytest.mark.parametrize("settings", [{}, {"method": "nuts"}, {"group_effects": [1]}, {"prior": "horseshoe"}])
def test_the_same_bits_for_any_number_of_threads(settings):
    rng = RNG(2)
    X = np.column_stack([rng.standard_normal(200), rng.integers(0, 4, 200)])
    y = rng.standard_normal(200) + X[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = {
            n: BayesianGLM(**settings, draws=50, warm_up=60, random_state=3, n_jobs=n).fit(X, y)._coef_draws.tobytes()
            for n in (1, 2, 3, 8)
        }
    assert len(set(fits.values())) == 1


def test_bad_input_is_named():
    X, y = rows("gamma", 20)
    grouped = np.column_stack([X, np.arange(20) % 3])
    for call, message in [
        (lambda: BayesianGLM("gamma").fit(X, -y), "y is -.* in row 0, expected numbers > 0"),
        (lambda: BayesianGLM("gamma", link="logit").fit(X, y), "link: got 'logit'"),
        (lambda: BayesianGLM("binomial").fit(X, np.ones(20)), "expected some of each class"),
        (lambda: BayesianGLM("poisson").fit(X, np.zeros(20)), "not all of them 0"),
        (lambda: BayesianGLM("negative_binomial").fit(X, np.zeros(20)), "not all of them 0"),
        (lambda: BayesianGLM(prior="laplace", method="laplace").fit(X, y), "expected 'nuts' or 'auto'"),
        (lambda: BayesianGLM("poisson", method="polya_gamma").fit(X, np.floor(y)), "expected the binomial family"),
        (lambda: BayesianGLM("binomial", method="polya_gamma").fit(X, y > 2, y), "expected whole numbers"),
        (
            lambda: BayesianGLM(group_effects=[2]).fit(grouped, y),
            "names 2, expected a column of X: a place from 0 to 1",
        ),
        (lambda: BayesianGLM(group_effects=["school"]).fit(grouped, y), "names 'school'"),
        (lambda: BayesianGLM(group_effects=[(1, 1)]).fit(grouped, y), "slopes of columns that are"),
        (lambda: BayesianGLM(group_effects=[(0, 1, 1)]).fit(grouped, y), "expected grouping columns, or pairs"),
        (lambda: BayesianGLM(group_effects=[1]).fit(np.where(grouped == 2.0, np.nan, grouped), y), "group of row"),
        (lambda: BayesianGLM(group_effects=[1]).fit(grouped, y[:-1]), "inconsistent numbers of samples"),
        (lambda: BayesianGLM().fit(X, y, np.zeros(20)), "at least one non-zero number"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    model = BayesianGLM("gamma", group_effects=[1], draws=100, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(grouped, y)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(grouped[:, :1])
    broken = copy.deepcopy(model)
    broken._effect_draws[0] = broken._effect_draws[0][:, :, :1]
    with pytest.raises(ModelFormatError, match="draws do not fit"):
        broken._validate_state()


@pytest.mark.parametrize("prior", [{"prior": "cauchy"}, {"prior": "horseshoe", "slab_scale": None}])
def test_separated_classes_under_heavy_tails_are_refused(prior):
    """The prior falls with the square of the coefficient, the range left to the intercept grows with it."""
    x = np.arange(8.0)
    X = np.column_stack([x % 3, x])
    short = {"draws": 50, "chains": 1, "random_state": 0}
    with pytest.raises(ValueError, match=r"column 1 .* separates the classes"):
        BayesianGLM("binomial", **prior, **short).fit(X, x > 3.5)
    with pytest.raises(ValueError, match="separates"):
        BayesianGLM("binomial", **prior, **short).fit(X, x != 4, sample_weight=(x >= 4) * 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for proper in ({"fit_intercept": False}, {"prior": "student_t"}):
            BayesianGLM("binomial", **{**prior, **proper}, **short).fit(X, x > 3.5)
        BayesianGLM("binomial", **prior, **short).fit(X, (x > 3.5) != (x == 6))
    pure = {"group_effects": [1], "group_prior": "half_cauchy", **short}
    with pytest.raises(ValueError, match="every level"):
        BayesianGLM("binomial", **pure).fit(np.column_stack([x % 3, x // 4]), x > 3.5)


def test_a_poor_approximation_is_left_or_said():
    X = np.linspace(-1.0, 1.0, 6)[:, None]
    settings = {"prior_scale": 100.0, "draws": 500, "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="far from its normal approximation"):
        BayesianGLM("binomial", method="laplace", **settings).fit(X, X[:, 0] > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a long tail
        model = BayesianGLM("binomial", **settings).fit(X, X[:, 0] > 0)
    assert model.k_hat_ > 0.7
    assert len(np.unique(model._coef_draws)) > 1500  # of Hamiltonian chains, which move nearly always


@pytest.mark.parametrize("family", ["normal", "poisson", "gamma", "inverse_gaussian", "negative_binomial", "binomial"])
def test_deviations_are_those_of_new_observations(family):
    rng = RNG(0)
    X = rng.standard_normal((80, 1))
    y = {"poisson": rng.poisson, "negative_binomial": rng.poisson, "binomial": lambda mu: rng.random(80) < 0.4}.get(
        family, lambda mu: rng.gamma(4.0, mu / 4.0)
    )(np.exp(0.3 * X[:, 0] + 1.0))
    link = "log" if family in ("normal", "gamma", "inverse_gaussian") else "auto"
    model = BayesianGLM(family, link=link, compute_loo=False, random_state=0).fit(X, y.astype(float))
    mean, deviation = model.predict(X[:3], return_std=True)
    np.testing.assert_array_equal(mean, model.predict(X[:3]))
    np.testing.assert_allclose(model.sample_predictive(X[:3], 40_000, 1).std(axis=0), deviation, rtol=0.06)


@pytest.mark.parametrize("family", ["normal", "gamma", "inverse_gaussian"])
def test_quantiles_are_those_of_draws_that_share_their_random_numbers(family):
    X, y = rows(family, n=60)
    link = "identity" if family == "normal" else "log"
    model = BayesianGLM(family, link=link, compute_loo=False, draws=2000, random_state=0).fit(X, y)
    draws, levels = model._posterior_draws(4000, 0), np.array([0.03, 0.5, 0.81])
    means = model._means(model._checked((X[:3], None)), draws)
    rng, phi = np.random.Generator(np.random.Philox(0)), draws["dispersion"]
    numbers = model._law.family.shared[0](rng, phi, (4000,))
    observed = model._law.family.shared[1](numbers, means, phi)
    np.testing.assert_array_equal(model.predict_quantiles(X[:3], levels), np.quantile(observed, levels, axis=1).T)
    law = {
        "normal": lambda mu, phi: stats.norm(mu, np.sqrt(phi)),
        "gamma": lambda mu, phi: stats.gamma(1.0 / phi, scale=mu * phi),
        "inverse_gaussian": lambda mu, phi: stats.invgauss(mu * phi, scale=1.0 / phi),
    }[family]
    drawn = model._law.draw(rng, np.full((20_000, 1), 2.5), np.full((20_000, 1), 0.7))[:, 0]
    assert stats.kstest(drawn, law(2.5, 0.7).cdf).pvalue > 1e-4
    uniform = np.concatenate([law(mu, phi).cdf(row) for mu, row in zip(means, observed, strict=True)])
    assert abs(uniform.mean() - 0.5) < 0.02
    assert abs(uniform.var() - 1.0 / 12.0) < 0.01


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_chains_start_where_the_link_takes_the_scores():
    """Scores of the inverse square are positive: starts around the mode may lie outside."""
    rng = RNG(0)
    X = rng.standard_normal((200, 2))
    y = rng.wald(np.exp(0.5 + X @ [0.5, -0.3]), 5.0)
    model = BayesianGLM("inverse_gaussian", link="inverse_squared", draws=100, warm_up=100, chains=8, random_state=0)
    model.fit(X, y)
    assert np.isfinite(model.coef_).all()


def test_warnings_name_the_parameter():
    X, y = rows("normal")
    with pytest.warns(ConvergenceWarning, match=r"of (coef|intercept|dispersion)\[0\] is"):
        BayesianGLM(method="nuts", draws=4, random_state=0).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:BayesianGLM. leaving out:UserWarning")
@pytest.mark.parametrize(
    ("family", "link"),
    [("inverse_gaussian", "log"), ("inverse_gaussian", "identity"), ("normal", "log")],
)
def test_likelihoods_that_level_off_leave_the_posterior_proper(family, link):
    """Two rows: under a flat prior of the intercept, means ran to 1e300."""
    X, y = np.array([[-1.0], [1.0]]), np.array([1.5, 2.5])
    for unit in (1.0, 1000.0) if link != "log" else (1.0,):
        model = BayesianGLM(family, link=link, draws=300, warm_up=300, random_state=0).fit(X, unit * y)
        middle = np.median(model._intercept_draws)
        spread = np.abs(model._intercept_draws - middle).max()
        assert spread < 30.0 * (1.0 if link == "log" else abs(model._law.score(2.0 * unit)))
        assert np.isfinite(model.score_loo_)


def test_a_mean_without_a_score_is_named():
    X, y = rows("normal")
    with pytest.raises(ValueError, match=r"y: its mean is .* no score by the log link"):
        BayesianGLM(link="log").fit(X, y - 10.0)
