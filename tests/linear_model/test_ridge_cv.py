"""RidgeCV: leave-one-out by leaving out, scikit-learn's choices and scores, folds, bad input."""

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import KFold, ShuffleSplit

from mlwright._runtime import threads
from mlwright.linear_model import Ridge, RidgeCV
from mlwright.testing.linear_model import regressions

ALPHAS = [0.05, 0.7, 9.0]


def left_out(X, y, w, alpha, fit_intercept):
    """Predictions for each row of a Ridge fitted on all others."""
    out = np.empty_like(y)
    for i in range(len(X)):
        others = np.delete(np.arange(len(X)), i)
        model = Ridge(alpha, fit_intercept=fit_intercept).fit(X[others], y[others], None if w is None else w[others])
        out[i] = model.predict(X[i : i + 1])[0]
    return out


def data(n=40, p=6, t=0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.exp(rng.standard_normal(p)) + 2.0
    y = X @ rng.standard_normal((p, max(t, 1))) + rng.standard_normal((n, max(t, 1)))
    return X, y[:, 0] if t == 0 else y, rng.random(n) + 0.2


@pytest.mark.parametrize("shape", [(40, 6), (8, 20), (12, 600), (13, 13)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_leave_one_out_is_leaving_out(shape, fit_intercept, weighted):
    X, y, w = data(*shape)
    w = w if weighted else None
    model = RidgeCV(ALPHAS, fit_intercept=fit_intercept, scoring="neg_mean_squared_error", store_cv_results=True)
    model.fit(X, y, w)
    for k, alpha in enumerate(ALPHAS):
        np.testing.assert_allclose(model.cv_results_[:, k], left_out(X, y, w, alpha, fit_intercept), rtol=1e-7)


@given(regressions(min_rows=3, targets=(0, 1, 3)), st.booleans(), st.booleans())
def test_as_scikit_learn(problem, fit_intercept, per_target):
    if problem.w is not None and (problem.w == 0).any():
        return  # a row of weight zero is 0 / 0 there
    settings = {"fit_intercept": fit_intercept, "store_cv_results": True, "alpha_per_target": per_target}
    ours = RidgeCV(ALPHAS, **settings).fit(problem.X, problem.y, problem.w)
    theirs = peer.RidgeCV(ALPHAS, **settings).fit(problem.X, problem.y, problem.w)
    scale = np.abs(theirs.cv_results_).max()
    np.testing.assert_allclose(ours.cv_results_, theirs.cv_results_, rtol=1e-6, atol=1e-7 * scale + 1e-15)
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-6, atol=1e-15)
    assert np.shape(ours.alpha_) == np.shape(theirs.alpha_)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    refit = Ridge(ours.alpha_, fit_intercept=fit_intercept).fit(problem.X, problem.y, problem.w)
    np.testing.assert_allclose(ours.coef_, refit.coef_, rtol=1e-6, atol=1e-8 * max(1e-8, np.abs(refit.coef_).max()))


@pytest.mark.parametrize("cv", [4, KFold(3, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0)], ids=str)
@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error", "neg_mean_absolute_error"])
@pytest.mark.parametrize("weighted", [True, False])
def test_folds_as_scikit_learn(cv, scoring, weighted):
    X, y, w = data(60, 5)
    w = w if weighted else None
    ours = RidgeCV(ALPHAS, cv=cv, scoring=scoring).fit(X, y, w)
    theirs = peer.RidgeCV(ALPHAS, cv=cv, scoring=scoring).fit(X, y, w)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)


@pytest.mark.parametrize("shape", [(40, 6), (8, 20)])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
def test_scorers_see_weights_as_scikit_learn(shape, scoring):
    X, y, w = data(*shape, t=2)
    ours = RidgeCV(ALPHAS, scoring=scoring).fit(X, y, w)
    theirs = peer.RidgeCV(ALPHAS, scoring=scoring).fit(X, y, w)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-8)


@pytest.mark.parametrize("shape", [(40, 6), (8, 20), (12, 600)])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.coo_array, np.asfortranarray])
def test_forms_of_X(shape, form):
    X, y, w = data(*shape)
    X[np.abs(X - 2.0) < 0.8] = 0.0
    w[1] = 0.0
    one = RidgeCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    other = RidgeCV(ALPHAS, store_cv_results=True).fit(form(X), y, w)
    np.testing.assert_allclose(other.cv_results_, one.cv_results_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 6), (10, 600)])
def test_rows_of_weight_zero_are_predicted_and_count_for_nothing(shape):
    X, y, w = data(*shape)
    w[::4] = 0.0
    settings = {"scoring": "neg_mean_absolute_error", "store_cv_results": True}
    model = RidgeCV(ALPHAS, **settings).fit(X, y, w)
    kept = RidgeCV(ALPHAS, **settings).fit(X[w > 0], y[w > 0], w[w > 0])
    np.testing.assert_allclose(model.cv_results_[w > 0], kept.cv_results_, rtol=1e-8)
    alone = Ridge(ALPHAS[1]).fit(X, y, w).predict(X[w == 0])
    np.testing.assert_allclose(model.cv_results_[w == 0, 1], alone, rtol=1e-8)


def test_columns_of_very_different_scale_are_decomposed_themselves():
    X, y, _ = data(50, 4)
    X *= [1e7, 1.0, 1e-5, 1.0]
    model = RidgeCV([1e-12, 1e-6], scoring="neg_mean_squared_error", store_cv_results=True).fit(X, y)
    np.testing.assert_allclose(model.cv_results_[:, 0], left_out(X, y, None, 1e-12, True), rtol=1e-6)


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_same_bits_for_any_number_of_threads(n_threads):
    X, y, w = data(9000, 12)
    with threads.limit(1):
        one = RidgeCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    with threads.limit(n_threads):
        many = RidgeCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    assert one.cv_results_.tobytes() == many.cv_results_.tobytes()
    assert one.coef_.tobytes() == many.coef_.tobytes()


def test_bad_input():
    X, y, _ = data()
    with pytest.raises(ValueError, match=r"alphas\[1\] == 0"):
        RidgeCV([1.0, 0.0]).fit(X, y)
    with pytest.raises(ValueError, match="expected one number or a vector"):
        RidgeCV([]).fit(X, y)
    with pytest.raises(ValueError, match="expected finite numbers"):
        RidgeCV([1.0, np.inf]).fit(X, y)
    with pytest.raises(ValueError, match="cv!=None and store_cv_results=True are incompatible"):
        RidgeCV(cv=3, store_cv_results=True).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        RidgeCV().fit(np.where(X > 3, np.nan, X), y)
    with pytest.raises(ValueError, match="infinity"):
        RidgeCV().fit(np.hstack([X, np.where(np.ones((40, 600)), np.inf, 0)]), y)
    with pytest.raises(ArithmeticError, match="overflow"):
        RidgeCV().fit(X * 1e200, y)
    with pytest.raises(ValueError, match="1 sample of positive weight, expected at least 2"):
        RidgeCV().fit(X, y, np.eye(len(y))[0])
    assert RidgeCV(fit_intercept=False).fit(X, y, np.eye(len(y))[0]).alpha_ > 0.0  # an empty fit predicts zero
    with pytest.raises(ValueError, match="1 sample"):
        RidgeCV().fit(X[:1], y[:1])
    assert RidgeCV(cv=2, alphas=[0.0, 1.0]).fit(X, y).alpha_ == 0.0
