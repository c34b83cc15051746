"""Ridge classifiers: scikit-learn's answers, exact state algebra with classes that come and go, leave-one-out."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from mlwright._runtime import threads
from mlwright.linear_model import Ridge, RidgeClassifier, RidgeClassifierCV
from mlwright.model_selection import SharedSearchCV

ALPHAS = [0.05, 0.7, 9.0]


def data(n=60, p=5, k=3, seed=0):
    """Rows, labels (words), weights; every class among the first rows."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.exp(rng.standard_normal(p)) + 1.0
    codes = np.argmax(X @ rng.standard_normal((p, k)) + rng.standard_normal((n, k)), axis=1)
    codes[:k] = np.arange(k)
    return X, np.array(["blue", "green", "red", "white"])[codes], rng.random(n) + 0.2


def assert_same_model(a, b, rtol=1e-7):
    assert a.classes_.tolist() == b.classes_.tolist()
    scale = max(np.abs(b.coef_).max(), 1e-3)
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(a.intercept_, b.intercept_, rtol=rtol, atol=rtol * scale * 10)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    "settings",
    [{}, {"fit_intercept": False}, {"class_weight": {"blue": 3.0}}, {"solver": "svd"}, {"positive": True}],
    ids=str,
)
def test_as_scikit_learn(k, weighted, settings):
    X, y, w = data(k=k)
    w = w if weighted else None
    ours = RidgeClassifier(0.3, **settings).fit(X, y, w)
    theirs = peer.RidgeClassifier(0.3, tol=1e-8, max_iter=10_000, **settings).fit(X, y, w)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    assert_same_model(ours, theirs, rtol=1e-3 if "positive" in settings else 1e-7)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-3)
    assert ours.predict(X).dtype.kind == theirs.predict(X).dtype.kind
    assert (ours.predict(X) == theirs.predict(X)).mean() > (0.9 if "positive" in settings else 0.999)


def test_balanced_classes_and_several_labels_as_scikit_learn():
    X, y, _ = data()
    settings = {"class_weight": "balanced"}
    assert_same_model(RidgeClassifier(**settings).fit(X, y), peer.RidgeClassifier(**settings).fit(X, y))
    labels = (X[:, :3] > 1.0).astype(int)
    ours, theirs = RidgeClassifier().fit(X, labels), peer.RidgeClassifier().fit(X, labels)
    assert_same_model(ours, theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(RidgeClassifier().fit(X, sparse.csr_array(labels)).coef_, ours.coef_)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"red": 2.0}])
def test_a_weight_is_a_repetition(class_weight):
    X, y, _ = data()
    w = np.random.default_rng(1).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), w)
    weighted = RidgeClassifier(class_weight=class_weight).fit(X, y, w.astype(float))
    assert_same_model(weighted, RidgeClassifier(class_weight=class_weight).fit(X[again], y[again]))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(10, 50), st.booleans())
def test_state_algebra_with_classes_that_come_and_go(seed, k, cut, sort):
    X, y, w = data(k=k, seed=seed)
    if sort:  # so that the two parts differ in their classes
        order = np.argsort(y, kind="stable")
        X, y, w = X[order], y[order], w[order]
    first, second = (X[:cut], y[:cut], w[:cut]), (X[cut:], y[cut:], w[cut:])
    whole = RidgeClassifier(0.5).fit(X, y, w)

    def on(part):
        return RidgeClassifier(0.5).fit(*part)

    assert_same_model(on(first).partial_fit(*second[:2], sample_weight=second[2]), whole)
    assert_same_model(on(second).merge(on(first)), whole)
    assert_same_model(RidgeClassifier(0.5).fit(X, y, w).forget(*second), on(first), rtol=1e-6)


def test_classes_named_beforehand_stay():
    X, y, _ = data()
    model = RidgeClassifier().partial_fit(X, y, classes=["blue", "green", "red", "white"])
    assert model.classes_.tolist() == ["blue", "green", "red", "white"]
    np.testing.assert_allclose(model.decision_function(X)[:, 3], -1.0)
    np.testing.assert_array_equal(model.predict(X), RidgeClassifier().fit(X, y).predict(X))
    model.forget(X[:10], y[:10])
    assert model.classes_.tolist() == ["blue", "green", "red", "white"]


def test_several_labels_add_up():
    X, _, _ = data()
    labels = (X[:, :2] > 1.0).astype(int)
    half = RidgeClassifier().fit(X[:30], labels[:30])
    assert_same_model(half.partial_fit(X[30:], labels[30:]), RidgeClassifier().fit(X, labels))
    with pytest.raises(ValueError, match="got 3 labels a row, expected 2 labels a row"):
        half.partial_fit(X, (X[:, :3] > 1.0).astype(int))


def test_several_labels_are_balanced_as_in_scikit_learn():
    X, _, _ = data()
    labels = (X[:, :3] > 1.0).astype(int)
    balanced = RidgeClassifier(class_weight="balanced").fit(X, labels)
    assert_same_model(balanced, peer.RidgeClassifier(class_weight="balanced").fit(X, labels))
    w = np.random.default_rng(1).integers(0, 4, len(X))
    again = np.repeat(np.arange(len(X)), w)
    weighted = RidgeClassifier(class_weight="balanced").fit(X, labels, w.astype(float))
    assert_same_model(weighted, RidgeClassifier(class_weight="balanced").fit(X[again], labels[again]))


@pytest.mark.parametrize("class_weight", ["balanced", {"red": 2.0, "blue": 3.0}])
def test_a_class_of_weight_zero_is_not_there(class_weight):
    X, y, _ = data()
    there = y != "green"
    weighted = RidgeClassifier(class_weight=class_weight).fit(X, y, there.astype(float))
    without = RidgeClassifier(class_weight=class_weight).fit(X[there], y[there])
    np.testing.assert_array_equal(weighted.predict(X[there]), without.predict(X[there]))


def test_what_cannot_be_exact_is_refused():
    X, y, _ = data()
    balanced = RidgeClassifier(class_weight="balanced").fit(X, y)
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial_fit"):
        balanced.partial_fit(X, y)
    with pytest.raises(ValueError, match="'balanced' is not supported for merge"):
        balanced.merge(balanced)
    with pytest.raises(ValueError, match="none of the classes that the model was fitted on"):
        RidgeClassifier().fit(X, y).forget(X[:2], ["pink", "blue"])


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("shape", [(40, 6), (14, 20)])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_leave_one_out_as_scikit_learn(k, shape, class_weight):
    X, y, _ = data(*shape, k=k)
    settings = {"alphas": ALPHAS, "store_cv_results": True, "class_weight": class_weight}
    ours, theirs = RidgeClassifierCV(**settings).fit(X, y), peer.RidgeClassifierCV(**settings).fit(X, y)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-9)
    np.testing.assert_allclose(ours.cv_results_, theirs.cv_results_, rtol=1e-6, atol=1e-9)
    assert_same_model(ours, theirs)


@pytest.mark.parametrize("k", [2, 3])
def test_leave_one_out_scored_by_classes_is_leaving_out(k):
    X, y, _ = data(k=k)
    model = RidgeClassifierCV(ALPHAS, scoring="accuracy", store_cv_results=True).fit(X, y)
    right = np.zeros(len(ALPHAS))
    for i in range(len(y)):
        others = np.delete(np.arange(len(y)), i)
        for a, alpha in enumerate(ALPHAS):
            right[a] += RidgeClassifier(alpha).fit(X[others], y[others]).predict(X[i : i + 1])[0] == y[i]
    assert model.best_score_ == pytest.approx(right.max() / len(y))
    assert model.alpha_ == ALPHAS[int(right.argmax())]


@pytest.mark.parametrize("cv", [3, ShuffleSplit(4, random_state=0)], ids=str)
@pytest.mark.parametrize("scoring", [None, "f1_macro"])
@pytest.mark.parametrize("k", [2, 3])
def test_folds_as_scikit_learn(cv, scoring, k):
    X, y, w = data(90, k=k)
    settings = {"alphas": ALPHAS, "cv": cv, "scoring": scoring}
    w = w if cv == 3 else None
    ours, theirs = RidgeClassifierCV(**settings).fit(X, y, w), peer.RidgeClassifierCV(**settings).fit(X, y, w)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-12)
    assert_same_model(ours, theirs)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc_ovr", "f1_macro"])
def test_a_shared_search_has_the_scores_of_separate_fits(form, scoring, monkeypatch):
    X, y, _ = data(90)
    X = form(X * (X > 0.5))
    if scoring == "roc_auc_ovr":
        y, scoring = y == "red", "roc_auc"
    theirs = GridSearchCV(RidgeClassifier(), {"alpha": ALPHAS}, cv=4, scoring=scoring).fit(X, y)
    monkeypatch.setattr(RidgeClassifier, "_fit_rows", None)  # no fit but the last, and that by sums
    ours = SharedSearchCV(RidgeClassifier(), {"alpha": ALPHAS}, cv=4, scoring=scoring).fit(X, y)
    for name in ("mean_test_score", "std_test_score", "rank_test_score"):
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name])


def test_a_fold_without_a_class_is_fitted_by_itself():
    X, y, _ = data(60)
    order = np.argsort(y, kind="stable")
    splits = [(order[:40], order[40:]), (order[20:], order[:20])]
    settings = {"alphas": ALPHAS, "cv": splits}
    ours, theirs = RidgeClassifierCV(**settings).fit(X, y), peer.RidgeClassifierCV(**settings).fit(X, y)
    assert ours.best_score_ == theirs.best_score_


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_same_bits_for_any_number_of_threads(n_threads):
    X, y, w = data(6000, 12)
    with threads.limit(1):
        one = RidgeClassifier().fit(X, y, w), RidgeClassifierCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    with threads.limit(n_threads):
        many = RidgeClassifier().fit(X, y, w), RidgeClassifierCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    for a, b in zip(one, many, strict=True):
        assert a.coef_.tobytes() == b.coef_.tobytes()
    assert one[1].cv_results_.tobytes() == many[1].cv_results_.tobytes()


def test_forms_of_X_give_one_answer():
    X, y, w = data(200, 8)
    X[np.abs(X) < 0.5] = 0.0
    plain = RidgeClassifier().fit(X, y, w)
    for other in (np.asfortranarray(X), sparse.csc_array(X), np.repeat(X, 2, axis=1)[:, ::2]):
        assert_same_model(RidgeClassifier().fit(other, y, w), plain, rtol=1e-10)
    narrow = RidgeClassifier().fit(X.astype(np.float32), y, w)
    assert narrow.coef_.dtype == narrow.decision_function(X.astype(np.float32)).dtype == np.float32


def test_bad_input():
    X, y, _ = data()
    with pytest.raises(ValueError, match="Unknown label type"):
        RidgeClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="NaN"):
        RidgeClassifier().fit(X, np.where(y == "red", np.nan, 1.0))
    with pytest.raises(ValueError, match="NaN"):
        RidgeClassifierCV(cv=3).fit(np.where(X > 2.0, np.nan, X), y)
    with pytest.raises(ValueError, match="several labels each"):
        RidgeClassifier(class_weight={0: 2.0}).fit(X, (X > 1).astype(int))
    with pytest.raises(ValueError, match="number of penalties do not correspond: 2 != 3"):
        RidgeClassifier(alpha=[1.0, 2.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"alphas == 0"):
        RidgeClassifierCV([0.0]).fit(X, y)
    model = Ridge().fit(X, X[:, 0])
    with warnings.catch_warnings(), pytest.raises(TypeError, match="expected a fitted RidgeClassifier"):
        RidgeClassifier().fit(X, y).merge(model)
