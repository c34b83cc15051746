"""Inputs for ``mlwright._kernels.gp``."""

import numpy as np
from hypothesis import strategies as st

from mlwright._kernels.gp import Program

_ATOMS = ("constant", "white", "rbf", "matern12", "matern32", "matern52", "rational_quadratic")


@st.composite
def programs(draw, d):
    """A covariance function of d columns: one to four functions, joined in a drawn order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, depth, left = [], 0, draw(st.integers(1, 4))
    while left or depth > 1:
        if depth > 1 and (not left or rng.random() < 0.5):
            steps.append((str(rng.choice(["add", "multiply"])), 0))
            depth -= 1
            continue
        name = draw(st.sampled_from(_ATOMS))
        by_column = name in ("rbf", "matern12", "matern32", "matern52") and draw(st.booleans())
        steps.append((name, d if by_column else 2 if name == "rational_quadratic" else 1))
        depth, left = depth + 1, left - 1
    return Program(tuple(steps), rng.uniform(0.3, 3.0, sum(n for _, n in steps)))


@st.composite
def _rows(draw, most=300):
    n, d = draw(st.integers(1, most)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, d))
    if draw(st.booleans()):
        X = np.round(X)  # rows that are equal
    return rng, X


@st.composite
def program_and_rows(draw):
    rng, X = draw(_rows())
    return (draw(programs(X.shape[1])), X, rng.uniform(0.0, 1.0, len(X))), {}


@st.composite
def program_and_two_sets(draw):
    rng, X = draw(_rows())
    same = draw(st.booleans())
    Z = X if same else rng.standard_normal((draw(st.integers(1, 300)), X.shape[1]))
    return (draw(programs(X.shape[1])), X, Z), {"same": same}


@st.composite
def program_and_weights(draw):
    rng, X = draw(_rows(most=150))
    n, weights = len(X), rng.standard_normal((len(X), draw(st.integers(1, 3))))
    return (draw(programs(X.shape[1])), X, rng.standard_normal((n, n)), weights), {}
