"""KMeans: scikit-learn's steps from the same start, and the laws it obeys."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import cluster as peer
from sklearn.exceptions import ConvergenceWarning

import mlwright
from mlwright import NumericalError
from mlwright.cluster import KMeans


def table(n=600, p=4, groups=6, seed=0, spread=2.0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) + spread * rng.standard_normal((groups, p))[rng.integers(0, groups, n)]


def given_start(X, k, seed=0):
    return X[np.random.default_rng(seed).choice(len(X), k, replace=False)]


def assert_same(ours, theirs, rtol=1e-9):
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=rtol, atol=rtol)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=rtol)
    assert ours.n_iter_ == theirs.n_iter_


SHAPES = [(600, 2, 3), (2000, 10, 30), (5000, 20, 50), (800, 100, 10)]


@pytest.mark.parametrize(
    ("shape", "algorithm"),
    # scikit-learn has no Elkan for one cluster
    [((300, 3, 1), "lloyd"), *((shape, algorithm) for shape in SHAPES for algorithm in ("lloyd", "elkan"))],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_steps_of_scikit_learn_from_the_same_start(shape, weighted, algorithm):
    n, p, k = shape
    X = table(n, p, groups=2 * k, seed=k)
    w = np.random.default_rng(1).random(n) if weighted else None
    settings = {"init": given_start(X, k), "algorithm": algorithm, "tol": 0.0}
    ours = KMeans(k, **settings).fit(X, sample_weight=w)
    if weighted:  # the tolerance of scikit-learn leaves weights out; here it is zero
        assert ours.n_iter_ > 1
    assert_same(ours, peer.KMeans(k, **settings).fit(X, sample_weight=w))
    if not weighted:
        stop = {"tol": 1e-3, "max_iter": 20, **{name: settings[name] for name in ("init", "algorithm")}}
        assert_same(KMeans(k, **stop).fit(X), peer.KMeans(k, **stop).fit(X))


def test_sparse_is_dense_and_scikit_learn():
    X = table(700, 30)
    X[np.random.default_rng(0).random(X.shape) < 0.7] = 0.0
    start = given_start(X, 8)
    dense = KMeans(8, init=start).fit(X)
    for index in (np.int32, np.int64):
        stored = sparse.csr_matrix(X)
        stored.indices, stored.indptr = stored.indices.astype(index), stored.indptr.astype(index)
        thin = KMeans(8, init=start).fit(stored)
        np.testing.assert_array_equal(thin.labels_, dense.labels_)
        np.testing.assert_array_equal(thin.cluster_centers_, dense.cluster_centers_)
        np.testing.assert_allclose(thin.transform(stored), dense.transform(X), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(thin.predict(stored), dense.labels_)
    assert_same(dense, peer.KMeans(8, init=start).fit(sparse.csr_matrix(X)))


@given(st.integers(0, 10_000), st.sampled_from(["k-means++", "random"]))
def test_a_weight_is_a_repetition_in_any_order(seed, init):
    rng = np.random.default_rng(seed)
    X = np.round(table(80, 3, seed=seed), 2)
    w = rng.integers(0, 4, len(X))
    order = rng.permutation(w.sum())
    settings = {"n_clusters": 5, "init": init, "n_init": 2, "random_state": seed}
    weighted = KMeans(**settings).fit(X, sample_weight=w)
    repeated = KMeans(**settings).fit(X.repeat(w, axis=0)[order])
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(weighted.labels_.repeat(w)[order], repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9, abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12))
def test_every_point_is_with_the_nearest_centre(seed, p, k):
    X = table(300, p, seed=seed) * 10.0 ** (seed % 7 - 3) + (seed % 3) * 1e4
    model = KMeans(k, random_state=seed, max_iter=1 + seed % 30).fit(X)
    squared = ((X[:, None, :] - model.cluster_centers_) ** 2).sum(axis=2)
    assert (squared[np.arange(len(X)), model.labels_] <= squared.min(axis=1) * (1 + 1e-12)).all()
    assert model.inertia_ == pytest.approx(squared.min(axis=1).sum(), rel=1e-9)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_allclose(model.transform(X), np.sqrt(squared), rtol=1e-6, atol=1e-9)
    assert model.score(X) == pytest.approx(-model.inertia_, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ties_go_to_the_first_centre(dtype):
    """Points on a lattice, many of them exactly between centres: single precision cannot decide."""
    X = np.array([[i, j] for i in range(9) for j in range(9)], dtype=dtype)
    start = np.array([[2, 2], [6, 2], [2, 6], [6, 6], [2, 2]], dtype=dtype)
    model = KMeans(5, init=start, max_iter=1, tol=1e9).fit(X)
    squared = ((X[:, None, :] - model.cluster_centers_) ** 2).sum(axis=2)
    np.testing.assert_array_equal(model.labels_, squared.argmin(axis=1))


def test_float32_stays_float32_and_predicts_its_labels():
    X = table(2000, 8).astype(np.float32)
    model = KMeans(10, random_state=0).fit(X)
    assert model.cluster_centers_.dtype == model.transform(X).dtype == np.float32
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_the_same_bits_for_any_number_of_threads():
    X = table(30_000, 5)
    answers = set()
    try:
        for threads in (1, 2, 3, 8):
            mlwright.set_num_threads(threads)
            model = KMeans(12, random_state=3, n_init=2).fit(X)
            answers.add((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_))
    finally:
        mlwright.set_num_threads(None)
    assert len(answers) == 1


def test_empty_clusters_go_to_the_farthest_points():
    X = table(400, 3)
    start = np.vstack([given_start(X, 3), np.full((2, 3), 1e3)])
    assert_same(KMeans(5, init=start).fit(X), peer.KMeans(5, init=start).fit(X))
    with pytest.warns(ConvergenceWarning, match="distinct clusters \\(2\\)"):
        few = KMeans(4, random_state=0).fit(np.repeat([[0.0, 1.0], [2.0, 3.0]], 5, axis=0))
    assert np.isfinite(few.cluster_centers_).all()
    assert few.inertia_ == 0.0


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_more_clusters_than_different_points(seed, weighted, thin):
    """Labels and inertia are those of the centres returned, whatever moved last."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(6, 40)), int(rng.integers(1, 30))
    X = rng.standard_normal((max(1, n // 8), p))[rng.integers(0, max(1, n // 8), n)]
    k = int(rng.integers(2, n + 1))
    start = given_start(X, k, seed)
    start[rng.integers(0, k)] += 1e3 * rng.integers(0, 2)
    w = rng.random(n) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, init=start, tol=0.0).fit(sparse.csr_matrix(X) if thin else X, sample_weight=w)
    squared = ((X[:, None, :] - model.cluster_centers_) ** 2).sum(axis=2)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx((squared.min(axis=1) * (1.0 if w is None else w)).sum(), rel=1e-9, abs=1e-20)
    if k >= len(np.unique(X, axis=0)):
        assert model.inertia_ < 1e-20


def test_k_means_plus_plus_is_as_good_as_scikit_learns():
    X = table(1000, 2, groups=10, spread=20.0)
    ours = np.mean([KMeans(10, random_state=s).fit(X).inertia_ for s in range(6)])
    theirs = np.mean([peer.KMeans(10, random_state=s).fit(X).inertia_ for s in range(6)])
    assert ours < 1.2 * theirs


def test_progress_and_callable():
    X, seen = table(), []
    with mlwright.watch_progress(seen.append):
        model = KMeans(3, init=lambda X, k, random_state: X[:k], n_init=1).fit(X)
    assert seen[0].stage == "k-means"
    assert model.n_iter_ == KMeans(3, init=X[:3]).fit(X).n_iter_


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_any_scale(size):
    X = table(200)
    start = given_start(X, 4)
    model, plain = KMeans(4, init=start * size).fit(X * size), KMeans(4, init=start).fit(X)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_allclose(model.cluster_centers_ / size, plain.cluster_centers_, rtol=1e-9)


def test_refusals():
    X = table(20)
    with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=8"):
        KMeans().fit(X[:3])
    with pytest.raises(ValueError, match="does not match the number of clusters"):
        KMeans(3, init=X[:2]).fit(X)
    with pytest.raises(ValueError, match="does not match the number of features"):
        KMeans(3, init=X[:3, :2]).fit(X)
    with pytest.raises(ValueError, match="zero"):
        KMeans(3).fit(X, sample_weight=np.zeros(20))
    with pytest.raises(NumericalError, match="divide X"):
        KMeans(2).fit(X * 1e200)
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        KMeans(3, init=X[:3], n_init=5).fit(X)
    with pytest.raises(ValueError, match="beyond float32"):
        KMeans(2, init=[[1e300] * 4, [0.0] * 4]).fit(X.astype(np.float32))
    model = KMeans(3, random_state=0).fit(X)
    for method in (model.predict, model.transform, model.score):
        with pytest.raises(NumericalError, match="overflow float64"):
            method(X * 1e200)
    with pytest.raises(ValueError, match="expecting 4 features"):
        model.predict(X[:, :2])
