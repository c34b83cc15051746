"""PCA and TruncatedSVD: scikit-learn's answers and signs, by every route, and sums that add up."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import decomposition as peer

import mlwright
from mlwright import NumericalError
from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.decomposition import PCA, TruncatedSVD

ATTRIBUTES = ("explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_", "noise_variance_")


def table(n=300, p=8, seed=0, centre=3.0):
    """Singular values far enough apart that every route must find the same vectors."""
    rng = np.random.default_rng(seed)
    spread = 2.0 ** -np.arange(p) if p < 12 else 1.0 / (1.0 + np.arange(p))
    return (rng.standard_normal((n, p)) * spread) @ np.linalg.qr(rng.standard_normal((p, p)))[0] + centre


def text(n=200, p=400, seed=0):
    rng = np.random.default_rng(seed)
    dense = table(n, p, seed) * (rng.random((n, p)) < 0.1)
    return sparse.csr_matrix(dense)


def assert_same(ours, theirs, rtol=1e-8):
    assert ours.n_components_ == theirs.n_components_
    for name in ATTRIBUTES:
        a, b = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.max(np.abs(b), initial=1e-3), err_msg=name)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=0, atol=100 * rtol)


@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh", "arpack", "randomized"])
@pytest.mark.parametrize("shape", [(300, 8), (40, 30), (30, 60)])
@pytest.mark.parametrize("whiten", [False, True])
def test_equals_scikit_learn(solver, shape, whiten):
    X = table(*shape)
    settings = {"n_components": 3, "whiten": whiten, "svd_solver": solver}
    ours = PCA(**settings, random_state=0).fit(X)
    exact = peer.PCA(3, whiten=whiten, svd_solver="full").fit(X)
    rtol = 1e-4 if solver == "randomized" and shape != (300, 8) else 1e-8
    assert_same(ours, exact, rtol=rtol)
    np.testing.assert_allclose(ours.transform(X), exact.transform(X), atol=200 * rtol)
    np.testing.assert_allclose(
        ours.inverse_transform(ours.transform(X)), exact.inverse_transform(exact.transform(X)), atol=200 * rtol
    )
    np.testing.assert_allclose(ours.get_covariance(), exact.get_covariance(), atol=100 * rtol)
    assert ours.score(X) == pytest.approx(exact.score(X), rel=200 * rtol)


@pytest.mark.parametrize("n_components", [None, 0, 0.5, 0.999, "mle", 8])
@pytest.mark.parametrize("solver", ["full", "covariance_eigh"])
def test_number_of_components(n_components, solver):
    X = table()
    settings = {"n_components": n_components, "svd_solver": solver}
    assert_same(PCA(**settings).fit(X), peer.PCA(**settings).fit(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_is_dense(dtype):
    X = table(400, 20).astype(dtype)
    X[np.random.default_rng(0).random(X.shape) < 0.5] = 0.0
    dense = PCA(4, svd_solver="covariance_eigh").fit(X)
    for matrix in (sparse.csr_matrix(X), sparse.csc_matrix(X)):
        thin = PCA(4).fit(matrix)
        assert thin.components_.dtype == dtype
        assert_same(thin, dense, rtol=1e-5 if dtype == np.float32 else 1e-8)
        np.testing.assert_allclose(
            thin.transform(matrix), dense.transform(X), atol=1e-3 if dtype == np.float32 else 1e-9
        )


@given(st.integers(0, 10_000), st.integers(40, 160))
def test_state_algebra_and_weights(seed, cut):
    X = table(200, 5, seed)
    w = np.random.default_rng(seed).integers(1, 4, 200)
    whole, model = PCA(3).fit(X), PCA(3, svd_solver="covariance_eigh")
    a, b = copy.deepcopy(model).fit(X[:cut]), copy.deepcopy(model).fit(X[cut:])
    assert_same(copy.deepcopy(a).merge(b), whole)
    assert_same(copy.deepcopy(a).partial_fit(X[cut:]), whole)
    assert_same(copy.deepcopy(whole).forget(X[cut:]), a, rtol=1e-7)
    weighted = PCA(3).partial_fit(X, sample_weight=w)
    assert_same(weighted, PCA(3).fit(X.repeat(w, axis=0)))
    assert weighted.n_samples_ == w.sum()


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e140])
def test_any_scale_and_a_large_mean(size):
    X = table(centre=0.0)
    plain = PCA(2).fit(X)
    moved = PCA(2).fit(X * size)
    np.testing.assert_allclose(moved.components_, plain.components_, atol=1e-9)
    np.testing.assert_allclose(moved.singular_values_ / size, plain.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(PCA(2).fit(X + 1e6).explained_variance_, plain.explained_variance_, rtol=1e-8)


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize(
    "X", [table(600, 20), table(40, 90), text(), text(900, 30)], ids=["tall", "wide", "text", "thin"]
)
def test_truncated_svd_equals_scikit_learn(algorithm, X):
    ours = TruncatedSVD(3, algorithm=algorithm, random_state=0, n_iter=100)
    theirs = peer.TruncatedSVD(3, algorithm="arpack")
    out, want = ours.fit_transform(X), theirs.fit_transform(X)
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(np.abs(ours.components_ @ theirs.components_.T), np.eye(3), atol=1e-4)
    np.testing.assert_allclose(np.abs(out), np.abs(want), atol=1e-3)
    np.testing.assert_array_equal(ours.transform(X), out)


ROUTES = [
    ("full", (40, 30)),
    *((solver, shape) for solver in ("arpack", "randomized") for shape in ((40, 30), (30, 60))),
]


@pytest.mark.parametrize("size", [1e-200, 1e-150, 1e150])
@pytest.mark.parametrize(("solver", "shape"), ROUTES)
def test_every_route_at_any_scale(solver, shape, size):
    X = table(*shape, centre=0.0)
    settings = {"n_components": 2, "svd_solver": solver, "whiten": True, "random_state": 0}
    plain, moved = PCA(**settings).fit(X), PCA(**settings).fit(X * size)
    np.testing.assert_allclose(moved.components_, plain.components_, atol=1e-9)
    np.testing.assert_allclose(moved.singular_values_ / size, plain.singular_values_, rtol=1e-9)
    if size >= 1e-150:  # below, variances vanish
        np.testing.assert_allclose(moved.transform(X * size), plain.transform(X), atol=1e-8)


@pytest.mark.parametrize("size", [1e-150, 1e150])
@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
@pytest.mark.parametrize("X", [table(600, 20), table(40, 90), text()], ids=["tall", "wide", "text"])
def test_truncated_svd_at_any_scale(algorithm, X, size):
    plain, moved = (TruncatedSVD(3, algorithm=algorithm, random_state=0).fit(X * by) for by in (1.0, size))
    np.testing.assert_allclose(moved.components_, plain.components_, atol=1e-8)
    np.testing.assert_allclose(moved.singular_values_ / size, plain.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(moved.explained_variance_ratio_, plain.explained_variance_ratio_, rtol=1e-8)


def test_what_overflows_the_precision_of_the_answer_is_refused():
    X = table(300, 8)
    for model in (PCA(2), TruncatedSVD(2)):
        with pytest.raises(NumericalError, match="overflow float32; divide X"):
            model.fit((X * 1e25).astype(np.float32))
    for matrix in (X, table(40, 90), text()):
        with pytest.raises(NumericalError, match="divide X"):
            TruncatedSVD(2).fit(matrix * 1e300)


def test_variances_of_many_float32_rows_keep_their_digits():
    X = np.tile(table(500, 8).astype(np.float32), (400, 1))
    wide = TruncatedSVD(2).fit(X)
    exact = TruncatedSVD(2).fit(X.astype(np.float64))
    np.testing.assert_allclose(wide.explained_variance_, exact.explained_variance_, rtol=1e-6)


def test_merging_takes_over_weights_and_refuses_other_columns():
    pd = pytest.importorskip("pandas")
    X, w = table(100, 3), np.full(100, 0.5)
    weighted = PCA(2).partial_fit(X, sample_weight=w)
    assert PCA(2).fit(X).merge(weighted).n_samples_ == 150.0
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    with pytest.raises(ValueError, match="'b', 'a', 'c'; expected 'a', 'b', 'c' in this order"):
        PCA(2).fit(frame).merge(PCA(2).fit(frame[["b", "a", "c"]]))


def test_streams_and_what_is_left_of_them():
    pd = pytest.importorskip("pandas")
    X = table(200, 4)
    whole = PCA(2).fit(X)
    assert_same(PCA(2).fit_stream([X[:1], X[1:120], X[120:]]), whole)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(w=1.0)
    model = PCA(2).fit_stream([frame[:50], frame[50:]], sample_weight="w")
    assert_same(model, whole)
    assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="expected a weight above one"):
        PCA(2).fit_stream([X[:1]])
    with pytest.warns(LossOfPrecisionWarning), pytest.raises(ValueError, match="expected a weight above one"):
        PCA(2).fit(X).forget(X[1:])


def test_arpack_finds_one_component_less():
    for shape in ((300, 8), (10, 6)):
        X = table(*shape)
        assert PCA(svd_solver="arpack").fit(X).n_components_ == peer.PCA(svd_solver="arpack").fit(X).n_components_


@pytest.mark.parametrize("algorithm", ["arpack", "randomized"])
def test_the_same_bits_for_any_memory_order(algorithm):
    X = table(40, 90)
    plain = TruncatedSVD(3, algorithm=algorithm, random_state=0).fit(X).components_
    for other in (np.asfortranarray(X), X.repeat(2, axis=1)[:, ::2], X[::-1].copy()[::-1]):
        np.testing.assert_array_equal(
            TruncatedSVD(3, algorithm=algorithm, random_state=0).fit(other).components_, plain
        )


@pytest.mark.parametrize("X", [text(300, 900), text(900, 700)], ids=["wide", "tall"])
def test_the_same_bits_for_any_number_of_threads(X):
    answers = set()
    try:
        for threads in (1, 2, 3, 8):
            mlwright.set_num_threads(threads)
            model = TruncatedSVD(20, random_state=0).fit(X)
            answers.add((model.components_.tobytes(), model.singular_values_.tobytes(), model.transform(X).tobytes()))
    finally:
        mlwright.set_num_threads(None)
    assert len(answers) == 1


def test_columns_that_depend_on_each_other_take_the_slow_factors():
    """Rank 5 where 13 columns are asked for: Cholesky factors break down, Householder's QR does not."""
    rng = np.random.default_rng(0)
    low = sparse.csr_matrix(rng.standard_normal((80, 5)) @ rng.standard_normal((5, 120)))
    model = TruncatedSVD(13, random_state=0).fit(low)
    np.testing.assert_allclose(model.singular_values_[:5], np.linalg.svd(low.toarray())[1][:5], rtol=1e-10)
    assert (model.singular_values_[5:] < 1e-9).all()
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(13), atol=1e-10)


def test_entries_that_repeat_add_up():
    X = text(60, 30).astype(float)
    part = X.copy()
    part.data *= 0.25
    twice = sparse.csr_matrix(
        (
            np.hstack([part.data, X.data - part.data]).reshape(2, -1).T.ravel(),
            X.indices.repeat(2),
            X.indptr * 2,
        ),
        shape=X.shape,
    )
    want = TruncatedSVD(3, random_state=0).fit(X)
    np.testing.assert_allclose(
        TruncatedSVD(3, random_state=0).fit(twice).explained_variance_ratio_, want.explained_variance_ratio_, rtol=1e-9
    )


def test_randomised_is_as_good_as_scikit_learns():
    X = text(150, 300)
    ours = TruncatedSVD(20, random_state=0).fit(X).singular_values_
    theirs = peer.TruncatedSVD(20, random_state=0).fit(X).singular_values_
    assert (ours**2).sum() > (1 - 1e-3) * (theirs**2).sum()


def test_degenerate_rows():
    constant = PCA().fit(np.ones((30, 2)))
    assert (constant.explained_variance_ == 0.0).all()
    low = PCA(svd_solver="randomized", n_components=5, random_state=0).fit(np.outer(np.arange(30.0), np.arange(40.0)))
    assert low.explained_variance_ratio_[0] == pytest.approx(1.0)
    assert np.isfinite(low.components_).all()


def test_refusals():
    X = table()
    with pytest.raises(ValueError, match="must be between 0 and"):
        PCA(9).fit(X)
    with pytest.raises(ValueError, match="strictly less"):
        PCA(8, svd_solver="arpack").fit(X)
    with pytest.raises(ValueError, match="cannot be a string"):
        PCA("mle", svd_solver="randomized").fit(X)
    with pytest.raises(ValueError, match="mle"):
        PCA("mle").fit(X[:5])
    with pytest.raises(ValueError, match="n_samples=1"):
        PCA().fit(X[:1])
    with pytest.raises(TypeError, match="TruncatedSVD"):
        PCA(svd_solver="full").fit(sparse.csr_matrix(X))
    with pytest.raises(ValueError, match="keeps no statistics"):
        PCA(svd_solver="full").fit(X).partial_fit(X)
    with pytest.raises(NumericalError, match="divide X"):
        PCA().fit(X * 1e300)
    with pytest.raises(ValueError, match="must be less than min"):
        TruncatedSVD(8, algorithm="arpack").fit(X)
    with pytest.raises(ValueError, match="must be <= n_features"):
        TruncatedSVD(9).fit(X)
