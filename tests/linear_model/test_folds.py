"""Fold statistics and cross-validation splits: sums of cells equal the sums over the rows themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, ShuffleSplit, TimeSeriesSplit

from mlwright._kernels.fold_statistics import FoldStatistics, all_but_one
from mlwright._runtime import threads
from mlwright._validation import rows_for_fit
from mlwright.linear_model import LassoCV, LinearRegression
from mlwright.linear_model._folds import Splits

SPLITTERS = [
    KFold(4),
    KFold(3, shuffle=True, random_state=0),
    RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    ShuffleSplit(4, test_size=0.3, random_state=0),
    TimeSeriesSplit(4),
    TimeSeriesSplit(3, max_train_size=20, gap=2),
]


def rows_of(X, y, w=None):
    return rows_for_fit(LinearRegression(), X, y, w)


def data(n=90, p=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) + 3.0, rng.standard_normal((n, 2)), rng.integers(0, 4, n).astype(float)


def assert_same(a, b):
    assert a.n_rows == b.n_rows
    np.testing.assert_allclose(a.weight, b.weight, rtol=1e-13)
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        a.scatter / np.outer(a.scale, a.scale), b.scatter / np.outer(b.scale, b.scale), rtol=1e-11, atol=1e-10
    )


@pytest.mark.parametrize("cv", SPLITTERS, ids=str)
@pytest.mark.parametrize("form", ["C", "F", "csr"])
def test_statistics_of_splits_are_those_of_their_rows(cv, form):
    X, y, w = data()
    held = sparse.csr_array(X) if form == "csr" else np.asarray(X, order=form)
    train, test = Splits.of(cv, X, y).statistics(LinearRegression(), rows_of(held, y, w))
    for (a, b), of_train, of_test in zip(cv.split(X), train, test, strict=True):
        assert_same(of_train, FoldStatistics.of_rows(X[a], y[a], w[a]))
        assert_same(of_test, FoldStatistics.of_rows(X[b], y[b], w[b]))


def test_fold_numbers_only_of_partitions():
    X, y, _ = data()
    assert Splits.of(KFold(5, shuffle=True, random_state=1), X, y).fold_numbers is not None
    assert Splits.of(GroupKFold(3), X, y, groups=np.arange(90) % 7).fold_numbers is not None
    for cv in (TimeSeriesSplit(3), ShuffleSplit(3, random_state=0), RepeatedKFold(n_splits=2, n_repeats=2)):
        assert Splits.of(cv, X, y).fold_numbers is None
    half = [(np.arange(40), np.arange(45, 90)), (np.arange(45, 90), np.arange(45))]
    assert Splits.of(half, X, y).fold_numbers is None


@pytest.mark.parametrize("k", [2, 3, 7])
def test_all_but_one_is_the_merge_of_the_others(k):
    X, y, w = data()
    sets = np.array_split(np.random.default_rng(0).permutation(90), k)
    for i, left in enumerate(all_but_one(FoldStatistics.of_sets(X, y, w, sets))):
        at = np.sort(np.concatenate(sets[:i] + sets[i + 1 :]))
        assert_same(left, FoldStatistics.of_rows(X[at], y[at], w[at]))


def test_a_fold_far_away_keeps_the_digits_of_the_others():
    X, y, _ = data()
    X[:30] += 1e8
    statistics = FoldStatistics.of_sets(X, y, None, [np.arange(30), np.arange(30, 60), np.arange(60, 90)])
    assert_same(all_but_one(statistics)[0], FoldStatistics.of_rows(X[30:], y[30:]))


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_same_bits_for_any_number_of_threads(n_threads):
    X, y, w = data(6000, 20)
    sets = np.array_split(np.random.default_rng(0).permutation(6000), 3)
    with threads.limit(1):
        one = FoldStatistics.of_sets(X, y, w, sets)
    with threads.limit(n_threads):
        many = FoldStatistics.of_sets(X, y, w, sets)
    assert all(a.scatter.tobytes() == b.scatter.tobytes() for a, b in zip(one, many, strict=True))


@given(seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0.0, 100.0]), noise=st.sampled_from([1.0, 1e-3]))
def test_squared_errors_without_the_rows(seed, offset, noise):
    rng = np.random.default_rng(seed)
    X, coef, intercept = rng.standard_normal((50, 4)) + offset, rng.standard_normal((3, 4)), rng.standard_normal(3)
    y = X @ coef[:2].T + noise * rng.standard_normal((50, 2))
    w = rng.random(50)
    errors, sure = FoldStatistics.of_rows(X, y, w).squared_errors(coef, intercept, target=1)
    exact = (w[:, None] * (y[:, [1]] - X @ coef.T - intercept) ** 2).sum(axis=0)
    assert sure[[0, 2]].all()
    np.testing.assert_allclose(errors[sure], exact[sure], rtol=1e-9)


def test_squared_errors_say_where_cancellation_took_the_digits():
    X, _, _ = data()
    y = X @ np.ones((5, 1)) + 1e-7 * np.random.default_rng(1).standard_normal((90, 1))
    _, sure = FoldStatistics.of_rows(X, y).squared_errors(np.ones((1, 5)), np.zeros(1))
    assert not sure[0]


def test_empty_and_unfit_sets_are_refused():
    X, y, _ = data()
    with pytest.raises(ValueError, match="set 1 goes from 90 to 90"):
        FoldStatistics.of_sets(X, y, None, [np.arange(90), np.arange(0)])
    with pytest.raises(ValueError, match="row numbers: got 90"):
        FoldStatistics.of_sets(np.vstack([X]), np.vstack([y, y]), None, [np.array([90])])
    with pytest.raises(ValueError, match=r"split 0 has 90 training and 0 test rows"):
        Splits.of([(np.arange(90), np.arange(0))], X, y)
    assert FoldStatistics.of_sets(np.where(X > 0, np.nan, X), y, None, [np.arange(90)]) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.arange(80, 91), "split 1 names rows by an array of shape .*, 80 to 90"),
        (np.array([-91, 3]), "-91 to 3; expected numbers of the 90 rows"),
        (np.array([0.5, 3.0]), "dtype float64"),
        (np.ones(89, dtype=bool), "dtype bool"),
        (np.array([], dtype=int), "split 1 has 20 training and 0 test rows"),
    ],
)
def test_rows_that_do_not_exist_are_refused(rows, message):
    X, y, _ = data()
    pairs = [(np.arange(20), np.arange(-5, 0)), (np.arange(20), rows)]
    with pytest.raises(ValueError, match=message):
        LassoCV(cv=pairs).fit(X, y[:, 0])
    with pytest.raises(ValueError, match="got no split"):
        LassoCV(cv=[]).fit(X, y[:, 0])
