"""Simulation-based calibration of generalized linear models, by each of their samplers and parametrisations.

Coefficients, dispersions, effects of groups and their scales come from their priors, targets from them. Ranks are those
of all of them, and of the log likelihood of the rows. Families whose priors are in units of y are held against
quadrature instead, in ``test_generalized.py``.
"""

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy import special, stats

from mlwright.bayes import BayesianGLM
from mlwright.bayes._glm import base, posterior
from tests.bayes.test_calibration import DRAWS, LEVEL, smallest_p

N_GROUPS, SCALE, OF_ROOT, OF_GROUPS = 5, 0.6, 0.5, 0.5


def column(n, seed=4):
    x = np.random.default_rng(seed).standard_normal(n)
    return (x - x.mean()) / x.std()


def draw_y(family, rng, eta, root):
    mu = np.exp(np.minimum(eta, 20.0))
    if family == "binomial":
        return (rng.random(len(eta)) < special.expit(eta)).astype(float)
    if family == "poisson":
        return rng.poisson(mu).astype(float)
    shaped = np.maximum(rng.gamma(root**-2.0, root**2.0 * mu), 1e-280)
    return shaped if family == "gamma" else rng.poisson(np.minimum(shaped, 1e9)).astype(float)


def log_density(family, y, eta, phi):
    mu = np.exp(np.minimum(eta, 300.0))
    if family == "binomial":
        return np.where(y > 0.0, special.log_expit(eta), special.log_expit(-eta))
    if family == "poisson":
        return stats.poisson.logpmf(y, mu)
    if family == "gamma":
        return stats.gamma.logpdf(y, 1.0 / phi, scale=mu * phi)
    return stats.nbinom.logpmf(y, 1.0 / phi, 1.0 / (1.0 + phi * mu))


@dataclass(frozen=True)
class Case:
    """A family, its rows, what varies by groups, and how draws are made."""

    family: str
    n: int = 30
    by_group: tuple = ()  # of "intercept" and 0, the column
    settings: dict = field(default_factory=dict)
    dispersed: bool = False

    def parts(self, numbers):
        """Of columns of numbers: the scores of rows, and the dispersion."""
        group = np.arange(self.n) % N_GROUPS
        eta, at = numbers[:, :1] * column(self.n), 1
        phi = numbers[:, at : at + self.dispersed]
        at += self.dispersed
        for what in self.by_group:
            effects = numbers[:, at + 1 : at + 1 + N_GROUPS]
            eta = eta + effects[:, group] * (1.0 if what == "intercept" else column(self.n))
            at += 1 + N_GROUPS
        return eta, phi

    def simulate(self, rng):
        numbers = [SCALE * rng.standard_normal()]
        numbers += [(OF_ROOT * abs(rng.standard_t(3.0))) ** 2] if self.dispersed else []
        for _ in self.by_group:
            tau = OF_GROUPS * abs(rng.standard_normal())
            numbers += [tau, *tau * rng.standard_normal(N_GROUPS)]
        (eta,), phi = self.parts(np.array([numbers]))
        return draw_y(self.family, rng, eta, np.sqrt(phi[0, 0]) if self.dispersed else 1.0), numbers

    def drawn(self, y, number):
        X = np.column_stack([column(self.n), np.arange(self.n) % N_GROUPS])[:, : 2 if self.by_group else 1]
        effects = [(what, 1) for what in self.by_group]
        prior = {"prior_scale": SCALE, "dispersion_scale": OF_ROOT, "group_scale": OF_GROUPS}
        how = {"chains": 1, "draws": 6 * DRAWS, "warm_up": 300, "compute_loo": False, "group_prior": "half_normal"}
        how |= prior | self.settings
        model = BayesianGLM(self.family, fit_intercept=False, group_effects=effects, random_state=number, **how)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # short chains are to be ranked, not trusted
            draws = model.fit(X, y)._chains().draws
        return {name: x for name, x in draws.items() if name != "intercept"}

    def quantities(self, y, numbers):
        """The log likelihood, and the coefficient's distance from the middle of its prior."""
        eta, phi = self.parts(numbers)
        return np.column_stack([log_density(self.family, y, eta, phi).sum(axis=1), np.abs(numbers[:, 0])])

    def smallest_p(self, n):
        return smallest_p(n, self.simulate, self.drawn, self.quantities)


NUTS = {"method": "nuts"}
CASES = {
    "candidates, mirrored": Case("binomial", 12),
    "candidates": Case("poisson"),
    "candidates, gamma": Case("gamma", dispersed=True),
    "candidates, negative binomial": Case("negative_binomial", 40, dispersed=True),
    "trajectories": Case("binomial", 12),
    "nuts": Case("binomial", 12, settings=NUTS),
    "nuts, negative binomial": Case("negative_binomial", 40, settings=NUTS, dispersed=True),
    "Pólya-Gamma": Case("binomial", 12, settings={"method": "polya_gamma", "draws": 12 * DRAWS}),
    "intercepts by group": Case("binomial", 40, ("intercept",)),
    "slopes by group": Case("poisson", 40, (0,)),
    "intercepts and slopes, gamma": Case("gamma", 40, ("intercept", 0), dispersed=True),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name, monkeypatch):
    if name == "trajectories":
        monkeypatch.setattr(posterior, "_NEAR", 2.0)  # no candidates are near enough
    assert CASES[name].smallest_p(400 if CASES[name].by_group else 600) > LEVEL


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_ranks_of_effects_are_uniform_in_either_parametrisation(centred, monkeypatch):
    def parametrised(problem, name):
        return replace(problem, terms=tuple(replace(term, centred=centred) for term in problem.terms))

    monkeypatch.setattr(base, "with_parametrisation", parametrised)
    assert Case("poisson", 60, ("intercept", 0)).smallest_p(500) > LEVEL


WRONG = {
    "coefficients": Case("binomial", 12, settings={"prior_scale": 2.5 * SCALE}),
    "dispersion": Case("gamma", 4, settings={"dispersion_scale": 4.0 * OF_ROOT}, dispersed=True),
    "groups": Case("poisson", 40, (0,), settings={"group_scale": 3.0 * OF_GROUPS}),
}
BY_NAME = ["coefficients", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dispersion", "groups"))]


@pytest.mark.parametrize("name", BY_NAME)
def test_another_prior_shows(name):
    assert WRONG[name].smallest_p(200) < LEVEL
