"""Constraints that hypothesis may not break, whatever the loss, the rules, the rows, and what follows the fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlwright.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)
from mlwright.ensemble._boosting.losses import LOSSES
from mlwright.extend import array_loss

CATEGORICAL = 3  # the column
GROUPS = [[0, 1], [1, CATEGORICAL], [2]]
RULES = (
    {},
    {"subsample": 0.5},
    {"sampling": "goss"},
    {"extra_trees": True},
    {"max_features": 0.5, "colsample_bytree": 0.7},
    {"l1_regularization": 1.0, "l2_regularization": 0.5},
    {"min_child_weight": 2.0},
)
OWN = {
    "own_squared": array_loss(lambda y, raw: (y - raw) ** 2 / 2, lambda y, raw: (raw - y, 1.0)),
    "own_leaves": array_loss(
        lambda y, raw: abs(y - raw),
        lambda y, raw: (np.sign(raw - y), 1.0),
        leaf_step=lambda y, raw, weight: np.average(y - raw, weights=weight),
    ),
}
REGRESSORS = [*LOSSES, *OWN]
every_rule = st.sampled_from(RULES)
seeds = st.integers(0, 2**32 - 1)
continuations = st.sampled_from(["nothing", "partial_fit", "refit", "both"])


def rows(seed, n):
    """Targets that rise and fall with the features at random; ties, missing values, weights and heavy tails."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    X[:, 1] = np.round(X[:, 1])
    X[:, CATEGORICAL] = rng.integers(0, rng.integers(1, 9), n)
    X[rng.random((n, 4)) < rng.choice([0.0, 0.2])] = np.nan
    f = np.nan_to_num(X) @ rng.normal(size=4) + rng.standard_t(2, size=n)
    weight = [None, rng.integers(1, 4, n), rng.uniform(0.1, 3, n)][rng.integers(3)]
    return X, f, weight


def target_for(loss, f):
    if loss in ("poisson", "tweedie"):
        return np.maximum(np.round(np.exp(np.clip(f, -3, 3))), np.arange(len(f)) == 0)
    return np.exp(np.clip(f, -3, 3)) if loss == "gamma" else f


def parameters_for(rules, **more):
    return {
        "max_iter": 6,
        "max_leaf_nodes": 12,
        "min_samples_leaf": 2,
        "learning_rate": 0.5,
        "early_stopping": False,
        "categorical_features": [CATEGORICAL],
        "random_state": 0,
        **rules,
        **more,
    }


def regressor(loss, rules, **more):
    levels = {"quantile": {"quantile": 0.8}, "expectile": {"expectile": 0.3}}.get(loss, {})
    return HistGradientBoostingRegressor(loss=OWN.get(loss, loss), **parameters_for(rules, **levels, **more))


def go_on(model, after, X, y, weight):
    """What may follow a fit, on half of its rows."""
    half = slice(0, max(2, len(y) // 2))
    part = X[half], y[half], None if weight is None else weight[half]
    if after in ("partial_fit", "both"):
        model.partial_fit(*part, n_iter=2)
    if after in ("refit", "both"):
        model.refit_leaves(*part, decay=0.3)


def steps(scores, X, column):
    """How scores of shape (n, ...) change along one feature, all else as in some rows; missing values left out."""
    seen = X[~np.isnan(X[:, column]), column]
    line = np.unique(np.concatenate([seen, [-np.inf, -10.0, 0.0, 10.0, np.inf]]))
    at = np.repeat(X[:8], len(line), axis=0)
    at[:, column] = np.tile(line, len(X[:8]))
    values = np.asarray(scores(at))
    return np.diff(values.reshape(len(X[:8]), len(line), -1), axis=1)


@pytest.mark.parametrize("loss", REGRESSORS)
@settings(max_examples=8)
@given(
    seed=seeds,
    n=st.integers(4, 90),
    rules=every_rule,
    after=continuations,
    signs=st.tuples(*[st.sampled_from([-1, 0, 1])] * 3),
)
def test_scores_of_every_loss_are_monotone(loss, seed, n, rules, after, signs):
    X, f, weight = rows(seed, n)
    y = target_for(loss, f)
    model = regressor(loss, rules, monotonic_cst=[*signs, 0]).fit(X, y, weight)
    go_on(model, after, X, y, weight)
    for column, sign in enumerate(signs):
        assert (sign * steps(model.predict, X, column) >= 0).all()


@settings(max_examples=12)
@given(seed=seeds, n=st.integers(6, 90), rules=every_rule, after=continuations)
def test_two_classes_are_monotone(seed, n, rules, after):
    X, f, weight = rows(seed, n)
    y = f > np.median(f)
    model = HistGradientBoostingClassifier(**parameters_for(rules, monotonic_cst=[1, -1, 0, 0])).fit(X, y, weight)
    go_on(model, after, X, y, weight)
    for scores in (model.decision_function, lambda X: model.predict_proba(X)[:, 1]):
        assert (steps(scores, X, 0) >= 0).all()
        assert (steps(scores, X, 1) <= 0).all()


@settings(max_examples=15)
@given(seed=seeds, n=st.integers(2, 90), rules=every_rule, k=st.integers(1, 5), further=st.booleans())
def test_quantiles_never_cross_and_each_is_monotone(seed, n, rules, k, further):
    X, f, weight = rows(seed, n)
    levels = np.sort(np.random.default_rng(seed).uniform(0.01, 0.99, k))
    model = HistGradientBoostingQuantileRegressor(levels, **parameters_for(rules, monotonic_cst=[1, 0, -1, 0]))
    model.fit(X, f, weight)
    if further:
        model.partial_fit(X[: n // 2 + 1], f[: n // 2 + 1], n_iter=2)
    for stage in (model.predict(X), *model.staged_predict(X)):
        assert (np.diff(stage, axis=1) >= 0).all()
    assert (steps(model.predict, X, 0) >= 0).all()
    assert (steps(model.predict, X, 2) <= 0).all()


def branches(trees):
    """The features of each path from a root to a leaf."""
    for begin, end in zip(trees["offsets"][:-1], trees["offsets"][1:], strict=True):
        feature, left, right = (trees[name][begin:end] for name in ("feature", "left", "right"))
        open_nodes = [(0, frozenset())]
        while open_nodes:
            node, used = open_nodes.pop()
            if feature[node] < 0:
                yield used
                continue
            used = used | {int(feature[node])}
            open_nodes += [(left[node], used), (right[node], used)]


@pytest.mark.parametrize("kind", [*REGRESSORS, "binary", "multinomial", "one_vs_rest", "quantiles", "normal"])
@settings(max_examples=5)
@given(seed=seeds, n=st.integers(6, 90), rules=every_rule, further=st.booleans())
def test_features_meet_in_their_groups_only(kind, seed, n, rules, further):
    X, f, weight = rows(seed, n)
    parameters = parameters_for(rules, interaction_cst=GROUPS)
    y = f
    if kind in ("binary", "multinomial", "one_vs_rest"):
        y = f > np.median(f) if kind == "binary" else np.digitize(f, np.quantile(f, [0.3, 0.7]))
        loss = "one_vs_rest" if kind == "one_vs_rest" else "log_loss"
        model = HistGradientBoostingClassifier(loss=loss, **parameters)
    elif kind == "quantiles":
        model = HistGradientBoostingQuantileRegressor([0.2, 0.8], **parameters)
    elif kind == "normal":
        model = HistGradientBoostingDistributionRegressor(**parameters)
    else:
        y, model = target_for(kind, f), regressor(kind, rules, interaction_cst=GROUPS)
    model.fit(X, y, weight)
    if further:
        model.partial_fit(X, y, weight, n_iter=2)
    groups = [set(group) for group in GROUPS]
    assert all(any(used <= group for group in groups) for used in branches(model._trees))


def test_constraints_that_make_no_sense_are_refused():
    X, f, _ = rows(0, 60)
    with pytest.raises(ValueError, match="not supported for multiclass"):
        HistGradientBoostingClassifier(monotonic_cst=[1, 0, 0, 0]).fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match="Categorical features cannot have monotonic constraints"):
        regressor("squared_error", {}, monotonic_cst=[0, 0, 0, 1]).fit(X, f)
