"""StandardScaler: scikit-learn's answers, and sums that add up."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import preprocessing as peer

from mlwright import NumericalError
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.io import dumps, loads
from mlwright.preprocessing import StandardScaler
from mlwright.testing.column_moments import rows_with_holes

SETTINGS = [{}, {"with_mean": False}, {"with_std": False}, {"with_mean": False, "with_std": False}]
ATTRIBUTES = ("mean_", "var_", "scale_", "n_samples_seen_")


@st.composite
def tables(draw):
    (X, w), _ = draw(rows_with_holes().filter(lambda call: not isinstance(call[0][0], tuple)))
    return X, w if w is None or w.any() else None


def assert_same(got, want, rtol=1e-9):
    for name in ATTRIBUTES:
        a, b = getattr(got, name), getattr(want, name)
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, err_msg=name)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # scikit-learn's, of columns of NaN
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_equals_scikit_learn(settings):
    @given(tables())
    def check(table):
        X, w = table
        ours, theirs = StandardScaler(**settings).fit(X, sample_weight=w), peer.StandardScaler(**settings)
        if settings != SETTINGS[3] or w is None:  # scikit-learn counts rows there even if they have weights
            theirs.fit(X, sample_weight=w)
            assert_same(ours, theirs, rtol=1e-4 if X.dtype == np.float32 else 1e-9)
        moved = ours.transform(X)
        assert moved.dtype == X.dtype
        np.testing.assert_allclose(ours.inverse_transform(moved), X, rtol=1e-5, atol=1e-4)

    check()


@given(tables(), st.floats(0.1, 0.9))
def test_state_algebra(table, part):
    X, w = table
    cut = int(part * len(X))
    first, second = (X[:cut], None, None if w is None else w[:cut]), (X[cut:], None, None if w is None else w[cut:])
    if any(len(rows) == 0 or (weights is not None and not weights.any()) for rows, _, weights in (first, second)):
        return
    whole, a, b = (StandardScaler().fit(*rows) for rows in ((X, None, w), first, second))
    assert_same(copy.deepcopy(a).merge(b), whole)
    assert_same(copy.deepcopy(a).partial_fit(*second), whole)
    left = a._moments["weight"]
    if left.any() and (left > 20).all():
        forgotten = whole.forget(*second)
        assert_same(forgotten, a, rtol=1e-6)


@given(tables())
def test_a_weight_is_a_repetition_and_sparse_is_dense(table):
    X, w = table
    if w is not None:
        assert_same(StandardScaler().fit(X, sample_weight=w), StandardScaler().fit(X.repeat(w.astype(int), axis=0)))
    stored = sparse.csr_matrix(X)
    dense = StandardScaler(with_mean=False).fit(X, sample_weight=w)
    for matrix in (stored, stored.tocsc()):
        scaler = StandardScaler(with_mean=False).fit(matrix, sample_weight=w)
        assert_same(scaler, dense)
        np.testing.assert_allclose(scaler.transform(matrix).toarray(), dense.transform(X), rtol=1e-5, atol=1e-6)


def test_a_large_mean_costs_no_digits():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 2))
    far = StandardScaler().fit(X + 2.0**30)
    np.testing.assert_allclose(far.var_, (X + 2.0**30 - 2.0**30).var(axis=0), rtol=1e-12)
    assert (StandardScaler().fit(np.full((1000, 1), 0.1)).scale_ == 1.0).all()


def test_in_place_where_asked_and_only_there():
    X = np.arange(12.0).reshape(4, 3)
    before, want = X.copy(), peer.StandardScaler().fit_transform(X)
    scaler = StandardScaler().fit(X)
    assert scaler.transform(X) is not X
    np.testing.assert_array_equal(X, before)
    assert scaler.transform(X, copy=False) is X
    np.testing.assert_array_equal(X, want)
    np.testing.assert_allclose(scaler.inverse_transform(X, copy=False), before, atol=1e-15)
    assert np.isfortran(scaler.transform(np.asfortranarray(before)))


def test_refusals():
    X = np.arange(6.0).reshape(3, 2)
    with pytest.raises(ValueError, match="infinity"):
        StandardScaler().fit([[1.0], [np.inf]])
    with pytest.raises(NumericalError, match="divide X"):
        StandardScaler().fit([[1e200], [-1e200]])
    with pytest.raises(ValueError, match="Cannot center sparse"):
        StandardScaler().fit(sparse.csr_matrix(X))
    with pytest.raises(ValueError, match="zero"):
        StandardScaler().fit(X, sample_weight=[0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="to start anew"):
        StandardScaler().fit(X).forget(X)
    with pytest.raises(ValueError, match="expecting 2 features"):
        StandardScaler().fit(X).inverse_transform(X[:, :1])
    scaler = StandardScaler().fit(np.vstack([X * 1e9, X]))
    with pytest.warns(LossOfPrecisionWarning, match="fit anew"):
        scaler.forget(X * 1e9)


@pytest.mark.parametrize("n", [1, 2, 300])
def test_weighted_sparse_columns_without_zeros(n):
    """Constant ones stay constant, and a large mean costs no digits, as in dense tables."""
    rng = np.random.default_rng(n)
    X = np.column_stack([np.full(n, 7.3), rng.standard_normal(n) + 1e6, rng.standard_normal(n) * (rng.random(n) < 0.3)])
    w = rng.random(n) * 0.1
    dense = StandardScaler(with_mean=False).fit(X, sample_weight=w)
    for thin in (sparse.csr_matrix(X), sparse.csc_matrix(X)):
        scaler = StandardScaler(with_mean=False).fit(thin, sample_weight=w)
        assert scaler.var_[0] == 0.0
        assert_same(scaler, dense, rtol=1e-8)


def test_entries_that_repeat_add_up():
    twice = sparse.csr_matrix(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    scaler = StandardScaler(with_mean=False).fit(twice)
    np.testing.assert_array_equal(scaler.var_, [2.25, 6.25])
    assert twice.nnz == 3  # left as it was


def test_streams():
    pl = pytest.importorskip("polars")
    X = np.arange(20.0).reshape(10, 2) ** 2
    w = np.arange(10.0)
    whole = StandardScaler().fit(X, sample_weight=w)
    assert_same(StandardScaler().fit_stream([(X[:3], None, w[:3]), (X[3:], None, w[3:])]), whole)
    frame = pl.DataFrame(X, schema=["a", "b"]).with_columns(w=w)
    assert_same(StandardScaler().fit_stream([frame[:4], frame[4:]], sample_weight="w"), whole)
    assert_same(StandardScaler().fit_stream(frame.drop("w").to_arrow()), StandardScaler().fit(X))
    assert_same(StandardScaler().fit_stream([X[:4], X[4:]]), StandardScaler().fit(X))
    with pytest.raises(ValueError, match="has no column 'v'"):
        StandardScaler().fit_stream([frame], sample_weight="v")
    with pytest.raises(ValueError, match=r"tuple of 1, expected X, \(X, y\)"):
        StandardScaler().fit_stream([(X,)])


def test_parameters_set_after_fit_can_be_saved():
    X = np.arange(6.0).reshape(3, 2)
    scaler = StandardScaler().fit(X)
    want = scaler.transform(X)
    scaler.set_params(with_std=False)
    np.testing.assert_array_equal(loads(dumps(scaler)).transform(X), want)


def test_columns_of_other_names_are_not_merged():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.raises(ValueError, match="'b', 'a'; expected 'a', 'b' in this order"):
        StandardScaler().fit(frame).merge(StandardScaler().fit(frame[["b", "a"]]))
    assert StandardScaler().fit(frame).merge(StandardScaler().fit(frame)).n_samples_seen_ == 4


def test_names_and_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}, index=[7, 9])
    out = StandardScaler().set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == ["a", "b"]
    assert out.index.tolist() == [7, 9]


@pytest.mark.parametrize("factor", [1e-90, 1e18, 1e90])
def test_a_common_factor_of_weights_changes_no_scale(factor):
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((60, 3)) * [1.0, 1e-3, 1e5] + 2.0, rng.random(60) + 0.1
    want = StandardScaler().fit(X, sample_weight=w)
    got = StandardScaler().fit(X, sample_weight=factor * w)
    np.testing.assert_allclose(got.scale_, want.scale_, rtol=1e-12)
