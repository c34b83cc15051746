"""The same answers as scikit-learn, on rows and kernels that hypothesis makes up."""

from functools import reduce
from operator import add, mul

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor as Peer
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, RationalQuadratic, WhiteKernel

from mlwright.gaussian_process import GaussianProcessRegressor


@st.composite
def problems(draw):
    """Few rows, some of them equal, constant columns and targets, single precision; a sum of products of kernels."""
    n, d = draw(st.integers(1, 25)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, d)) + draw(st.sampled_from([0.0, 50.0]))
    if draw(st.booleans()):
        X[:, 0] = 3.0
    if draw(st.booleans()):
        X = X[rng.integers(0, n, n)]
    y = rng.standard_normal((n, 2)) if draw(st.integers(0, 3)) == 0 else X.sum(axis=1) + rng.standard_normal(n)
    if draw(st.integers(0, 5)) == 0:
        y = np.full(n, 2.5)
    scale = draw(st.sampled_from([0.3, 2.0]))
    parts = [RBF(scale), RBF(np.full(d, scale)), Matern(scale, nu=0.5), Matern(scale, nu=1.5), Matern(scale, nu=2.5)]
    parts += [RationalQuadratic(scale, 0.7), ConstantKernel(scale), DotProduct(scale)]
    terms = draw(st.lists(st.lists(st.sampled_from(parts), min_size=1, max_size=2), min_size=1, max_size=2))
    kernel = reduce(add, [reduce(mul, term) for term in terms]) + WhiteKernel(draw(st.sampled_from([0.05, 1.0])))
    dtype = draw(st.sampled_from([np.float64, np.float64, np.float32]))
    return X.astype(dtype), y, kernel, draw(st.booleans())


@given(problems())
def test_likelihood_and_predictions(problem):
    X, y, kernel, normalize = problem
    how = {"optimizer": None, "alpha": 1e-3, "normalize_y": normalize}
    ours, theirs = (cls(kernel, **how).fit(X, y) for cls in (GaussianProcessRegressor, Peer))
    rough = 1.0 if X.dtype == np.float64 else 1e4
    value, slope = ours.log_marginal_likelihood(kernel.theta, eval_gradient=True)
    want, wanted = theirs.log_marginal_likelihood(kernel.theta, eval_gradient=True)
    np.testing.assert_allclose(value, want, rtol=1e-8 * rough)
    np.testing.assert_allclose(slope, wanted, rtol=1e-6 * rough, atol=1e-6 * rough * np.abs(wanted).max(initial=1.0))
    new = np.vstack([X[:3], X[:2] + 0.7])
    for a, b in zip(ours.predict(new, return_std=True), theirs.predict(new, return_std=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6 * rough, atol=1e-7 * rough * np.abs(b).max(initial=1.0))
