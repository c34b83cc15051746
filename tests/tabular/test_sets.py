"""Sets of classes: their share of true classes, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlwright
from mlwright.tabular import TabularClassifier
from mlwright.tabular._intervals import conformal_sets


def data(n, seed, n_classes=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    score = X @ rng.standard_normal((3, n_classes)) + rng.gumbel(size=(n, n_classes))
    return X, np.array(list("dcba"))[score.argmax(axis=1)]


@given(
    n=st.integers(20, 500), coverage=st.sampled_from([0.5, 0.8, 0.9]), discrete=st.booleans(), seed=st.integers(0, 99)
)
def test_sets_hold_their_share_of_the_rows(n, coverage, discrete, seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), size=n)
    p = np.round(p, 1) if discrete else p
    truth = rng.integers(0, 3, n)
    errors = np.sort(1 - p[np.arange(n), truth])
    in_set = conformal_sets(p, coverage, errors)
    assert in_set[np.arange(n), truth].mean() >= coverage
    assert in_set[np.arange(n), p.argmax(axis=1)].all()
    assert (conformal_sets(p, 0.5, errors) <= in_set).all()


def test_coverage_of_new_rows():
    """The sum over tables is within four standard deviations of what is promised, and sets are not all classes."""
    inside, size, n_test = 0, 0, 0
    for seed in range(5):
        X, y = data(900, seed)
        model = TabularClassifier(candidates=["linear"], cv=3).fit(X[:300], y[:300])
        in_set = model.predict_set(X[300:], coverage=0.8)
        inside += in_set[np.arange(600), np.searchsorted(model.classes_, y[300:])].sum()
        size, n_test = size + in_set.sum(), n_test + 600
    spread = np.sqrt(0.16 * (1 / n_test + 1 / 1500))
    assert abs(inside / n_test - 0.8) < 4 * spread + 0.01
    assert size / n_test < 3


def test_bad_requests_and_files(tmp_path):
    X, y = data(12, 0)
    model = TabularClassifier(candidates=["linear"], cv=2).fit(X, y)
    with pytest.raises(ValueError, match=r"errors of at least 19 rows are needed .* and 12 are there"):
        model.predict_set(X, coverage=0.95)
    with pytest.raises(ValueError, match="coverage"):
        model.predict_set(X, coverage=95)
    mlwright.save(model, tmp_path / "model.mlw")
    again = mlwright.load(tmp_path / "model.mlw")
    np.testing.assert_array_equal(again.predict_set(X, 0.5), model.predict_set(X, 0.5))
    model._set_errors = model._set_errors[::-1].copy()
    with pytest.raises(ValueError, match="not sorted between 0 and 1"):
        mlwright.save(model, tmp_path / "model.mlw")
    del model._set_errors  # as in a file of a version without
    mlwright.save(model, tmp_path / "model.mlw")
    with pytest.raises(ValueError, match="fit again"):
        mlwright.load(tmp_path / "model.mlw").predict_set(X)
