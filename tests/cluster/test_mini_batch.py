"""MiniBatchKMeans: as good as scikit-learn's, and the laws it obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import cluster as peer

import mlwright
from mlwright.cluster import KMeans, MiniBatchKMeans
from mlwright.testing.models import outputs


def table(n=3000, p=4, groups=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) + 8.0 * rng.standard_normal((groups, p))[rng.integers(0, groups, n)]


def test_as_good_as_scikit_learn():
    X = table()
    ours = np.mean([MiniBatchKMeans(8, random_state=s).fit(X).inertia_ for s in range(5)])
    theirs = np.mean([peer.MiniBatchKMeans(8, random_state=s).fit(X).inertia_ for s in range(5)])
    assert ours < 1.15 * theirs
    best = KMeans(8, random_state=0, n_init=4).fit(X).inertia_
    assert MiniBatchKMeans(8, random_state=0, n_init=4).fit(X).inertia_ < 1.2 * best


def test_one_batch_moves_the_centres_as_scikit_learn_does():
    X, start = table(500), table(500)[:5]
    w = np.random.default_rng(0).random(500) + 0.5
    settings = {"n_clusters": 5, "init": start, "n_init": 1, "reassignment_ratio": 0.0}
    ours, theirs = MiniBatchKMeans(**settings), peer.MiniBatchKMeans(**settings)
    for part in (slice(0, 200), slice(200, 300), slice(300, 500)):
        ours.partial_fit(X[part], sample_weight=w[part])
        theirs.partial_fit(X[part], sample_weight=w[part])
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_steps_ == theirs.n_steps_ == 3


@given(st.integers(0, 10_000), st.sampled_from(["k-means++", "random"]))
def test_a_weight_is_a_repetition_in_any_order(seed, init):
    rng = np.random.default_rng(seed)
    X = np.round(table(60, 2, seed=seed), 1)
    w = rng.integers(0, 4, len(X))
    order = rng.permutation(w.sum())
    settings = {"n_clusters": 4, "init": init, "batch_size": 20, "max_iter": 5, "random_state": seed}
    weighted = MiniBatchKMeans(**settings).fit(X, sample_weight=w)
    repeated = MiniBatchKMeans(**settings).fit(X.repeat(w, axis=0)[order])
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert weighted.n_iter_ == repeated.n_iter_


def test_sparse_is_dense():
    X = table(800, 12)
    X[np.random.default_rng(0).random(X.shape) < 0.6] = 0.0
    dense = MiniBatchKMeans(6, random_state=0).fit(X)
    thin = MiniBatchKMeans(6, random_state=0).fit(sparse.csr_matrix(X))
    np.testing.assert_allclose(thin.cluster_centers_, dense.cluster_centers_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(thin.labels_, dense.labels_)


def test_the_same_bits_for_any_number_of_threads():
    X, answers = table(20_000), set()
    try:
        for threads in (1, 3):
            mlwright.set_num_threads(threads)
            answers.add(MiniBatchKMeans(8, random_state=0, batch_size=5000).fit(X).cluster_centers_.tobytes())
    finally:
        mlwright.set_num_threads(None)
    assert len(answers) == 1


def test_a_stream_goes_on_from_a_file():
    X = table()
    model = MiniBatchKMeans(5, random_state=0).partial_fit(X[:500])
    copy = mlwright.io.loads(mlwright.io.dumps(model))
    assert (
        outputs(copy.partial_fit(X[500:900]), X)["predict"].tobytes()
        == outputs(model.partial_fit(X[500:900]), X)["predict"].tobytes()
    )
    assert model.partial_fit(X[900:902]).n_steps_ == 3


def test_a_small_sample_for_the_first_centres_is_enlarged():
    with pytest.warns(RuntimeWarning, match="init_size=3 should be larger than n_clusters=8"):
        MiniBatchKMeans(8, init_size=3, random_state=0).fit(table(100))


def test_labels_and_stopping():
    X = table()
    plain = MiniBatchKMeans(8, random_state=0, compute_labels=False).fit(X)
    assert not hasattr(plain, "labels_")
    assert plain.inertia_ > 0.0
    assert plain.predict(X).shape == (3000,)
    early = MiniBatchKMeans(8, random_state=0, tol=1e3).fit(X)
    assert early.n_steps_ == 2
    assert MiniBatchKMeans(8, random_state=0, max_no_improvement=None, max_iter=4).fit(X).n_iter_ == 4
    with pytest.raises(ValueError, match="n_samples=3"):
        MiniBatchKMeans().fit(X[:3])
