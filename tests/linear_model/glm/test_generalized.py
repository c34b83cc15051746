"""Families, links, offsets, L1 penalties and intervals of GeneralizedLinearRegressor; L1 of LogisticRegression."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse, stats

from mlwright._kernels import glm
from mlwright.extend import loss
from mlwright.linear_model import GeneralizedLinearRegressor, LogisticRegression, PoissonRegressor
from mlwright.linear_model._glm._families import FAMILIES

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1500, 4))
ETA = X @ [0.3, -0.2, 0.1, 0.0] + 0.5
MU = np.exp(ETA)
TARGETS = {
    "normal": MU + RNG.standard_normal(1500),
    "binomial": (RNG.random(1500) < 1 / (1 + np.exp(-ETA))).astype(float),
    "poisson": RNG.poisson(MU).astype(float),
    "gamma": RNG.gamma(3, MU / 3),
    "inverse_gaussian": RNG.wald(MU, 8),
    "negative_binomial": RNG.negative_binomial(2, 2 / (2 + MU)).astype(float),
    "tweedie": RNG.poisson(MU) * RNG.gamma(2, 1, 1500),
}
PAIRS = [(family, link) for family, row in FAMILIES.items() for link in row.losses]


@pytest.mark.parametrize(("family", "link"), [pair for pair in PAIRS if pair != ("inverse_gaussian", "inverse")])
def test_the_gradient_is_zero_at_the_optimum(family, link):
    model = GeneralizedLinearRegressor(family, link=link, tol=1e-6, alpha=0.01, max_iter=1000).fit(X, TARGETS[family])
    law = model._law()
    table = glm.Table(X, np.zeros(4), np.ones(4), TARGETS[family])
    _, gradient, hessian, _ = glm.evaluate(table, law.loss, model.coef_, model.intercept_)
    gradient[:-1] += 0.01 * len(X) * model.coef_
    assert np.all(np.abs(gradient) <= 1e-4 * np.sqrt(hessian.diagonal() * len(X)))
    assert model.converged_


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_intervals_cover(family):
    y = TARGETS[family]
    model = GeneralizedLinearRegressor(family, link="log" if "log" in FAMILIES[family].losses else "auto").fit(X, y)
    low, high = model.predict_interval(X, 0.8).T
    inside = np.mean((y >= low) & (y <= high))
    assert inside >= 0.77
    if family in ("normal", "gamma", "inverse_gaussian"):
        assert inside <= 0.83


def test_exposure_is_an_offset_and_scales_the_mean():
    years = RNG.uniform(0.1, 2.0, 1500)
    y = RNG.poisson(MU * years)
    exposed = GeneralizedLinearRegressor("poisson", tol=1e-8).fit(X, y, exposure=years)
    offset = GeneralizedLinearRegressor("poisson", tol=1e-8).fit(X, y, offset=np.log(years))
    rate = PoissonRegressor(alpha=0.0, tol=1e-8).fit(X, y / years, sample_weight=years)
    np.testing.assert_allclose(exposed.coef_, offset.coef_, rtol=1e-12)
    np.testing.assert_allclose(exposed.coef_, rate.coef_, rtol=1e-6)
    np.testing.assert_allclose(exposed.predict(X, exposure=years), years * exposed.predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match="exposure: row 3 is 0"):
        exposed.fit(X, y, exposure=np.where(np.arange(1500) == 3, 0.0, years))


def test_negative_binomial_dispersion_has_the_greatest_likelihood():
    y = TARGETS["negative_binomial"]
    model = GeneralizedLinearRegressor("negative_binomial", tol=1e-7).fit(X, y)

    def likelihood(alpha):
        fit = GeneralizedLinearRegressor("negative_binomial", dispersion=alpha, tol=1e-7).fit(X, y)
        return stats.nbinom.logpmf(y, 1 / alpha, 1 / (1 + alpha * fit.predict(X))).sum()

    best = likelihood(model.dispersion_)
    assert model.dispersion_ == pytest.approx(0.5, abs=0.12)
    assert best >= max(likelihood(model.dispersion_ * factor) for factor in (0.98, 1.02))


def test_an_estimated_dispersion_settles_within_a_few_rounds():
    """Values of the profile likelihood tell its maximum no closer than 1e-8; its slope does."""
    rng = np.random.default_rng(0)
    for y in (TARGETS["negative_binomial"], rng.poisson(np.exp(ETA)), rng.negative_binomial(0.3, 0.3 / (0.3 + MU))):
        model = GeneralizedLinearRegressor("negative_binomial").fit(X, y.astype(float), np.arange(1500) % 3)
        assert model.converged_
        assert model.n_passes_ < 30


@pytest.mark.parametrize("family", ["negative_binomial", "gamma", "poisson"])
def test_rows_without_weight_may_be_anything(family):
    """Also so far out that their means overflow."""
    y, w = TARGETS[family], (np.arange(1500) % 5 > 0).astype(float)
    far = np.where(w[:, None] > 0.0, X, 1e4 * X)
    link = {"link": "log"}
    model = GeneralizedLinearRegressor(family, tol=1e-7, **link).fit(far, y, w)
    without = GeneralizedLinearRegressor(family, tol=1e-7, **link).fit(X[w > 0], y[w > 0])
    np.testing.assert_allclose(model.coef_, without.coef_, atol=1e-6)
    assert model.dispersion_ == pytest.approx(without.dispersion_, rel=1e-5)


def value(y, raw):
    return np.log(np.cosh(raw - y))


def grad_hess(y, raw):
    slope = np.tanh(raw - y)
    return slope, max(1.0 - slope * slope, 0.1)


def test_a_loss_of_the_users():
    y = TARGETS["normal"]
    model = GeneralizedLinearRegressor(loss(value, grad_hess), tol=1e-8).fit(X, y)
    slope = np.tanh(X @ model.coef_ + model.intercept_ - y)
    assert np.abs(X.T @ slope).max() < 1e-4
    assert model.converged_


@pytest.mark.parametrize(("C", "l1_ratio"), [(0.05, 1.0), (1.0, 0.5), (0.003, 1.0)])
def test_elastic_net_is_no_worse_than_saga(C, l1_ratio):
    y = TARGETS["binomial"]
    ours = LogisticRegression(C=C, l1_ratio=l1_ratio).fit(X, y)
    theirs = peer.LogisticRegression(C=C, l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=10000).fit(X, y)

    def objective(model):
        eta = X @ model.coef_[0] + model.intercept_[0]
        b = model.coef_[0]
        penalty = l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * (b @ b)
        return (np.logaddexp(0, eta) - y * eta).sum() + penalty / C

    assert ours.objective_ == pytest.approx(objective(ours), rel=1e-10)
    assert ours.objective_ <= objective(theirs) * (1 + 1e-8)
    assert ours.converged_


def test_l1_on_working_sets_equals_l1_on_all_columns():
    A = sparse.random(300, 600, 0.05, format="csr", random_state=0)
    y = (RNG.random(300) < 1 / (1 + np.exp(-4 * A[:, :10].sum(axis=1).A1))).astype(int)
    wide = LogisticRegression(C=2.0, l1_ratio=1.0, tol=1e-6).fit(A, y)
    support = np.flatnonzero(wide.coef_[0])
    assert 0 < len(support) < 300
    assert wide.converged_
    narrow = LogisticRegression(C=2.0, l1_ratio=1.0, tol=1e-6).fit(A[:, support], y)
    np.testing.assert_allclose(wide.coef_[0, support], narrow.coef_[0], atol=1e-4)
    gradient = A.T @ (wide.predict_proba(A)[:, 1] - y)
    assert np.abs(gradient).max() <= 0.5 * (1 + 1e-4)


@pytest.mark.parametrize("family", ["poisson", "gamma", "tweedie", "negative_binomial", "normal", "inverse_gaussian"])
def test_l1_for_every_family(family):
    model = GeneralizedLinearRegressor(family, link="log", alpha=0.05, l1_ratio=1.0, tol=1e-6).fit(X, TARGETS[family])
    assert model.converged_
    assert model.coef_[3] == 0.0
    table = glm.Table(X, np.zeros(4), np.ones(4), TARGETS[family])
    gradient = glm.evaluate(table, model._law().loss, model.coef_, model.intercept_, False)[1][:-1] / len(X)
    active = model.coef_ != 0
    np.testing.assert_allclose(gradient[active], -0.05 * np.sign(model.coef_[active]), atol=1e-5)
    assert np.all(np.abs(gradient[~active]) <= 0.05 + 1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"family": "poisson", "link": "probit"}, "link: got 'probit'.*'log', 'identity'"),
        ({"family": "tweedie", "power": 0.5}, "power: got 0.5.*between 0 and 1"),
        ({"family": "normal"}, "exposure: got one with link 'identity'"),
    ],
)
def test_what_does_not_go_together(parameters, message):
    with pytest.raises(ValueError, match=message):
        GeneralizedLinearRegressor(**parameters).fit(X, TARGETS["poisson"], exposure=np.ones(1500))


@pytest.mark.parametrize(("C", "l1_ratio", "fit_intercept"), [(0.05, 1.0, True), (0.5, 0.5, True), (0.05, 1.0, False)])
def test_elastic_net_of_several_classes(C, l1_ratio, fit_intercept):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((500, 8)) * np.array([1, 1, 1, 1, 1, 1, 10, 0.1])
    y = (A[:, :4] @ rng.standard_normal((4, 3)) + rng.gumbel(size=(500, 3))).argmax(axis=1)
    settings = {"C": C, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    ours = LogisticRegression(**settings).fit(A, y)
    theirs = peer.LogisticRegression(solver="saga", tol=1e-9, max_iter=20000, **settings).fit(A, y)

    def objective(model):
        eta = A @ model.coef_.T + model.intercept_
        b = model.coef_.ravel()
        penalty = l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * (b @ b)
        return (np.logaddexp.reduce(eta, axis=1) - eta[np.arange(500), y]).sum() + penalty / C

    assert ours.objective_ == pytest.approx(objective(ours), rel=1e-10)
    assert ours.objective_ <= objective(theirs) * (1 + 1e-8)
    assert ours.converged_
    if l1_ratio == 1.0:
        assert (ours.coef_ == 0).any()
