"""Inputs for ``mlwright._kernels.loss``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.reference.loss import LOSSES

#: A parameter for every loss that has one.
PARAMETERS = {"huber": (0.3, 2.0), "quantile": (0.1, 0.5, 0.95), "expectile": (0.2, 0.5), "tweedie": (1.1, 1.5, 1.9)}


def targets(rng, name, n):
    """Targets in the domain of a loss: continuous, or some of them tied."""
    tied = rng.random() < 0.5
    if name == "binary_log_loss":
        return rng.integers(0, 2, n).astype(float) if tied else rng.random(n)
    y = rng.integers(-3, 4, n).astype(float) if tied else rng.normal(size=n)
    if name == "gamma":
        return np.exp(y)
    return np.abs(y) if name in ("poisson", "tweedie") else y


@st.composite
def _loss(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    name = draw(st.sampled_from(sorted(LOSSES)))
    return name, draw(st.sampled_from(PARAMETERS.get(name, (0.0,)))), draw(st.integers(1, 60)), rng


@st.composite
def scored(draw):
    name, parameter, n, rng = draw(_loss())
    y = targets(rng, name, n)
    raw = rng.normal(scale=draw(st.sampled_from((0.5, 5.0))), size=n)
    if draw(st.booleans()):
        raw = np.rint(raw)  # scores that meet targets
    return (name, y, raw), {"parameter": parameter}


@st.composite
def weighted_targets(draw):
    name, parameter, n, rng = draw(_loss())
    y = targets(rng, name, n)
    if name in ("poisson", "tweedie"):
        y[0] = 1.0  # not all of them zero
    weight = draw(st.sampled_from((None, rng.integers(1, 4, n).astype(float), rng.uniform(0.5, 2, n))))
    return (name, y), {"weight": weight, "parameter": parameter}


@st.composite
def any_targets(draw):
    name, _, n, rng = draw(_loss())
    y = targets(rng, name, n)
    y[rng.random(n) < 0.1] = draw(st.sampled_from((-1.0, 0.0, np.nan, np.inf, 2.0)))
    return (name, y), {}


@st.composite
def weighted_values(draw):
    _, _, n, rng = draw(_loss())
    y = rng.integers(-3, 4, n).astype(float) if draw(st.booleans()) else rng.normal(size=n)
    return (y, rng.integers(1, 4, n).astype(float), draw(st.sampled_from((0.0, 0.25, 0.5, 0.9, 1.0)))), {}
