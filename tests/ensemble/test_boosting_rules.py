"""Laws of the rules that boosting has beyond scikit-learn's: samples of rows and columns, random cuts, limits, L1."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import mlwright
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.reference.tree_sampling import draw_by_gradient, draw_rows

SMALL = {"max_iter": 6, "min_samples_leaf": 3, "max_leaf_nodes": 8, "random_state": 0}
SAMPLED = [
    {"subsample": 0.5},
    {"subsample": 0.3, "subsample_freq": 3},
    {"sampling": "goss"},
    {"colsample_bytree": 0.4},
    {"extra_trees": True},
    {"l1_regularization": 2.0},
]


def problem(n=400, p=5, kind="regression", seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[rng.random((n, p)) < 0.1] = np.nan
    f = 2 * np.nan_to_num(X[:, 0]) + np.sin(3 * np.nan_to_num(X[:, 1])) + np.isnan(X[:, 2])
    if kind == "regression":
        return X, f + 0.3 * rng.normal(size=n)
    return X, np.digitize(f + rng.logistic(size=n), [0.0] if kind == "binary" else [-1.0, 1.0])


def model_for(kind, **parameters):
    cls = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return cls(**{**SMALL, **parameters})


def bits(model, X):
    return model._raw_predict(X).tobytes(), *(array.tobytes() for array in model._trees.values())


def leaves_of(trees, tree, X):
    """Which node of a tree each row ends in."""
    begin = trees["offsets"][tree]
    at = np.zeros(len(X), dtype=int)
    while (inner := trees["feature"][begin + at] >= 0).any():
        node = begin + at[inner]
        x = X[inner, trees["feature"][node]]
        left = np.where(np.isnan(x), trees["missing_left"][node] == 1, x <= trees["threshold"][node])
        at[inner] = np.where(left, trees["left"][node], trees["right"][node])
    return at


@pytest.mark.parametrize("kind", ["regression", "multiclass"])
@pytest.mark.parametrize(
    "neutral",
    [
        {"subsample": 1.0, "subsample_freq": 5},
        {"colsample_bytree": 1.0},
        {"sampling": "goss", "top_rate": 0.25, "other_rate": 0.75},
        {"sampling": "goss", "top_rate": 1.0, "other_rate": 0.0},
        {"l1_regularization": 0},
        {"max_leaves": 8},
        {"max_leaf_nodes": 31, "max_leaves": 8},
    ],
)
def test_neutral_values_change_nothing(kind, neutral):
    X, y = problem(kind=kind)
    assert bits(model_for(kind, **neutral).fit(X, y), X) == bits(model_for(kind).fit(X, y), X)


@pytest.mark.parametrize("kind", ["regression", "multiclass"])
@pytest.mark.parametrize("rules", SAMPLED)
def test_same_bits_for_any_number_of_threads_and_only_for_the_same_seed(kind, rules):
    X, y = problem(20_000, 5, kind)
    fits = []
    try:
        for n_threads in (1, 2, 3, 8):
            mlwright.set_num_threads(n_threads)
            fits.append(bits(model_for(kind, max_iter=3, **rules).fit(X, y), X))
    finally:
        mlwright.set_num_threads(None)
    assert len(set(fits)) == 1
    assert fits[0] != bits(model_for(kind, max_iter=3).fit(X, y), X)
    if "l1_regularization" not in rules:
        assert fits[0] != bits(model_for(kind, max_iter=3, **rules | {"random_state": 1}).fit(X, y), X)


@pytest.mark.parametrize("rules", SAMPLED)
def test_a_warm_start_goes_on_with_the_same_draws(rules):
    X, y = problem(kind="multiclass")
    at_once = model_for("multiclass", **rules).fit(X, y)
    bit_by_bit = model_for("multiclass", **rules, warm_start=True).set_params(max_iter=2).fit(X, y)
    bit_by_bit.set_params(max_iter=SMALL["max_iter"]).fit(X, y)
    assert bits(bit_by_bit, X) == bits(at_once, X)


@pytest.mark.parametrize("rules", SAMPLED)
def test_rows_of_weight_zero_are_not_there(rules):
    X, y = problem()
    kept = np.random.default_rng(0).random(len(y)) < 0.8
    weighted = model_for("regression", **rules).fit(X, y, kept.astype(float))
    assert bits(weighted, X) == bits(model_for("regression", **rules).fit(X[kept], y[kept], np.ones(kept.sum())), X)


@pytest.mark.parametrize(
    ("rules", "n_in"),
    [({"subsample": 0.37}, 148), ({"sampling": "goss", "top_rate": 0.101, "other_rate": 0.2}, 41 + 80), ({}, 400)],
)
def test_trees_count_the_rows_they_are_grown_on(rules, n_in):
    X, y = problem()
    trees = model_for("regression", **rules).fit(X, y)._trees
    assert_array_equal(trees["count"][trees["offsets"][:-1]], n_in)
    leaf = trees["feature"] < 0
    assert_array_equal(np.add.reduceat(np.where(leaf, trees["count"], 0), trees["offsets"][:-1]), n_in)
    assert trees["count"].min() >= SMALL["min_samples_leaf"]


def test_rows_outside_the_sample_are_scored_too():
    """The loss that the fit reports is that of all rows at the model's predictions."""
    X, y = problem()
    model = model_for("regression", subsample=0.3, early_stopping=True, validation_fraction=None, tol=0).fit(X, y)
    stages = [-np.mean((y - stage) ** 2) / 2 for stage in model.staged_predict(X)]
    np.testing.assert_allclose(model.train_score_[1:], stages, rtol=1e-12)


@pytest.mark.parametrize("least", [0.0, 2.5, 20.0])
def test_min_child_weight_holds_in_every_leaf(least):
    X, y = problem(kind="binary")
    model = model_for("binary", min_child_weight=least, min_samples_leaf=1, max_leaf_nodes=None).fit(X, y)
    raw = np.full(len(y), model._start[0])
    sizes = []
    for tree, stage in enumerate(model.staged_decision_function(X)):
        p = 1 / (1 + np.exp(-raw))
        sums = np.bincount(leaves_of(model._trees, tree, X), weights=p * (1 - p))
        sizes += sums[sums > 0].tolist()
        raw = stage
    assert min(sizes) >= least * (1 - 1e-9)
    assert min(sizes) < 2 * least + 1


@pytest.mark.parametrize("l2", [0.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_l1_is_a_soft_threshold_of_every_leaf(l2, weighted):
    X, y = problem()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else np.ones(len(y))
    model = model_for("regression", max_iter=1, l1_regularization=8.0, l2_regularization=l2, max_leaf_nodes=30)
    model.fit(X, y, weight if weighted else None)
    leaf = leaves_of(model._trees, 0, X)
    g = np.bincount(leaf, weights=weight * (model._start[0] - y))
    h = np.bincount(leaf, weights=weight)
    value = -0.1 * np.sign(g) * np.maximum(np.abs(g) - 8.0, 0) / np.maximum(h + l2, 1e-300)
    reached = np.unique(leaf)
    np.testing.assert_allclose(model._trees["value"][reached], value[reached], rtol=1e-10, atol=1e-14)


def test_a_large_l1_leaves_nothing_to_fit():
    X, y = problem()
    for penalty in (1e5, 1e300):
        model = model_for("regression", l1_regularization=penalty).fit(X, y)
        assert_array_equal(model.predict(X), np.full(len(y), model._start[0]))


def test_monotone_constraints_hold_with_every_rule():
    X, y = problem(600)
    rows = np.repeat(X[:40], 30, axis=0)
    rows[:, 0] = np.tile(np.linspace(-4, 4, 30), 40)
    for rules in SAMPLED:
        model = model_for("regression", monotonic_cst=[-1, 0, 0, 0, 0], max_iter=30, **rules).fit(X, y)
        assert (np.diff(model.predict(rows).reshape(40, 30), axis=1) <= 0).all()


def test_a_tree_uses_no_more_than_its_share_of_the_features():
    X, y = problem(800, 10)
    model = model_for("regression", colsample_bytree=0.25, max_iter=30).fit(X, y)
    used = [
        set(model._trees["feature"][begin:end]) - {-1}
        for begin, end in zip(model._trees["offsets"][:-1], model._trees["offsets"][1:], strict=True)
    ]
    assert max(map(len, used)) <= 3
    assert set().union(*used) == set(range(10))


def test_random_cuts_lie_within_their_node():
    X, y = problem(600, 3)
    model = model_for("regression", extra_trees=True, max_iter=1, max_leaf_nodes=40, min_samples_leaf=1).fit(X, y)
    trees, rows = model._trees, {0: np.arange(len(y))}
    for node, feature in enumerate(trees["feature"]):
        if feature < 0:
            continue
        x = X[rows[node], feature]
        left = np.where(np.isnan(x), trees["missing_left"][node] == 1, x <= trees["threshold"][node])
        assert left.any()
        assert not left.all()
        rows[trees["left"][node]], rows[trees["right"][node]] = rows[node][left], rows[node][~left]


def test_every_row_is_drawn_equally_often():
    drawn = np.sum([draw_rows(50, 0.3, 1, 7, iteration) for iteration in range(400)], axis=0)
    assert drawn.sum() == 400 * 15
    assert np.abs(drawn - 120).max() < 5 * math.sqrt(400 * 0.3 * 0.7)


def test_the_share_drawn_is_exact_across_strata():
    for n in (1, 4095, 4096, 4097, 10_000):
        assert draw_rows(n, 0.4, 1, 0, 0).sum() == math.ceil(0.4 * n)


def test_goss_keeps_the_largest_and_the_expectation_of_the_others():
    g = np.random.default_rng(0).standard_cauchy(300)
    total = 0
    for tree in range(300):
        top, others, factor = draw_by_gradient(g, 0.2, 0.1, 3, tree)
        assert top.sum() == 60
        assert np.abs(g[top]).min() >= np.abs(g[~top]).max()
        assert (others.sum(), factor) == (30, 8.0)
        assert not (top & others).any()
        total += factor * g[others].sum()
    assert abs(total / 300 - g[~top].sum()) < 5 * 8 * np.abs(g[~top]).max() * math.sqrt(30 / 300)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_leaves": 9, "max_leaf_nodes": 8}, "max_leaves: got 9 beside max_leaf_nodes=8"),
        ({"sampling": "goss", "subsample": 0.5}, "subsample: got 0.5 with sampling='goss'"),
        ({"sampling": "goss", "top_rate": 0.9, "other_rate": 0.2}, "top_rate, other_rate: got 0.9 and 0.2"),
        ({"sampling": "goss", "top_rate": 0.0, "other_rate": 0.0}, "whose sum is above 0"),
        ({"subsample": 0.0}, "'subsample' parameter"),
        ({"colsample_bytree": 1.5}, "'colsample_bytree' parameter"),
        ({"min_child_weight": -1}, "'min_child_weight' parameter"),
        ({"l1_regularization": -1}, "'l1_regularization' parameter"),
    ],
)
def test_rules_that_contradict_are_refused_by_name(parameters, message):
    X, y = problem(100)
    with pytest.raises(ValueError, match=message):
        model_for("regression", **parameters).fit(X, y)


@pytest.mark.parametrize("rules", SAMPLED)
@pytest.mark.parametrize("n", [1, 2])
def test_one_and_two_rows(rules, n):
    model = HistGradientBoostingRegressor(min_samples_leaf=1, max_iter=3, **rules)
    assert np.isfinite(model.fit(np.arange(n)[:, None], np.arange(float(n))).predict([[0.0]])).all()
