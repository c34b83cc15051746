"""A warm start goes on with the model that stands: with its features, levels, classes and loss, or not at all."""

import numpy as np
import pandas as pd
import pytest

from mlwright.ensemble import (
    BinnedData,
    HistGradientBoostingClassifier,
    HistGradientBoostingDistributionRegressor,
    HistGradientBoostingQuantileRegressor,
    HistGradientBoostingRegressor,
)

FEW = {"max_iter": 5, "random_state": 0, "min_samples_leaf": 5}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
Y = X[:, 0] - X[:, 1] * X[:, 2]
THREE = np.digitize(Y, [-0.5, 0.5])


def going_on(model, **parameters):
    return model.set_params(warm_start=True, max_iter=10, **parameters)


def refused(model, message, *rows):
    """The fit is refused, and the model is as it was."""
    before, trees = model.predict(X), model._trees
    with pytest.raises(ValueError, match=message):
        model.fit(*rows)
    assert model._trees is trees
    assert np.array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    "cls",
    [
        HistGradientBoostingClassifier,
        HistGradientBoostingDistributionRegressor,
        HistGradientBoostingQuantileRegressor,
        HistGradientBoostingRegressor,
    ],
)
def test_no_further_iteration_changes_nothing(cls):
    model = cls(**FEW, warm_start=True)
    if cls is HistGradientBoostingQuantileRegressor:
        model.set_params(quantiles=[0.1, 0.5, 0.9])
    y = THREE if cls is HistGradientBoostingClassifier else Y
    before = model.fit(X, y)._raw_predict(X)
    assert np.array_equal(model.fit(X, y)._raw_predict(X), before)


@pytest.mark.parametrize("binned", [False, True])
@pytest.mark.parametrize("n_features", [3, 5])
def test_another_number_of_features_is_refused(n_features, binned):
    further = np.column_stack([X, Y])[:, :n_features]
    model = going_on(HistGradientBoostingRegressor(**FEW).fit(X, Y))
    refused(model, f"X has {n_features} features, but", BinnedData(further) if binned else further, Y)


def test_other_names_of_features_are_refused():
    table = pd.DataFrame(X, columns=list("abcd"))
    model = going_on(HistGradientBoostingRegressor(**FEW).fit(table, Y))
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(table.rename(columns={"a": "e"}), Y)
    assert model.fit(table, Y).n_iter_ == 10


def test_classes_are_those_of_the_first_fit():
    model = going_on(HistGradientBoostingClassifier(**FEW).fit(X, THREE))
    refused(model, r"y: got classes that the model does not have: \[9\]", X, np.where(THREE == 1, 9, THREE))
    some = THREE != 1
    model.fit(X[some], THREE[some])
    assert (model.classes_.tolist(), model.n_iter_, model.predict_proba(X).shape) == ([0, 1, 2], 10, (200, 3))
    two = going_on(HistGradientBoostingClassifier(**FEW).fit(X, THREE > 1))
    refused(two, "y: got classes that the model does not have", X, THREE)


def test_a_loss_of_another_link_is_refused():
    model = going_on(HistGradientBoostingRegressor(**FEW).fit(X, np.exp(Y)), loss="poisson")
    message = "got one of link 'log', expected one of link 'identity' as before"
    refused(model, message, X, np.exp(Y))
    for method in (model.partial_fit, model.refit_leaves):
        with pytest.raises(ValueError, match=message):
            method(X, np.exp(Y))
    assert model.set_params(loss="absolute_error").fit(X, np.exp(Y)).n_iter_ == 10


def test_a_classifier_keeps_the_loss_it_was_fitted_with():
    model = HistGradientBoostingClassifier(**FEW).fit(X, THREE)
    before = model.predict_proba(X)
    going_on(model, loss="one_vs_rest")
    assert np.array_equal(model.predict_proba(X), before)
    refused(model, "loss: got 'one_vs_rest', expected 'log_loss' as before", X, THREE)
    two = going_on(HistGradientBoostingClassifier(**FEW).fit(X, THREE > 1), loss="one_vs_rest")
    assert two.fit(X, THREE > 1).n_iter_ == 10
