"""The state algebra of RidgeClassifierCV: folds by values and labels, scored by squared errors of 1 and -1."""

import copy

import numpy as np
import pytest
from sklearn.base import clone

import mlwright
from mlwright._runtime.errors import ModelFormatError
from mlwright.linear_model import RidgeClassifier, RidgeClassifierCV
from mlwright.linear_model._content_folds import content_keys, fold_numbers

rng = np.random.default_rng(0)
N, ALPHAS, CV = 200, [0.01, 1.0, 30.0], 4
X = rng.standard_normal((N, 4)) + 1.0
CODES = np.argmax(X[:, :3] + rng.standard_normal((N, 3)), axis=1)
WORDS = np.array(["blue", "green", "red"])[CODES]
W = rng.integers(0, 3, N).astype(float)
targets = pytest.mark.parametrize(
    "y",
    [CODES, CODES == 1, WORDS, WORDS == "red", (X[:, :2] > 1.0).astype(int)],
    ids=["numbers", "booleans", "words", "two", "labels"],
)


def model():
    return RidgeClassifierCV(ALPHAS, cv=CV)


def streamed(X, y, w=None, step=60):
    out = model()
    for begin in range(0, len(X), step):
        part = slice(begin, begin + step)
        out.partial_fit(X[part], y[part], sample_weight=None if w is None else w[part])
    return out


def assert_same(got, want):
    assert got.alpha_ == want.alpha_
    np.testing.assert_array_equal(got.classes_, want.classes_)
    np.testing.assert_array_equal(got._class_counts, want._class_counts)
    for name in ("coef_", "intercept_", "best_score_", "objective_"):
        np.testing.assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-8, atol=1e-10)


@targets
def test_batches_are_the_whole_and_models_add_up(y):
    once, order = streamed(X, y, step=N), np.argsort(CODES, kind="stable")  # first batches have not all classes
    assert_same(streamed(X[order], y[order]), once)
    assert_same(model().fit_stream((X[b : b + 40], y[b : b + 40]) for b in range(0, N, 40)), once)
    a, b = streamed(X[:90], y[:90]), streamed(X[90:], y[90:])
    assert_same(copy.deepcopy(a).merge(b), once)
    assert_same(b.merge(a), once)
    assert_same(once.forget(X[90:], y[90:]), a)


@targets
def test_a_weight_is_a_repetition(y):
    times = W.astype(int)
    repeated = streamed(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    weighted = streamed(X, y, W)
    weighted._class_counts = repeated._class_counts  # of rows
    assert_same(weighted, repeated)


@pytest.mark.parametrize("y", [CODES, (CODES == 1).astype(int)], ids=["three", "two"])
def test_the_score_is_the_squared_error_of_rows_left_out(y):
    classes = np.unique(y)
    number = fold_numbers(content_keys(X) + content_keys(y[:, None].astype(float)), CV)
    signs = np.where(y[:, None] == (classes if len(classes) > 2 else classes[1:]), 1.0, -1.0)
    scores = np.empty((len(ALPHAS), CV))
    for i, alpha in enumerate(ALPHAS):
        for k in range(CV):
            train, test = number != k, number == k
            said = RidgeClassifier(alpha).fit(X[train], y[train]).decision_function(X[test])
            scores[i, k] = -np.mean((said.reshape(len(said), -1) - signs[test]) ** 2)
    best = scores.mean(axis=1).argmax()
    got = streamed(X, y)
    assert got.alpha_ == ALPHAS[best]
    np.testing.assert_allclose(got.best_score_, scores.mean(axis=1)[best], rtol=1e-10)
    np.testing.assert_allclose(got.coef_, RidgeClassifier(ALPHAS[best]).fit(X, y).coef_, rtol=1e-9, atol=1e-12)


def test_classes_come_and_go():
    few = WORDS != "red"
    without = streamed(X[few], WORDS[few])
    got = streamed(X[few], WORDS[few]).partial_fit(X[~few], WORDS[~few])
    assert got.classes_.tolist() == ["blue", "green", "red"]
    assert_same(got.forget(X[~few], WORDS[~few]), without)
    declared = model().partial_fit(X[few], WORDS[few], classes=["blue", "green", "red", "white"])
    assert declared.classes_.tolist() == ["blue", "green", "red", "white"]
    assert (declared.coef_[2:] == 0.0).all()
    with pytest.raises(ValueError, match="forget"):
        without.forget(X[~few], WORDS[~few])


def test_model_files_go_on_streaming(tmp_path):
    mlwright.save(streamed(X[:90], WORDS[:90]), tmp_path / "model")
    loaded = mlwright.load(tmp_path / "model").partial_fit(X[90:], WORDS[90:])
    assert_same(loaded, streamed(X, WORDS))
    loaded._fold_counts[0] = None
    with pytest.raises(ModelFormatError, match="not counted for the folds"):
        loaded._validate_state()


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({}, r"got cv=None, .* set cv=5"),
        ({"cv": 3, "scoring": "accuracy"}, "got scoring='accuracy', .* expected None"),
        ({"cv": 3, "class_weight": "balanced"}, "got class_weight='balanced'"),
        ({"cv": 3, "store_cv_results": True}, "got store_cv_results=True"),
    ],
)
def test_what_sums_do_not_tell_is_refused_by_name(parameters, why):
    with pytest.raises(AttributeError, match=f"RidgeClassifierCV.partial_fit: {why}"):
        RidgeClassifierCV(**parameters).partial_fit(X, WORDS)
    with pytest.raises(AttributeError, match="fitted by fit, whose folds go by position"):
        RidgeClassifierCV(cv=3).fit(X, WORDS).partial_fit(X, WORDS)


@pytest.mark.parametrize(
    "classifier", [RidgeClassifier(ALPHAS[1]), model()], ids=["RidgeClassifier", "RidgeClassifierCV"]
)
def test_a_batch_may_lack_classes_that_have_a_weight(classifier):
    weighted = clone(classifier).set_params(class_weight={"blue": 2.0, "red": 3.0})
    few = WORDS != "red"
    got = clone(weighted).partial_fit(X[few], WORDS[few]).partial_fit(X[~few], WORDS[~few])
    want = clone(weighted).partial_fit(X, WORDS)
    by_rows = clone(classifier).partial_fit(X, WORDS, sample_weight=np.array([2.0, 1.0, 3.0])[CODES])
    for other in (got, by_rows):
        np.testing.assert_allclose(other.coef_, want.coef_, rtol=1e-9)
    np.testing.assert_allclose(
        got.forget(X[~few], WORDS[~few]).coef_, clone(weighted).partial_fit(X[few], WORDS[few]).coef_, rtol=1e-9
    )


@pytest.mark.parametrize(
    "classifier", [RidgeClassifier(ALPHAS[1]), model()], ids=["RidgeClassifier", "RidgeClassifierCV"]
)
def test_words_do_not_join_numbers(classifier):
    seen, words = clone(classifier).partial_fit(X, CODES), clone(classifier).partial_fit(X, WORDS)
    for go_on in (lambda: seen.partial_fit(X, WORDS), lambda: seen.merge(words)):
        with pytest.raises(ValueError, match="y: got words for the labels of some rows and numbers"):
            go_on()
        assert seen.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="got words"):
        clone(classifier).partial_fit(X, CODES, classes=["blue"])
