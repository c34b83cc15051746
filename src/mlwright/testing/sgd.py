"""Inputs for ``mlwright._kernels.sgd``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.linalg import csr_parts

_NUMBERS = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
_CLASSES = ("hinge", "squared_hinge", "modified_huber", "log_loss")


@st.composite
def _rows(draw, max_rows, density=1.0):
    n, p = draw(st.integers(1, max_rows)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)).astype(draw(st.sampled_from(["float64", "float32"])))
    if draw(st.booleans()):
        X[rng.random((n, p)) < 0.6] = 0.0
        return csr_parts(X, np.dtype(draw(st.sampled_from(["int32", "int64"])))), n, p, rng
    return X, n, p, rng


@st.composite
def rows_and_target(draw):
    X, n, _, rng = draw(_rows(60))
    values = X[2] if isinstance(X, tuple) else X.reshape(-1)
    if len(values) and draw(st.booleans()):
        values[rng.integers(len(values))] = draw(st.sampled_from([np.nan, np.inf, -np.inf, -0.0]))
    return (X, rng.integers(0, 3, n).astype(float)), {"brief": draw(st.booleans())}


@st.composite
def descents(draw):
    X, n, p, rng = draw(_rows(40))
    k, max_iter = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    visits = draw(st.integers(1, 60 // max_iter))
    loss, schedule = (
        draw(st.sampled_from(_NUMBERS + _CLASSES)),
        draw(st.sampled_from(["constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"])),
    )
    if schedule.startswith("pa"):
        loss = draw(st.sampled_from(["hinge", "epsilon_insensitive"]))
    y = rng.standard_normal((k, n))
    y = y if loss in _NUMBERS else np.sign(y)
    l1_ratio, average = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.sampled_from([0, 1, 10]))
    state = (
        rng.standard_normal((k, p)) * 0.1,
        rng.standard_normal(k),
        *((np.zeros((k, p)), np.zeros(k)) if average else (None, None)),
    )
    settings = {
        "loss": loss, "parameter": draw(st.sampled_from([0.0, 0.1, 1.0])), "penalised": draw(st.booleans()),
        "alpha": draw(st.sampled_from([1e-4, 0.3])), "l1_ratio": l1_ratio, "schedule": schedule, "eta0": 0.02,
        "power_t": draw(st.sampled_from([0.5, 0.25])), "t": draw(st.integers(1, 50)), "average": average,
        "fit_intercept": draw(st.booleans()), "shuffle": draw(st.booleans()), "seed": draw(st.integers(0, 2**64 - 1)),
        "max_iter": max_iter, "patience": draw(st.integers(0, 2)), "tol": draw(st.sampled_from([0.0, 0.03])),
    }  # fmt: skip
    weight = None if draw(st.booleans()) else rng.random(visits)
    row, balance = rng.integers(0, n, visits), rng.random((k, 2)) + 0.5
    return (X, y, row, weight, balance, state, settings), {}
