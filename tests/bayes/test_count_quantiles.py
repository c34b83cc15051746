"""Quantiles of counts: the least count whose distribution function, averaged over draws, is at least the level."""

import numpy as np
import pytest
from scipy import special, stats

from mlwright._kernels.count_mixture import quantiles
from mlwright._native import core
from mlwright.bayes import BayesianGLM, BayesianPoissonRegressor

_CLOSE = 2e-10  # of levels to values of the distribution function, on either side


def share(k, means, dispersions):
    """The distribution function at `k` by scipy, of one row."""
    if dispersions is None:
        return stats.poisson.cdf(k, means).mean()
    if k < 0.0:
        return 0.0
    size, odds = 1.0 / dispersions, dispersions * means
    small, large = (
        1.0 - special.betainc(k + 1.0, size, odds / (1.0 + odds)),
        stats.nbinom.cdf(k, size, 1.0 / (1.0 + odds)),
    )
    return np.where(odds < 1.0, small, large).mean()  # whichever share has all its digits


def counts_at(means, dispersions, level):
    """Counts about where the level is reached: the quantiles of a few of the components."""
    picked = np.quantile(means, [0.0, 0.3, level, 1.0])
    phi = 0.0 if dispersions is None else np.median(dispersions)
    sd = np.sqrt(picked + phi * picked**2)
    return np.unique(np.maximum(np.floor(picked + stats.norm.ppf(level) * sd), 0.0))


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.4, 2.0])
@pytest.mark.parametrize("dispersion", [None, 1e-9, 1e-3, 0.1, 0.8, 4.0, 30.0])
@pytest.mark.parametrize("scale", [1e-3, 0.7, 5.0, 60.0, 1e3, 1e6])
def test_levels_on_either_side_of_a_step_tell_its_sides_apart(scale, dispersion, spread):
    rng = np.random.default_rng(int(scale * 7) + int(spread * 100))
    means = scale * np.exp(spread * rng.standard_normal(61))
    dispersions = None if dispersion is None else dispersion * np.exp(0.3 * rng.standard_normal(61))
    seen = 0
    for level in (0.03, 0.5, 0.95):
        for k in counts_at(means, dispersions, level):
            reached = share(k, means, dispersions)
            probability = reached - share(k - 1, means, dispersions)
            if not (probability > 10 * _CLOSE and 1e-6 < reached < 1.0 - 1e-6):
                continue
            got = quantiles(means[None], dispersions, np.array([reached - _CLOSE, reached + _CLOSE]))
            assert got.tolist() == [[k, k + 1]], (level, k)
            seen += 1
    assert seen or scale < 0.01 or scale * spread > 1e5


@pytest.mark.parametrize("dispersion", [None, 1e-4, 0.5])
def test_huge_means_have_quantiles_of_their_size(dispersion):
    means = np.array([[1e9, 2e9, 1.1e9], [1e12, 1e12, 1e12], [3e14, 1e13, np.inf]])
    dispersions = None if dispersion is None else np.full(3, dispersion)
    levels = np.array([0.05, 0.6, 0.99])
    got = quantiles(means, dispersions, levels)
    for row, counts in zip(np.minimum(means, 1e15), got, strict=True):
        at = np.array([share(k * (1 + 1e-9), row, dispersions) for k in counts])
        before = np.array([share(k * (1 - 1e-9), row, dispersions) for k in counts])
        assert (at >= levels - 1e-6).all()
        assert (before <= levels + 1e-6).all()


def test_no_mean_at_all_and_extreme_levels():
    levels = np.array([1e-300, 1e-9, 0.5, 1.0 - 1e-9])
    assert (quantiles(np.zeros((2, 5)), None, levels) == 0.0).all()
    got = quantiles(np.full((1, 3), 4.0), None, levels)[0]
    assert got.tolist() == [0.0, 0.0, 4.0, stats.poisson.ppf(1.0 - 1e-9, 4.0)]
    with pytest.raises(ValueError, match=r"means of counts: row 1 has one of -0.5"):
        quantiles(np.array([[1.0, 2.0], [1.0, -0.5]]), None, levels)
    with pytest.raises(ValueError, match=r"row 0 has one of -?nan"):
        quantiles(np.array([[np.nan]]), None, levels)


@pytest.mark.parametrize("dispersed", [False, True])
def test_a_row_is_answered_by_itself_on_any_number_of_threads(dispersed):
    rng = np.random.default_rng(0)
    means = np.exp(rng.normal(1.0, 2.0, (50, 1)) + 0.1 * rng.standard_normal((50, 400)))
    dispersions = np.exp(0.8 * rng.standard_normal(400)) if dispersed else None
    levels = np.array([0.05, 0.5, 0.95])
    want = quantiles(means, dispersions, levels)
    try:
        for n_threads in (1, 2, 3, 8):
            core.runtime.set_num_threads(n_threads)
            assert quantiles(means, dispersions, levels).tobytes() == want.tobytes()
    finally:
        core.runtime.set_num_threads(0)
    one_by_one = [quantiles(row[None], dispersions, np.array([level]))[0, 0] for row in means for level in levels]
    assert one_by_one == want.ravel().tolist()


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "binomial", None])
def test_estimators_answer_by_the_law_of_their_draws(family):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 2))
    y = (rng.random(80) < 0.4).astype(float) if family == "binomial" else rng.poisson(np.exp(0.5 * X[:, 0] + 1.5))
    model = BayesianPoissonRegressor() if family is None else BayesianGLM(family)
    model.set_params(compute_loo=False, random_state=0).fit(X, y)
    draws, levels = model._posterior_draws(4000, 0), np.array([0.1, 0.5, 0.9])
    got = model.predict_quantiles(X[:6], levels)
    eta = X[:6] @ draws["coef"].T + draws["intercept"]
    for row, counts in zip(eta, got, strict=True):
        if family == "binomial":
            zero = 1.0 - (1.0 / (1.0 + np.exp(-row))).mean()
            reached, before = np.where(counts == 1.0, 1.0, zero), np.where(counts == 1.0, zero, 0.0)
        else:
            reached, before = (
                np.array([share(k, np.exp(row), draws.get("dispersion")) for k in counts - back]) for back in (0, 1)
            )
        assert (reached >= levels).all()
        assert (before < levels).all()
