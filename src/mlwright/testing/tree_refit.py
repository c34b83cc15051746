"""Inputs for ``mlwright._kernels.tree_refit``."""

from hypothesis import strategies as st

from mlwright._kernels.tree import LossSpec, tree_rules
from mlwright.testing.forest import plain, random_forest
from mlwright.testing.tree import _matrix


@st.composite
def trees_and_new_rows(draw):
    x, rng = draw(_matrix(max_rows=60, kinds=("normal", "few", "missing")))
    loss = draw(st.sampled_from(("squared_error", "log_loss")))
    k = draw(st.sampled_from((1, 3))) if loss == "log_loss" else 1
    n = len(x)
    y = rng.normal(size=n) if loss == "squared_error" else rng.integers(0, max(2, k), n).astype(float)
    rules = tree_rules(
        learning_rate=draw(st.sampled_from((0.1, 1.0))),
        l2_regularization=draw(st.sampled_from((0.0, 1.0))),
        l1_regularization=draw(st.sampled_from((0.0, 0.1))),
        monotonic=rng.integers(-1, 2, x.shape[1]) if draw(st.booleans()) else (),
    )
    weight = draw(st.sampled_from((None, rng.integers(1, 4, n).astype(float), rng.uniform(0.5, 2, n))))
    trees = plain(random_forest(rng, k * draw(st.integers(0, 3)), x.shape[1], rules=(0,)))
    return (
        x,
        y,
        weight,
        LossSpec(loss, k),
        rules,
        trees,
        rng.normal(size=k),
        draw(st.sampled_from((0.0, 0.9, 1.0))),
    ), {}
