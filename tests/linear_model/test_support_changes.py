"""The error of approximate leave-one-out shows rows that change the support, in problems where many do."""

import numpy as np
import pytest
from scipy import sparse

from mlwright.linear_model import ElasticNet, ElasticNetCV, LogisticRegression, LogisticRegressionCV
from mlwright.linear_model._support_changes import most_doubtful

TIGHT = {"tol": 1e-10, "max_iter": 50_000}


def table(seed, n, p):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-1, 2, p) + 1.0
    return X, (X - 1.0)[:, :5] / X.std(axis=0)[:5] @ [2.0, -1.0, 1.0, 0.5, 0.5] + rng.standard_normal(n)


def one_by_one(model, X, y, w=None):
    """Predictions and coefficients (n, p) of fits without each row."""
    predictions, coef = [], []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        model.fit(X[rest], y[rest], None if w is None else w[rest])
        answer = model.decision_function if hasattr(model, "decision_function") else model.predict
        predictions.append(answer(X[i : i + 1])[0])
        coef.append(np.array(model.coef_))
    return np.array(predictions), np.array(coef)


@pytest.fixture
def seen(monkeypatch):
    """What rows are chosen by: how far they moved, and what they are predicted to miss."""
    kept = {}

    def spy(moved, missed, count):
        kept.update(moved=moved, missed=missed)
        return most_doubtful(moved, missed, count)

    for name in ("_sparse.leave_one_out", "_glm._alo"):
        monkeypatch.setattr(f"mlwright.linear_model.{name}.most_doubtful", spy)
    return kept


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_exact_where_one_coefficient_enters_or_leaves(seen, positive, fit_intercept, weighted, form):
    w = np.random.default_rng(3).integers(0, 3, 60).astype(float) if weighted else None
    settings = TIGHT | {"positive": positive, "fit_intercept": fit_intercept}
    close = []
    for seed in range(4):
        X, y = table(seed, 60, 15)
        model = ElasticNetCV(l1_ratio=1.0, alphas=[0.2], cv="alo", **settings).fit(form(X), y, w)
        exact, coef = one_by_one(ElasticNet(0.2, l1_ratio=1.0, **settings), X, y, w)
        changes = ((coef != 0.0) != (model.coef_ != 0.0)).sum(axis=1)
        error = np.abs(model.loo_predictions_ - exact)
        own = (np.ones(60) if w is None else w) > 0.0
        own &= ~(coef * model.coef_ < 0.0).any(axis=1)  # a sign that turns is told, but not how far it goes
        np.testing.assert_allclose(error[own & (changes == 0)], 0.0, atol=1e-6)
        single = own & (changes == 1)
        close.extend(np.isclose(seen["missed"][single], error[single], rtol=1e-3, atol=1e-6))
    assert len(close) >= 20
    assert np.mean(close) > 0.85  # others are predicted to change more than the one coefficient that does


def test_near_with_a_ridge_part(seen):
    """Of which the row's share is not in the formula."""
    X, y = table(4, 80, 15)
    model = ElasticNetCV(l1_ratio=0.5, alphas=[0.2], cv="alo", **TIGHT).fit(X, y)
    exact, coef = one_by_one(ElasticNet(0.2, l1_ratio=0.5, **TIGHT), X, y)
    single = ((coef != 0.0) != (model.coef_ != 0.0)).sum(axis=1) == 1
    error = np.abs(model.loo_predictions_ - exact)
    assert single.sum() >= 5
    assert np.corrcoef(seen["missed"][single], error[single])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("n", "p", "alpha", "ratio", "positive"),
    [(60, 50, 0.05, 1.0, True), (60, 60, 0.05, 0.5, False), (60, 120, 0.1, 1.0, False)],
)
def test_the_estimate_of_the_error_is_honest(seen, n, p, alpha, ratio, positive):
    share, by_move = [], []
    for seed in range(20):
        X, y = table(seed, n, p)
        settings = TIGHT | {"positive": positive, "tol": 1e-8}
        model = ElasticNetCV(l1_ratio=ratio, alphas=[alpha], cv="alo", **settings).fit(X / X.std(axis=0), y)
        exact, _ = one_by_one(ElasticNet(alpha, l1_ratio=ratio, **settings), X / X.std(axis=0), y)
        error = np.abs(model.loo_predictions_ - exact)
        share.append(model.alo_error_ / error.max())
        by_move.append(error[np.argsort(-seen["moved"])[:10]].max() / error.max())
    assert np.mean(np.array(share) > 0.9) >= 0.95
    assert min(by_move) < 0.8  # the rows that moved most do not show it


@pytest.mark.parametrize(("C", "ratio", "n_classes"), [(0.5, 1.0, 2), (1.0, 0.5, 2), (0.5, 1.0, 3)])
def test_the_estimate_is_honest_of_classes(seen, C, ratio, n_classes):
    share = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((70, 50))
        scores = 1.5 * X[:, :4] @ rng.standard_normal((4, n_classes))
        y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        settings = {"tol": 1e-6, "max_iter": 2000}
        model = LogisticRegressionCV(Cs=[C], l1_ratios=[ratio], cv="alo", **settings).fit(X, y)
        exact, _ = one_by_one(LogisticRegression(C=C, l1_ratio=ratio, **settings), X, y)
        error = model.loo_decision_function_ - exact
        if n_classes > 2:
            error = error - error.mean(axis=1, keepdims=True)
        error = np.abs(error).reshape(70, -1).max(axis=1)
        share.append(model.alo_error_ / error.max())
        assert np.corrcoef(seen["missed"], error)[0, 1] > 0.5
    assert min(share) > 0.8


def test_rows_are_chosen_from_both_ends():
    moved, missed = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.5]), np.array([0.0, 0.0, 0.0, 0.1, 0.0, 0.9])
    assert most_doubtful(moved, missed, 4) == [0, 1, 5, 3]
    assert most_doubtful(moved, 0.0 * missed, 4) == [0, 1, 2, 3]
    assert most_doubtful(moved, moved, 4) == [0, 1, 2, 3]
    assert sorted(most_doubtful(moved, missed, 10)) == [0, 1, 2, 3, 4, 5]
