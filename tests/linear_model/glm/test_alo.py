"""Approximate leave-one-out of logistic regression beside fits without each row."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import log_loss

import mlwright
from mlwright.linear_model import LogisticRegression, LogisticRegressionCV


def table(n, p, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-1, 2, p) + 1.0
    score = ((X - X.mean(axis=0)) / X.std(axis=0))[:, :3] @ rng.standard_normal((3, n_classes))
    return X, (score + rng.gumbel(size=score.shape)).argmax(axis=1)


def one_by_one(X, y, w, rows, **settings):
    out = []
    for i in rows:
        rest = np.arange(len(y)) != i
        model = LogisticRegression(tol=1e-6, max_iter=1000, **settings)
        model.fit(X[rest], y[rest], None if w is None else w[rest])
        out.append(model.decision_function(X[i : i + 1])[0])
    return centred(np.array(out))


def centred(scores):
    """Scores of several classes matter by their differences."""
    return scores if scores.ndim == 1 else scores - scores.mean(axis=1, keepdims=True)


def rms(values):
    return np.sqrt(np.mean(values**2))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_close_to_fits_without_each_row(n_classes, l1_ratio, weighted):
    X, y = table(90, 6, n_classes)
    w = np.random.default_rng(1).integers(0, 3, 90).astype(float) if weighted else None
    settings = {"C": 0.3, "l1_ratio": l1_ratio}
    chosen = {"Cs": [0.3], "l1_ratios": [l1_ratio], "tol": 1e-6, "max_iter": 1000}
    model = LogisticRegressionCV(cv="alo", **chosen).fit(X, y, w)
    guess, full = centred(model.loo_decision_function_), centred(model.decision_function(X))
    moved = np.abs(guess - full).reshape(90, -1).max(axis=1)
    rows = np.argsort(-moved)[:20]  # also rows whose support changes, not only the ten that are refitted
    exact = one_by_one(X, y, w, rows, **settings)
    error = guess[rows] - exact
    assert rms(error) < (0.15 if l1_ratio == 0.0 else 0.4) * rms(exact - full[rows])
    assert 0.3 * np.abs(error).max() < model.alo_error_ < 1.1 * np.abs(error).max()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_more_columns_than_rows(n_classes):
    X, y = table(40, 600, n_classes)
    rows = np.arange(0, 40, 3)
    exact = one_by_one(X, y, None, rows, C=1e-3)
    model = LogisticRegressionCV(Cs=[1e-3], cv="alo", tol=1e-6).fit(X, y)
    guess, full = centred(model.loo_decision_function_), centred(model.decision_function(X))
    assert rms(guess[rows] - exact) < 0.1 * rms(exact - full[rows])


def test_chooses_by_what_leaving_out_says(tmp_path):
    X, y = table(80, 12, 2)
    Cs = [1e-3, 0.1, 1.0]
    model = LogisticRegressionCV(Cs=Cs, cv="alo", scoring="neg_log_loss", use_legacy_attributes=False).fit(X, y)
    assert model.scores_.shape == (1, 1, 3)
    best = []
    for C in Cs:
        p = 1.0 / (1.0 + np.exp(-one_by_one(X, y, None, range(80), C=C)))
        best.append(-log_loss(y, p))
    np.testing.assert_allclose(model.scores_[0, 0], best, rtol=0.03)
    assert best[Cs.index(model.C_)] >= 1.03 * max(best)
    sparse_one = LogisticRegressionCV(Cs=Cs, cv="alo", scoring="neg_log_loss").fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(sparse_one.loo_decision_function_, model.loo_decision_function_, rtol=1e-4)
    mlwright.save(model, tmp_path / "m.mlw")
    np.testing.assert_array_equal(
        mlwright.load(tmp_path / "m.mlw").loo_decision_function_, model.loo_decision_function_
    )
    assert not hasattr(model.set_params(cv=3).fit(X, y), "alo_error_")


def test_refusals(monkeypatch):
    X, y = table(60, 6, 2)
    with pytest.raises(ValueError, match="'cv' parameter"):
        LogisticRegressionCV(cv="loo").fit(X, y)
    monkeypatch.setattr("mlwright.linear_model._glm._alo.MOST_PARAMETERS", 5)
    with pytest.raises(ValueError, match="7 coefficients are not zero"):
        LogisticRegressionCV(cv="alo").fit(X, y)
