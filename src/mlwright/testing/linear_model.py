"""Regression problems as users bring them: collinear, constant, badly scaled columns, weights, few rows."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout


@dataclass(frozen=True)
class Regression:
    X: np.ndarray
    y: np.ndarray
    w: np.ndarray | None

    def rows(self, at):
        return self.X[at], self.y[at], None if self.w is None else self.w[at]


@st.composite
def regressions(draw, max_rows=60, max_columns=12, min_rows=1, targets=(0,), dtypes=("float64",), deficient=True):
    """A regression problem; targets 0 is a vector y."""
    n, p = draw(st.integers(min_rows, max_rows)), draw(st.integers(1, max_columns))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.standard_normal((n, p)) * np.exp(rng.normal(0, draw(st.sampled_from([0.0, 1.0])), p))
    X += draw(st.sampled_from([0.0, 3.0, 100.0]))
    if deficient and p > 1 and draw(st.booleans()):
        X[:, -1] = X[:, 0] * 2.0 - 1.0  # collinear, exactly so up to rounding
    if deficient and draw(st.booleans()):
        X[:, p // 2] = 7.5  # constant
    t = draw(st.sampled_from(targets))
    y = X @ rng.standard_normal((p, max(t, 1))) + rng.standard_normal((n, max(t, 1)))
    if deficient and draw(st.integers(0, 9)) == 0:
        y[:] = 2.5
    kind = draw(st.sampled_from(["none", "positive", "with zeros"]))
    w = None if kind == "none" else rng.random(n) + 0.5
    if kind == "with zeros":
        w[rng.random(n) < 0.3] = 0.0
        w[0] = 1.0
    X = with_layout(X.astype(draw(st.sampled_from(dtypes))), draw(st.sampled_from(LAYOUTS)))
    return Regression(X, y[:, 0] if t == 0 else y, w)
