"""Diagnostics of chains equal ArviZ's, where it is installed; those of ranks know no scale."""

import numpy as np
import pytest

from mlwright import bayes


@pytest.mark.parametrize("shape", [(4, 1000, 3), (3, 257, 2), (2, 64, 4)])
def test_equal_to_arviz(shape):
    arviz = pytest.importorskip("arviz")
    arviz.utils.Numba.disable_numba()  # ArviZ 0.23's shortcut by Numba fails with NumPy 2.4
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    x[:, 1:] += 0.7 * x[:, :-1]
    x[..., 1] = np.exp(x[..., 1])
    told = bayes.diagnose(x)
    for j in range(shape[2]):
        draws = x[..., j]
        want = {"rhat": arviz.rhat(draws), "mcse_mean": arviz.mcse(draws), "mcse_sd": arviz.mcse(draws, method="sd")}
        want |= {f"ess_{kind}": arviz.ess(draws, method=kind) for kind in ("bulk", "tail", "mean", "sd")}
        for name, value in want.items():
            assert told[name][j] == pytest.approx(float(value), rel=1e-10), name
    np.testing.assert_allclose(bayes.bfmi(x[..., 0]), arviz.bfmi(x[..., 0]), rtol=1e-10)


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
