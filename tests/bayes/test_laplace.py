"""The normal law at a mode: exact for normal densities; starts and candidates of chains."""

import math
import pickle

import numpy as np
import pytest

import mlwright
from mlwright import bayes
from mlwright.extend import densities, log_density, positive, real, simplex

PRECISION = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, -0.5], [0.0, -0.5, 1.0]])


@log_density(x=real(3))
def normal(x, precision):
    total = 0.0
    for i in range(3):
        for j in range(3):
            total -= 0.5 * precision[i, j] * (x[i] - 1.0) * (x[j] - 1.0)
    return total


@log_density(rate=positive(), share=simplex(3))
def counts(rate, share, n, seen):
    total = 50.0 * math.log(rate) - n * rate
    for k in range(3):
        total += seen[k] * math.log(share[k])
    return total


@log_density(x=real(2))
def heavy(x):
    return densities.cauchy(x[0], 0.0, 1.0) + densities.cauchy(x[1], 0.0, 1.0)


@log_density(mu=real(), tau=positive())
def without_a_mode(mu, tau):
    return -math.log(tau) - 0.5 * mu * mu / (tau * tau) - math.log(tau)


DATA = {"n": 20.0, "seen": np.array([5.0, 9.0, 14.0])}


def test_a_normal_density_is_found_exactly():
    found = bayes.laplace(normal, {"precision": PRECISION}, random_state=0)
    np.testing.assert_allclose(found.mode["x"], 1.0, atol=1e-8)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(PRECISION), rtol=1e-6, atol=1e-9)
    evidence = 1.5 * math.log(2 * math.pi) - 0.5 * math.log(np.linalg.det(PRECISION))
    assert found.log_evidence == pytest.approx(evidence, abs=1e-6)
    assert found.k_hat < 0.2
    draws = found.sample(20_000, random_state=1)["x"]
    np.testing.assert_allclose(np.cov(draws.T), np.linalg.inv(PRECISION), atol=0.05)


def test_constrained_parameters_are_named_on_their_own_scale():
    found = bayes.laplace(counts, DATA, random_state=0)
    # With the Jacobian of its logarithm the rate's density is that of a gamma law of one more.
    assert found.mode["rate"] == pytest.approx(51 / 20, rel=1e-6)
    assert found.mode["share"].sum() == pytest.approx(1.0)
    exact = math.lgamma(51.0) - 51.0 * math.log(20.0)
    exact += sum(map(math.lgamma, DATA["seen"] + 1)) - math.lgamma(DATA["seen"].sum() + 3)
    assert found.log_evidence == pytest.approx(exact, abs=0.05)
    assert found.sample(7, random_state=0)["share"].shape == (7, 3)


def test_a_density_without_a_mode_is_refused():
    for call in (bayes.laplace, lambda d, **how: bayes.sample(d, init="laplace", **how)):
        with pytest.raises(mlwright.NumericalError, match="sample without laplace"):
            call(without_a_mode, random_state=0)


def test_candidates_from_the_mode_are_nearly_independent():
    posterior = bayes.sample(counts, DATA, method="independence", draws=2000, random_state=0)
    assert posterior.method == "independence"
    assert posterior.k_hat < 0.7
    assert set(posterior.statistics) == {"log_density", "acceptance"}
    told = posterior.diagnostics_["rate"]
    assert told["ess_bulk"] > 2000
    assert abs(told["mean"] - 51 / 20) < 4 * told["mcse_mean"]
    assert abs(told["sd"] - math.sqrt(51) / 20) < 4 * told["mcse_sd"]


@pytest.mark.filterwarnings("ignore:posterior:sklearn.exceptions.ConvergenceWarning")
def test_candidates_that_do_not_reach_the_tails_are_left_to_trajectories():
    posterior = bayes.sample(heavy, method="independence", draws=500, random_state=0)
    assert posterior.k_hat > 0.7
    assert posterior.method == "nuts"
    assert "depth" in posterior.statistics


@pytest.mark.filterwarnings("ignore:posterior:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("how", [{"method": "independence"}, {"init": "laplace"}, {"method": "hmc", "n_steps": 5}])
def test_chains_of_every_method_go_on_to_the_bit(how):
    how = {"warm_up": 100, "random_state": 3, **how}
    whole = bayes.sample(counts, DATA, draws=150, **how)
    part = bayes.sample(counts, DATA, draws=40, n_jobs=1, **how)
    for again in (part.extend(110), pickle.loads(pickle.dumps(part)).extend(110)):
        assert again["share"].tobytes() == whole["share"].tobytes()


def test_hmc_has_the_moments_of_a_conjugate_posterior():
    posterior = bayes.sample(counts, DATA, method="hmc", draws=1500, random_state=0)
    told = posterior.diagnostics_["share"]
    alpha = DATA["seen"] + 1
    assert (abs(told["mean"] - alpha / alpha.sum()) < 4 * told["mcse_mean"]).all()
    assert "depth" not in posterior.statistics


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "gibbs"}, "method: got 'gibbs'"),
        ({"metric": "dense"}, "metric: got 'dense'"),
        ({"init": "prior"}, "init: got 'prior'"),
        ({"n_steps": 0}, "n_steps: got 0"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bayes.sample(counts, DATA, **arguments)
