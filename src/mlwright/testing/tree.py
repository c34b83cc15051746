"""Inputs for ``mlwright._kernels.tree``."""

import numpy as np
from hypothesis import strategies as st

from mlwright._kernels.tree import LossSpec
from mlwright.reference.loss import LOSSES
from mlwright.testing.arrays import LAYOUTS, with_layout
from mlwright.testing.loss import PARAMETERS, targets

_BOOSTED_LOSSES = ("squared_error", "absolute_error", "quantile", "huber", "poisson")
_KINDS = ("normal", "few", "constant", "huge", "infinite", "missing", "heavy")


def _column(rng, n, kind):
    """One feature of a kind that breaks binning in its own way."""
    x = rng.normal(size=n)
    if kind == "few":
        x = rng.integers(-2, 3, n).astype(float)
    elif kind == "constant":
        x = np.full(n, 1.5)
    elif kind == "huge":
        x = x * 1e300
    elif kind == "heavy":
        x = rng.standard_cauchy(n)
    elif kind == "infinite":
        x[rng.random(n) < 0.2] = np.inf
        x[rng.random(n) < 0.2] = -np.inf
    elif kind == "missing":
        x[rng.random(n) < 0.3] = np.nan
    return x


@st.composite
def _matrix(draw, max_rows=80, max_features=5, kinds=_KINDS, dtypes=("float64", "float32")):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_rows))
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=max_features))
    x = np.stack([_column(rng, n, kind) for kind in chosen], axis=1)
    with np.errstate(over="ignore"):
        x = x.astype(draw(st.sampled_from(dtypes)))
    return with_layout(x, draw(st.sampled_from(LAYOUTS))), rng


@st.composite
def _weight(draw, rng, n):
    kind = draw(st.sampled_from(("none", "integers", "reals")))
    if kind == "none":
        return None
    return rng.integers(1, 4, n).astype(float) if kind == "integers" else rng.uniform(0.5, 2.0, n)


@st.composite
def columns(draw):
    x, rng = draw(_matrix())
    weight = draw(_weight(rng, len(x)))
    if weight is not None and (weight != np.floor(weight)).any():
        weight = None  # real weights: where cumulative sums meet a quantile to the last bit is rounding
    return (x,), {"weight": weight, "max_bins": draw(st.integers(2, 40))}


@st.composite
def _binned(draw):
    from mlwright.reference.tree_bins import find_thresholds

    x, rng = draw(_matrix())
    values, offsets = find_thresholds(x, max_bins=draw(st.integers(2, 20)))
    return x, values, offsets, rng


@st.composite
def columns_and_thresholds(draw):
    return draw(_binned())[:3], {}


@st.composite
def codes_and_integers(draw):
    x, values, offsets, rng = draw(_binned())
    rows = np.sort(rng.choice(len(x), rng.integers(0, len(x) + 1), replace=False))
    g = rng.integers(-(2**40), 2**40, len(x))
    return (x, values, offsets, rows, g, rng.integers(0, 2**30, len(x))), {}


@st.composite
def _rules_beyond(draw):
    """Some of the rules that scikit-learn does not have."""
    rows = st.sampled_from(
        (
            {},
            {"subsample": 0.6},
            {"subsample": 0.3, "subsample_freq": 2},
            {"sampling": "goss", "top_rate": 0.3, "other_rate": 0.3},
            {"sampling": "goss", "top_rate": 0.0, "other_rate": 0.5},
        )
    )
    return draw(rows) | {
        "l1_regularization": draw(st.sampled_from((0.0, 0.3))),
        "min_child_weight": draw(st.sampled_from((1e-3, 2.0))),
        "colsample_bytree": draw(st.sampled_from((1.0, 0.5))),
        "max_features": draw(st.sampled_from((1.0, 0.5))),
        "extra_trees": draw(st.booleans()),
        "seed": draw(st.integers(0, 3)),
    }


@st.composite
def codes_and_small_integers(draw):
    """Integers that packed rows hold, at their limits too; rows more than once, so that there are several blocks."""
    x, values, offsets, rng = draw(_binned())
    rows = rng.choice(len(x), draw(st.sampled_from((0, 1, len(x), 4095, 9000, 70_000))))
    ones = draw(st.booleans())
    most = 2**30 if ones else 2**15
    sign = draw(st.sampled_from((-1, 0, 1)))
    g = np.full(len(x), sign * most) if sign else rng.integers(-most, most + 1, len(x))
    h = None if ones else rng.integers(draw(st.sampled_from((0, 2**12))), 2**12 + 1, len(x))
    return (x, values, offsets, rows, g, h), {}


@st.composite
def boosting_problem(draw):
    x, rng = draw(_matrix(max_rows=60, max_features=3, kinds=("normal", "few", "constant", "infinite", "missing")))
    n = len(x)
    loss = draw(st.sampled_from(("log_loss", "one_vs_rest", *_BOOSTED_LOSSES)))
    of_classes = loss in ("log_loss", "one_vs_rest")
    n_outputs = draw(st.sampled_from((1, 3))) if of_classes else 1
    y = rng.integers(0, max(2, n_outputs), n).astype(float) if of_classes else targets(rng, loss, n)
    if (of_classes and len(np.unique(y)) < max(2, n_outputs)) or (loss == "poisson" and not y.any()):
        loss, n_outputs = "squared_error", 1
        y = rng.normal(size=n)
    rules = {
        "max_leaf_nodes": draw(st.sampled_from((2, 4, 8, None))),
        "max_depth": draw(st.sampled_from((None, 1, 3))),
        "min_samples_leaf": draw(st.integers(1, 8)),
        "l2_regularization": draw(st.sampled_from((0.0, 1.0))),
    }
    if draw(st.booleans()):
        rules["monotonic"] = rng.integers(-1, 2, x.shape[1]).tolist()
    if draw(st.booleans()):
        rules["interaction"] = [[j] for j in range(x.shape[1])]
    if draw(st.booleans()):
        rules["categorical"] = rng.integers(0, 2, x.shape[1]).tolist()
        if "monotonic" in rules:
            rules["monotonic"] = [0 if c else m for c, m in zip(rules["categorical"], rules["monotonic"], strict=True)]
    rules |= draw(_rules_beyond())
    weight = draw(_weight(rng, n))
    # Real weights meet real quantiles only by rounding: enough bins for every distinct value.
    max_bins = draw(st.integers(3, 20)) if weight is None else 255
    loss_rules = {"loss": loss, "n_outputs": n_outputs, "parameter": PARAMETERS.get(loss, (0.0,))[0]}
    return (x, y), {"weight": weight, **loss_rules, "max_bins": max_bins, **rules}


@st.composite
def scores(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return (
        rng.normal(scale=draw(st.sampled_from((1.0, 30.0))), size=(draw(st.integers(1, 4)), draw(st.integers(1, 50)))),
    ), {}


@st.composite
def scored_targets(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    name = draw(st.sampled_from((*sorted(LOSSES), "log_loss", "one_vs_rest")))
    of_classes = name in ("log_loss", "one_vs_rest")
    n, k = draw(st.integers(1, 50)), draw(st.integers(1, 4)) if of_classes else 1
    y = rng.integers(0, max(2, k), n).astype(float) if of_classes else targets(rng, name, n)
    weight = rng.uniform(0.5, 2, n) if draw(st.booleans()) else None
    parameter = draw(st.sampled_from(PARAMETERS.get(name, (0.0,))))
    return (LossSpec(name, k, parameter=parameter), y, rng.normal(size=(k, n))), {"weight": weight}
