"""Diagnostics and scores by leaving out are those of ArviZ, kept in ``arviz_references.npz``; ranks know no scale."""

from pathlib import Path

import numpy as np
import pytest

from mlwright import bayes

SAID = np.load(Path(__file__).with_name("arviz_references.npz"))
NAMES = ("rhat", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "ess_mean", "ess_sd")


@pytest.mark.parametrize("chains", ["many", "odd", "few"])
def test_diagnostics_are_those_of_arviz(chains):
    draws = SAID[f"{chains} draws"]
    told = bayes.diagnose(draws)
    for name in NAMES:
        np.testing.assert_allclose(told[name], SAID[f"{chains} {name}"], rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(bayes.bfmi(draws[..., 0]), SAID[f"{chains} bfmi"], rtol=1e-10)
    assert told["rhat"][0] < 1.05 < told["rhat"][2]  # chains that agree, and chains that do not


@pytest.mark.parametrize(("name", "efficiency"), [("independent", 1.0), ("slow", 0.4)])
def test_scores_by_leaving_out_are_those_of_arviz(name, efficiency):
    told = bayes.psis_loo(SAID["log_likelihood"], relative_efficiency=efficiency)
    np.testing.assert_allclose(told["pointwise"], SAID[f"loo {name}"], rtol=1e-10)
    np.testing.assert_allclose(told["k_hat"], SAID[f"k_hat {name}"], rtol=0, atol=1e-8)
    np.testing.assert_allclose([told[of] for of in ("elpd", "p_loo", "se")], SAID[f"sums {name}"], rtol=1e-10)
    assert told["k_hat"][-1] > 0.7


def test_ranks_know_no_scale():
    """Not even one at which the range of the draws overflows, or is nothing but a few of the smallest numbers."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4, 500, 3))
    x[..., 1] = np.round(x[..., 1])  # ties
    x[..., 2] /= rng.standard_normal((4, 500)) ** 2  # tails that leave most draws in one cell
    want = bayes.diagnose(x)
    for scale in (2.0**-600, 2.0**600):
        told = bayes.diagnose(x * scale)
        for name in ("rhat", "ess_bulk", "ess_tail"):
            np.testing.assert_array_equal(told[name], want[name], err_msg=name)
    edge = np.sign(x[..., :2]) * np.finfo(float).max  # the difference of two draws is infinite
    tiny = np.sign(x[..., :2]) * 5e-324
    for name in ("rhat", "ess_bulk", "ess_tail"):
        of_signs = bayes.diagnose(np.sign(x[..., :2]))[name]
        np.testing.assert_array_equal(bayes.diagnose(edge)[name], of_signs, err_msg=name)
        np.testing.assert_array_equal(bayes.diagnose(tiny)[name], of_signs, err_msg=name)
