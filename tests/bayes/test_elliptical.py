"""Elliptical slice sampling against closed forms."""

import math
import pickle

import numpy as np
import pytest

from mlwright import bayes
from mlwright.extend import log_density, positive, real

COVARIANCE = np.array([[1.0, 0.8, 0.3], [0.8, 2.0, 0.1], [0.3, 0.1, 0.5]])
PRIOR = {"mean": [1.0, 0.0, -1.0], "covariance": COVARIANCE}
Y = np.array([2.0, 0.5, -2.0])


@log_density(f=real(3))
def noisy(f, y):
    total = 0.0
    for i in range(3):
        total -= 0.5 * (y[i] - f[i]) * (y[i] - f[i]) / 0.5
    return total


@log_density(x=real())
def positive_only(x):
    return 0.0 if x > 0.0 else -math.inf


def test_posterior_of_a_normal_likelihood():
    posterior = bayes.sample_elliptical(noisy, {"y": Y}, **PRIOR, draws=6000, random_state=0)
    precision = np.linalg.inv(COVARIANCE) + 2.0 * np.eye(3)
    mean = np.linalg.solve(precision, np.linalg.solve(COVARIANCE, PRIOR["mean"]) + 2.0 * Y)
    told = posterior.diagnostics_["f"]
    assert (abs(told["mean"] - mean) < 4 * told["mcse_mean"]).all()
    assert (abs(told["sd"] - np.sqrt(np.diag(np.linalg.inv(precision)))) < 4 * told["mcse_sd"]).all()
    cross = bayes.diagnose(posterior["f"][..., 0] * posterior["f"][..., 1])
    want = np.linalg.inv(precision)[0, 1] + mean[0] * mean[1]
    assert abs(cross["mean"] - want) < 4 * cross["mcse_mean"]
    assert set(posterior.statistics) == {"log_density", "n_steps"}


def test_a_likelihood_with_a_jump():
    posterior = bayes.sample_elliptical(positive_only, draws=4000, covariance=4.0, random_state=0)
    assert posterior["x"].min() > 0
    told = posterior.diagnostics_["x"]
    assert abs(told["mean"] - 2.0 * math.sqrt(2 / math.pi)) < 4 * told["mcse_mean"]


@pytest.mark.filterwarnings("ignore:posterior:sklearn.exceptions.ConvergenceWarning")
def test_the_same_bits_for_any_number_of_threads_and_when_extended():
    how = {**PRIOR, "warm_up": 50, "random_state": 1}
    whole = bayes.sample_elliptical(noisy, {"y": Y}, draws=120, **how)
    for n_jobs in (1, 3):
        part = bayes.sample_elliptical(noisy, {"y": Y}, draws=50, n_jobs=n_jobs, **how)
        assert pickle.loads(pickle.dumps(part)).extend(70)["f"].tobytes() == whole["f"].tobytes()


@log_density(sd=positive())
def constrained(sd):
    return -sd


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"covariance": -1.0}, "covariance: got a variance of -1"),
        ({"covariance": np.ones((3, 3))}, "not positive definite"),
        ({"covariance": np.triu(COVARIANCE)}, "not symmetric"),
        ({"covariance": np.eye(2)}, "covariance: got shape"),
        ({"mean": [0.0, np.nan, 0.0]}, "mean: got a number that is not finite"),
        ({"mean": [0.0]}, "mean: got shape"),
        ({"draws": 0}, "draws: got 0"),
    ],
)
def test_what_is_no_prior_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bayes.sample_elliptical(noisy, {"y": Y}, **{**PRIOR, **arguments})


@log_density(f=real(3))
def saddle(f, curvature):
    return 0.5 * curvature * f[1] * f[1] - f[0] * f[0] - f[2] * f[2]


@pytest.mark.parametrize("covariance", [2.0, [1.0, 2.0, 1.0], COVARIANCE])
def test_a_likelihood_that_outgrows_the_prior_is_refused(covariance):
    prior = np.linalg.inv(covariance if np.ndim(covariance) == 2 else np.eye(3) * covariance)
    precision = prior[1, 1]
    with pytest.raises(ValueError, match=r"improper: towards -?infinity of f\[.\]"):
        bayes.sample_elliptical(saddle, {"curvature": 6.0 * precision}, covariance=covariance)
    milder = {"curvature": 0.1 * precision}
    proper = bayes.sample_elliptical(saddle, milder, covariance=covariance, draws=5000, random_state=0)
    spread = np.linalg.inv(prior - np.diag([-2.0, 0.1 * precision, -2.0]))
    np.testing.assert_allclose(np.cov(proper["f"].reshape(-1, 3).T), spread, atol=0.15 * np.abs(spread).max())


def test_a_constrained_parameter_is_refused():
    with pytest.raises(ValueError, match="parameter sd has a constraint"):
        bayes.sample_elliptical(constrained)
