"""Inputs for ``mlwright._kernels.mixture``."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def _rows(draw):
    n, d, k = draw(st.integers(0, 700)), draw(st.integers(1, 9)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    means = 2.0 * rng.standard_normal((k, d))
    X = rng.standard_normal((n, d)) + means[rng.integers(0, k, n)]
    w = None if draw(st.booleans()) else rng.integers(0, 4, n).astype(float)
    return rng, X, w, means


@st.composite
def rows_and_components(draw):
    rng, X, w, means = draw(_rows())
    k, d = means.shape
    covariance = draw(st.sampled_from(["full", "tied", "diagonal"]))
    triangles = np.triu(0.3 * rng.standard_normal((k, d, d))) + np.eye(d)
    factors = {"full": triangles, "tied": triangles[0], "diagonal": rng.uniform(0.2, 3.0, (k, d))}[covariance]
    wants = {"moments": draw(st.booleans()), "rows": draw(st.booleans())}
    return (X, w, covariance, means, factors, rng.standard_normal(k)), wants


@st.composite
def rows_and_responsibilities(draw):
    rng, X, w, means = draw(_rows())
    responsibility = rng.dirichlet(np.full(len(means), 0.3), len(X))
    covariance = draw(st.sampled_from(["full", "tied", "diagonal"]))
    return (X, w, responsibility, covariance, means), {}
