"""LassoLarsIC: scikit-learn's knots and choice, optimality all along the path, what depends, state algebra."""

import itertools
import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mlwright.linear_model import LassoLarsIC
from mlwright.linear_model._sparse.homotopy import Homotopy


def data(n=60, p=15, seed=0, mixed=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + mixed * rng.standard_normal((p, p))) + 1.0
    return X, X[:, : min(5, p)].sum(axis=1) + 3.0 * rng.standard_normal(n), rng.random(n) + 0.2


def as_scikit_learn(X, y, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.LassoLarsIC(**settings).fit(X, y)
    ours = LassoLarsIC(**settings).fit(X, y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-7, atol=1e-10 * theirs.alphas_[0])
    at = slice(None, -1 if settings.get("positive") else None)  # the last of theirs is not optimal where positive
    np.testing.assert_allclose(ours.criterion_[at], theirs.criterion_[at], rtol=1e-8)
    np.testing.assert_allclose(ours.noise_variance_, theirs.noise_variance_, rtol=1e-8)
    if ours.criterion_.argmin() == theirs.criterion_.argmin() < len(ours.alphas_) - 1:
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6, atol=1e-9)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.kkt_violation_ < 1e-11


@pytest.mark.parametrize("criterion", ["aic", "bic"])
@pytest.mark.parametrize("settings", [{}, {"positive": True}, {"fit_intercept": False}, {"max_iter": 4}], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_knots_as_scikit_learn(criterion, settings, seed):
    as_scikit_learn(*data(seed=seed)[:2], criterion=criterion, **settings)


def test_more_columns_than_rows_as_scikit_learn():
    X, y, _ = data(25, 40)
    as_scikit_learn(X, y, noise_variance=4.0)
    as_scikit_learn(X, y, noise_variance=4.0, fit_intercept=False)
    with pytest.raises(ValueError, match="Provide an estimate of the noise variance"):
        LassoLarsIC().fit(X, y)


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.booleans(), st.sampled_from([0.0, 0.5, 2.0]))
def test_every_point_of_the_path_is_optimal(seed, p, positive, mixed):
    X, y, _ = data(30, p, seed, mixed)
    if p > 3:
        X[:, 1], X[:, 2] = X[:, 0], 2.0  # one column twice, and a constant one
    X, y = X - X.mean(axis=0), y - y.mean()
    weight = np.random.default_rng(seed).random(p) + 0.5
    lams, coefs = Homotopy(X.T @ X, X.T @ y, weight, positive).knots(500)
    assert (np.diff(lams) <= 0).all()
    assert lams[-1] == 0.0 or lams[0] == 0.0
    between = [(a + b) / 2 for a, b in itertools.pairwise(lams)]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(coefs)]
    for lam, b in [*zip(lams, coefs, strict=True), *zip(between, middles, strict=True)]:
        pull = X.T @ (y - X @ b)
        assert ((pull if positive else np.abs(pull)) <= lam * weight + 1e-7 * lams[0] + 1e-9).all()
        used = np.abs(b) > 1e-7 * np.abs(coefs).max()
        np.testing.assert_allclose(pull[used], (lam * weight * np.sign(b))[used], atol=1e-7 * lams[0] + 1e-9)
        assert not positive or (b >= -1e-7 * np.abs(coefs).max()).all()


def test_weights_are_repetitions_and_rows_come_and_go():
    X, y, w = data(120, 7)
    counts = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), counts)
    weighted, repeated = (
        LassoLarsIC().fit(X, y, sample_weight=counts.astype(float)),
        LassoLarsIC().fit(X[again], y[again]),
    )
    np.testing.assert_allclose(weighted.criterion_, repeated.criterion_, rtol=1e-9)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-9)
    whole, first = LassoLarsIC().fit(X, y, sample_weight=w), LassoLarsIC().fit(X[:70], y[:70], sample_weight=w[:70])
    before = first.criterion_
    np.testing.assert_allclose(first.partial_fit(X[70:], y[70:], w[70:]).criterion_, whole.criterion_, rtol=1e-9)
    np.testing.assert_allclose(whole.forget(X[70:], y[70:], w[70:]).criterion_, before, rtol=1e-8)
    np.testing.assert_allclose(first.coef_, LassoLarsIC().fit(sparse.csr_array(X), y, sample_weight=w).coef_, atol=1e-9)


def test_scales_and_perfect_and_constant_targets():
    X, y, _ = data(60, 5)
    plain = LassoLarsIC().fit(X, y)
    for scale in (1e-140, 1e140):
        np.testing.assert_allclose(LassoLarsIC().fit(X * scale, y).coef_ * scale, plain.coef_, rtol=1e-8, atol=1e-12)
    perfect = LassoLarsIC().fit(X, X @ np.arange(5.0))
    np.testing.assert_allclose(perfect.coef_, np.arange(5.0), atol=1e-9)
    constant = LassoLarsIC(noise_variance=1.0).fit(X, np.full(60, 2.0))
    assert constant.alphas_.tolist() == [0.0]
    assert not constant.coef_.any()
    assert plain.predict_interval(X).shape == (60, 2)
