"""Inputs for ``mlwright._kernels.bart``."""

import numpy as np
from hypothesis import strategies as st

from mlwright._kernels import bart


@st.composite
def small_chains(draw):
    """A few rows, columns of every kind, and one or two short chains."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 14))
    columns = [draw(_column()) for _ in range(draw(st.integers(1, 3)))]
    codes = np.stack([_codes(rng, column, n) for column in columns], axis=1)
    target = np.round(rng.normal(size=n) * 2.0**22).astype(np.int64)
    weighted, is_probit = draw(st.booleans()), draw(st.booleans())
    if is_probit:
        target = np.where(target > 0, 1, -1)
    options = bart.options(
        seed=draw(st.integers(0, 2**64 - 1)),
        n_trees=draw(st.integers(1, 3)),
        tau2=draw(st.sampled_from([0.01, 0.1, 1.0])),
        leaf_freedom=draw(st.sampled_from([0.0, 3.0])),
        lam=0.05,
        sigma2=1.0 if is_probit else 0.02,
        unit=2.0**-20 if is_probit else 2.0**-24,
        is_probit=is_probit,
        offset=0.3 if is_probit else 0.0,
        is_sparse=draw(st.booleans()),
        n_variance_trees=0 if is_probit else draw(st.sampled_from([0, 1, 3])),
        variance_nu=draw(st.sampled_from([0.7, 12.0])),
        variance_lam=draw(st.sampled_from([0.1, 0.7])),
        sigma_is_fixed=draw(st.booleans()),
        weight_unit=0.25 if weighted and not is_probit else 1.0,
        min_weight=draw(st.integers(0, 3)),
        alpha=draw(st.sampled_from([0.5, 0.95])),
        beta=draw(st.sampled_from([0.5, 2.0])),
        max_depth=draw(st.sampled_from([1, 2, 255])),
        chains=draw(st.integers(1, 2)),
        burn_in=draw(st.integers(0, 3)),
        draws=draw(st.integers(1, 4)),
        thin=draw(st.integers(1, 2)),
    )
    weight = rng.integers(1 if is_probit else 0, 9, n) if weighted else np.empty(0, dtype=np.int64)
    weight[:1] += 1  # some of it in all
    return (codes, np.array(columns, dtype=np.int32), target, weight, options), {}


@st.composite
def _column(draw):
    if draw(st.integers(0, 3)) == 0:
        return 0, 0, draw(st.integers(1, 6))
    return draw(st.integers(0, 4)), int(draw(st.booleans())), 0


def _codes(rng, column, n):
    n_cuts, has_missing, n_codes = column
    if n_codes:
        return rng.integers(0, n_codes, n)
    codes = rng.integers(0, n_cuts + 1, n)
    return np.where(rng.random(n) < 0.2, bart.MISSING, codes) if has_missing else codes


@st.composite
def trees_and_codes(draw):
    """Trees that a chain has drawn, and rows to predict, with codes that it has not seen."""
    (codes, columns, target, weight, options), _ = draw(small_chains())
    trees, *_ = bart.run(codes, columns, target, weight, options)
    rng = np.random.default_rng(options["seed"])
    rows = rng.integers(0, 256, (draw(st.sampled_from([1, 5, 70])), len(columns)))
    return (trees, columns, options["n_trees"], rows, draw(st.floats(-2, 2)), draw(st.floats(0.1, 2))), {}
