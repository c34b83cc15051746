"""The same answers as scikit-learn, on rows that hypothesis makes up: few, equal, collinear, of single precision."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import mixture as peer
from sklearn.exceptions import ConvergenceWarning

from mlwright.mixture import BayesianGaussianMixture, GaussianMixture

PAIRS = [(GaussianMixture, peer.GaussianMixture), (BayesianGaussianMixture, peer.BayesianGaussianMixture)]
FITTED = ["weights_", "means_", "covariances_", "precisions_cholesky_", "lower_bound_"]


@st.composite
def problems(draw):
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, d)) * draw(st.sampled_from([0.5, 3.0])) + draw(st.sampled_from([0.0, 20.0]))
    if d > 1 and draw(st.booleans()):
        X[:, -1] = 1.0 - 2.0 * X[:, 0]
    if draw(st.booleans()):
        X[:, d // 2] = 7.5
    if draw(st.booleans()):
        X = X[rng.integers(0, n, n)]
    settings = {
        "n_components": draw(st.integers(1, min(n, 3))),
        "covariance_type": draw(st.sampled_from(["full", "tied", "diag", "spherical"])),
        "init_params": draw(st.sampled_from(["random", "random_from_data"])),
        "reg_covar": 0.05,
        "max_iter": draw(st.integers(1, 6)),
        "random_state": draw(st.integers(0, 100)),
    }
    return X.astype(draw(st.sampled_from([np.float64, np.float64, np.float32]))), settings


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_fits_and_answers(ours, theirs):
    @given(problems())
    def check(problem):
        X, settings = problem
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            a, b = ours(**settings).fit(X), theirs(**settings).fit(X.astype(np.float64))  # which loses digits else
        rtol = 1e-7 if X.dtype == np.float64 else 1e-4
        for name in FITTED:
            got, want = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))
            np.testing.assert_allclose(
                got, want.reshape(got.shape), rtol=rtol, atol=rtol * max(1.0, np.abs(want).max()), err_msg=name
            )
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=100 * rtol)
        np.testing.assert_allclose(a.score_samples(X), b.score_samples(X), rtol=10 * rtol, atol=10 * rtol)

    check()
