"""Inputs for ``mlwright._kernels.block_descent``: well-posed, so that there is one answer."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def block_problems(draw):
    p, t, m, k = (draw(st.integers(1, high)) for high in (7, 3, 2, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((m, 3 * p + 4, p)) * np.exp(rng.normal(0, 0.5, p))
    if p > 1 and draw(st.booleans()):
        X[:, :, p // 2] = 0.0  # a column without spread
    which = rng.integers(0, m, k)
    Y = X[which] @ rng.standard_normal((k, p, t)) + rng.standard_normal((k, 3 * p + 4, t))
    linear = np.swapaxes(Y, 1, 2) @ X[which]
    member = rng.permutation(p)
    cuts = np.arange(1, p) if draw(st.booleans()) else np.flatnonzero(rng.random(p - 1) < 0.5) + 1
    starts = np.concatenate([[0], cuts, [p]])
    steps, n_groups = draw(st.integers(1, 2)), len(starts) - 1
    top = np.abs(linear).max(axis=(1, 2))[:, None] * np.sort(rng.random((k, steps)), axis=1)[:, ::-1] + 1e-3
    share, ridge = draw(st.sampled_from([0.0, 0.4, 1.0])), draw(st.sampled_from([0.0, 0.3]))
    strengths = (share * top, (1.0 - share) * top, ridge * top)
    weights = (rng.random(p) + 0.2, rng.random(n_groups) + 0.2, rng.random(n_groups) + 0.2)
    options = {"tol": 1e-15, "violation": 1e-13, "max_iter": 100_000}
    if draw(st.booleans()):
        options["start"] = rng.standard_normal(linear.shape)
    if draw(st.booleans()):  # bounds that are met: none, zero, or near
        options["low"], options["high"] = (
            side * rng.choice([np.inf, 0.0, 1.0], p) * np.exp(rng.normal(-1.5, 1.0, p)) for side in (-1.0, 1.0)
        )
    gram = np.swapaxes(X, 1, 2) @ X
    return (gram, which, linear, (Y * Y).sum(axis=(1, 2)), (starts, member), strengths, weights), options
