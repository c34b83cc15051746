"""Inputs for ``mlwright._kernels.forest``."""

import numpy as np
from hypothesis import strategies as st

from mlwright.testing.arrays import LAYOUTS, with_layout

_KINDS = ("normal", "few", "zeros", "huge", "infinite", "missing", "categories", "float32_ties")


def _column(rng, n, kind):
    """One feature of a kind that a rule treats in its own way."""
    x = rng.normal(size=n)
    if kind == "few":
        x = rng.integers(-2, 3, n).astype(float)
    elif kind == "zeros":
        x *= rng.choice([0.0, -0.0, 1e-36, 1e-34, 1.0], n)
    elif kind == "huge":
        x *= 1e300
    elif kind == "infinite":
        x[rng.random(n) < 0.3] = np.inf
        x[rng.random(n) < 0.3] = -np.inf
    elif kind == "missing":
        x[rng.random(n) < 0.4] = np.nan
    elif kind == "categories":
        x = rng.choice([*range(-3, 70), 0.5, -0.5, 63.9, 1e9, 1e300, np.inf, -np.inf, np.nan], n)
    elif kind == "float32_ties":
        x = np.float32(x).astype(float) * (1 + rng.integers(-1, 2, n) * 2.0**-40)
    return x


def _shape(rng, n_inner):
    """left and right of a tree grown at random leaves, in the order of growth; -1 at leaves."""
    left, right = np.full(2 * n_inner + 1, -1), np.full(2 * n_inner + 1, -1)
    leaves = [0]
    for i in range(n_inner):
        node = leaves.pop(int(rng.integers(len(leaves))))
        left[node], right[node] = 2 * i + 1, 2 * i + 2
        leaves += [2 * i + 1, 2 * i + 2]
    return left, right


def random_sets(rng, n_sets):
    """``set_offsets`` and ``set_words`` of sets of up to three words, empty ones among them."""
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 4, n_sets))]).astype(np.int64)
    return {"set_offsets": offsets, "set_words": rng.integers(0, 2**32, offsets[-1], dtype=np.uint32)}


def random_forest(rng, n_trees, n_features, max_inner=7, n_outputs=None, rules=(0, 1, 2), values=None):
    """A forest of random shape with all arrays, optional ones included.

    ``n_outputs`` gives vector leaves; ``values`` (an array) is what thresholds are drawn from, so that rows meet them
    exactly.
    """
    shapes = [_shape(rng, int(rng.integers(0, max_inner + 1))) for _ in range(n_trees)]
    sizes = [len(left) for left, _ in shapes]
    n, n_sets = sum(sizes), int(rng.integers(1, 4))
    left, right = (np.concatenate([shape[side] for shape in shapes] or [[]]).astype(np.int32) for side in (0, 1))
    inner = left >= 0
    feature = np.where(inner, rng.integers(0, n_features, n), -1).astype(np.int32)
    rule = np.where(inner, rng.choice(rules, n), 0).astype(np.uint8)
    threshold = rng.normal(size=n)
    if values is not None and np.size(values):
        threshold = np.where(rng.random(n) < 0.7, rng.choice(np.ravel(values), n), threshold)
    return {
        "feature": feature,
        "threshold": np.where(np.isnan(threshold), 0.0, threshold),
        "left": left,
        "right": right,
        "missing_left": rng.integers(0, 2, n).astype(np.uint8),
        "value": rng.normal(size=n if n_outputs is None else (n, n_outputs)),
        "gain": rng.random(n),
        "count": rng.integers(1, 100, n),
        "offsets": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        "rule": rule,
        "category_set": np.where(rule == 2, rng.integers(0, n_sets, n), -1).astype(np.int32),
        "cover": rng.random(n),
        **random_sets(rng, n_sets),
    }


def plain(trees):
    """The same dict without what may be absent; for forests of numeric rules."""
    optional = ("rule", "category_set", "set_offsets", "set_words", "cover")
    return {name: array for name, array in trees.items() if name not in optional}


@st.composite
def forests_and_rows(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.sampled_from((1, 2, 7, 40, 70, 130)))
    kinds = draw(st.lists(st.sampled_from(_KINDS), min_size=1, max_size=5))
    x = np.stack([_column(rng, n, kind) for kind in kinds], axis=1)
    n_outputs = draw(st.integers(1, 3))
    vector = draw(st.booleans())
    n_trees = draw(st.integers(0, 4)) * (1 if vector else n_outputs)
    rules = draw(st.sampled_from(((0,), (0, 1), (0, 1, 2))))
    trees = random_forest(
        rng, n_trees, x.shape[1], draw(st.sampled_from((0, 3, 30))), n_outputs if vector else None, rules, x
    )
    if rules == (0,) and draw(st.booleans()):
        trees = plain(trees)
    with np.errstate(over="ignore"):
        x = with_layout(x.astype(draw(st.sampled_from(("float64", "float32")))), draw(st.sampled_from(LAYOUTS)))
    how = {
        "input_dtype": draw(st.sampled_from(("float64", "float32"))),
        "sum_dtype": draw(st.sampled_from(("float64", "float32"))),
        "divide_by": draw(st.sampled_from((1.0, 3.0))),
    }
    return (x, trees, rng.normal(size=n_outputs)), how


@st.composite
def checked_forests(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_outputs = draw(st.sampled_from((None, 2)))
    return (random_forest(rng, draw(st.integers(0, 5)), 3, n_outputs=n_outputs), 3), {}
