"""A y whose squares leave float64 is refused by name, as no answer would have a noise; one just within is answered."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from mlwright.bayes import (
    BARTRegressor,
    BayesianGLM,
    BayesianLinearRegression,
    HorseshoeRegressor,
    SpikeSlabRegressor,
)
from mlwright.linear_model import ARDRegression, BayesianRidge

X = np.random.default_rng(0).standard_normal((30, 3))
Y = X @ [1.0, 2.0, 0.0] + np.random.default_rng(1).standard_normal(30)


@pytest.mark.parametrize(
    "model",
    [
        BayesianRidge(scale_invariant=True),
        ARDRegression(scale_invariant=True),
        BayesianLinearRegression(),
        SpikeSlabRegressor(random_state=0),
        HorseshoeRegressor(draws=50, warm_up=50, random_state=0),
        BayesianGLM(draws=50, random_state=0),
        BARTRegressor(n_trees=10, burn_in=20, draws=20, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of chains this short
def test_units_of_y(model):
    for unit, words in ((1e-300, "multiply y"), (1e-200, "multiply y"), (1e200, "divide y")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises((ArithmeticError, ValueError), match=f"y: .*; {words} by a constant"):
                clone(model).fit(X, unit * Y)
    usual = np.array(clone(model).fit(X, Y).predict(X, return_std=True))
    for unit in (1e-150, 1e150):
        answers = np.array(clone(model).fit(X, unit * Y).predict(X, return_std=True))
        np.testing.assert_allclose(answers / unit, usual, rtol=1e-5, atol=1e-5)
