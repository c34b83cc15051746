"""Warnings point to the line that called."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from mlwright import bayes
from mlwright.bayes import BayesianGLM
from mlwright.mixture import BayesianGaussianMixture, GaussianMixture

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 25))
REAL = X[:, 0] + RNG.standard_normal(30)
FEW = {"draws": 4, "random_state": 0}
TREES = {"n_trees": 10, "burn_in": 0, **FEW}


ASKED = [
    (bayes.BayesianLogisticRegression(**FEW), REAL > 0.0),
    (bayes.BayesianPoissonRegressor(**FEW), REAL > 0.0),
    (BayesianGLM(method="nuts", **FEW), REAL),
    (BayesianGLM("gamma", method="laplace", **FEW), np.exp(3.0 * REAL)),
    (bayes.HorseshoeRegressor(warm_up=1, **FEW), REAL),
    (bayes.SpikeSlabRegressor(warm_up=1, **FEW), REAL),
    (bayes.BARTRegressor(**TREES), REAL),
    (bayes.BARTClassifier(**TREES), REAL > 0.0),
    (GaussianMixture(2, max_iter=1, random_state=0), None),
    (BayesianGaussianMixture(n_components=2, max_iter=1, random_state=0), None),
]
WAYS = [
    pytest.param(getattr(clone(model), method), y, id=f"{type(model).__name__}.{method}")
    for model, y in ASKED
    for method in ("fit", "partial_fit", "fit_predict")
    if hasattr(model, method)
]


@pytest.mark.parametrize(("fit", "y"), WAYS)
def test_poor_fits_are_told_of_where_they_were_asked_for(fit, y):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fit(X, y)
    seen = [warning for warning in seen if issubclass(warning.category, ConvergenceWarning)]
    assert seen
    assert {warning.filename for warning in seen} == {__file__}
