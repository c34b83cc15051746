"""LogisticRegressionCV: scikit-learn's scores, choices and shapes, also through the dual."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from sklearn.model_selection import StratifiedKFold

from mlwright.linear_model import LogisticRegression, LogisticRegressionCV


def table(n, p, n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 1.0
    score = (X[:, :3] - 1.0) @ rng.standard_normal((3, n_classes)) + rng.gumbel(size=(n, n_classes))
    return X, score.argmax(axis=1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("n", "p"), [(240, 6), (80, 700)])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_scores_are_scikit_learns(n, p, n_classes, scoring):
    X, y = table(n, p, n_classes)
    cv = StratifiedKFold(3)
    common = {"Cs": [1e-3, 1e-2, 0.1], "cv": cv, "scoring": scoring or "accuracy", "use_legacy_attributes": False}
    theirs = peer.LogisticRegressionCV(l1_ratios=(0,), tol=1e-8, max_iter=10000, **common).fit(X, y)
    ours = LogisticRegressionCV(tol=1e-6, **(common | {"scoring": scoring})).fit(X, y)
    np.testing.assert_allclose(ours.scores_, theirs.scores_, atol=1e-4)
    np.testing.assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-3)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert ours.C_ == theirs.C_
    assert ours.converged_


def test_legacy_shapes():
    X, y = table(120, 4, 3)
    model = LogisticRegressionCV(Cs=4, cv=2).fit(X, y)
    assert model.scores_[0].shape == (2, 4)
    assert model.coefs_paths_[2].shape == (2, 4, 5)
    assert model.n_iter_.shape == (1, 2, 4)
    assert model.C_.shape == model.l1_ratio_.shape == (3,)
    mixed = LogisticRegressionCV(Cs=2, cv=2, l1_ratios=[0.0, 0.5]).fit(X, y == 0)
    assert mixed.scores_[True].shape == (2, 2, 2)
    assert mixed.C_.shape == (1,)


def test_without_refit_the_folds_are_averaged():
    X, y = table(120, 4, 2)
    model = LogisticRegressionCV(Cs=[0.1], cv=2, refit=False).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], model.coefs_paths_[1][:, 0, :-1].mean(axis=0))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_dual_has_the_primal_optimum(fit_intercept, n_classes):
    X, y = table(60, 400, n_classes)
    w = np.random.default_rng(1).integers(0, 3, 60)
    settings = {"C": 0.05, "fit_intercept": fit_intercept, "tol": 1e-7}
    dual = LogisticRegression(**settings).fit(X, y, w)
    theirs = peer.LogisticRegression(C=0.05, fit_intercept=fit_intercept, tol=1e-9, max_iter=10000).fit(X, y, w)
    np.testing.assert_allclose(dual.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(dual.intercept_, theirs.intercept_, atol=1e-3)


def test_a_fold_without_a_class_is_named():
    X, y = table(40, 3, 2)
    with pytest.raises(ValueError, match="fold 0 have no row of class"):
        LogisticRegressionCV(cv=[(np.flatnonzero(y == 0), np.flatnonzero(y == 1))]).fit(X, y)
