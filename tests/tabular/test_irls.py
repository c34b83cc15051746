"""IRLSClassifier is logistic regression: the gradient of the penalised likelihood is zero at what it finds."""

import numpy as np
import pytest

from mlwright.tabular import BaselineRegressor, IRLSClassifier
from mlwright.tabular._models import BayesianRidge, Ridge


def problem(n=300, p=4, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    scores = X @ rng.normal(size=(p, n_classes)) + rng.gumbel(size=(n, n_classes))
    return X, scores.argmax(axis=1)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 30.0])
def test_gradient_vanishes(alpha):
    X, y = problem()
    model = IRLSClassifier(Ridge(alpha=alpha), tol=0.0).fit(X, y)
    p = model.predict_proba(X)[:, 1]
    coef = np.ravel(model.regressors_[0].coef_)
    np.testing.assert_allclose(X.T @ (y - p) - alpha * coef, 0.0, atol=1e-5)
    assert (y - p).sum() == pytest.approx(0.0, abs=1e-5)


def test_classes_against_the_rest():
    X, y = problem(n_classes=3)
    labels = np.array(["a", "b", "c"], dtype=object)[y]
    model = IRLSClassifier().fit(X, labels)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert (model.predict(X) == model.classes_[p.argmax(axis=1)]).all()
    assert (model.predict(X) == labels).mean() > 0.6


def test_bayesian_probabilities_are_moderated():
    """Of few rows, the posterior is wide, and the same eta is worth less than under the point estimate."""
    X, y = problem(n=30)
    model = IRLSClassifier(BayesianRidge()).fit(X, y)
    eta = model.regressors_[0].predict(10 * X)
    p = model.predict_proba(10 * X)[:, 1]
    plain = 1 / (1 + np.exp(-eta))
    assert (np.abs(p - 0.5) < np.abs(plain - 0.5)).all()
    assert ((p > 0.5) == (plain > 0.5)).all()


def test_evidence_shrinks_what_is_noise():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(200, 20)), rng.integers(0, 2, 200)
    p = IRLSClassifier(BayesianRidge()).fit(X, y).predict_proba(X)[:, 1]
    assert np.abs(p - y.mean()).max() < 0.15


def test_separable_classes_end():
    X = np.linspace(-1, 1, 20)[:, None]
    model = IRLSClassifier(Ridge(alpha=1e-6)).fit(X, X[:, 0] > 0)
    assert np.isfinite(model.predict_proba(X)).all()
    assert (model.predict(X) == (X[:, 0] > 0)).all()


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="needs at least two classes, got 1 class: 3; add rows of another"):
        IRLSClassifier().fit([[1.0], [2.0]], [3, 3])


def test_a_classifier_inside_is_refused():
    X, y = problem()
    with pytest.raises(ValueError, match="regressor: got IRLSClassifier, expected a regressor such as Ridge"):
        IRLSClassifier(IRLSClassifier()).fit(X, y)


def test_a_baseline_of_words_is_refused():
    with pytest.raises(ValueError, match="type <U1, expected numbers; for classes use BaselineClassifier"):
        BaselineRegressor().fit([[1.0], [2.0]], ["a", "b"])
