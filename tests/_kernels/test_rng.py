"""Random variates: the right distributions, independent streams, the same numbers whatever the threads.

Seeds are fixed and so is every number drawn: a test that passes once always passes. Thresholds are those of a level of
1e-3, which a right generator passes for almost every seed.
"""

import numpy as np
import pytest
from scipy import stats

from mlwright._kernels import rng
from mlwright._runtime import threads
from mlwright._runtime.rng import seed_from, stream_id

N = 100_000
LEVEL = 1e-3

CONTINUOUS = {
    "uniform": (rng.uniform, (), stats.uniform()),
    "normal": (rng.normal, (), stats.norm()),
    "exponential": (rng.exponential, (), stats.expon()),
    **{f"gamma({a})": (rng.gamma, (a,), stats.gamma(a)) for a in (0.05, 0.5, 1.0, 1.5, 30.0, 1e6)},
    **{f"beta({a},{b})": (rng.beta, (a, b), stats.beta(a, b)) for a, b in ((0.2, 0.3), (1, 1), (2, 5), (400, 3))},
    **{f"chi_square({k})": (rng.chi_square, (k,), stats.chi2(k)) for k in (1, 4, 50)},
    **{f"student_t({k})": (rng.student_t, (k,), stats.t(k)) for k in (1, 3, 30)},
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_distribution(name):
    draw, parameters, law = CONTINUOUS[name]
    x = draw(2024, 1, *parameters, N)
    assert stats.kstest(x, law.cdf).pvalue > LEVEL


@pytest.mark.parametrize("name", ["uniform", "normal", "exponential", "gamma(0.5)", "gamma(30.0)", "beta(2,5)"])
def test_moments(name):
    draw, parameters, law = CONTINUOUS[name]
    x = draw(7, 2, *parameters, N)
    mean, variance, _, kurtosis = law.stats("mvsk")
    assert abs(x.mean() - mean) < 4 * np.sqrt(variance / N)
    assert abs(x.var() / variance - 1) < 4 * np.sqrt((kurtosis + 2) / N)


def test_normal_tails():
    """Beyond 4.5 standard deviations, where a coarse uniform or a bad tail would show."""
    x = rng.normal(3, 0, 4_000_000)
    for bound in (3.0, 4.0, 4.5):
        expected = len(x) * stats.norm.sf(bound)
        for found in (np.sum(x > bound), np.sum(x < -bound)):
            assert abs(found - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("mean", [0.1, 2.5, 9.99, 10.0, 25.0, 1e3, 1e8])
def test_poisson(mean):
    x = rng.poisson(11, 5, mean, N)
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(0.01, 0.99, 30)))
    probability = np.diff([0.0, *law.cdf(edges), 1.0])
    counts = np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1)
    assert stats.chisquare(counts, N * probability).pvalue > LEVEL


def test_poisson_of_mean_zero():
    assert not rng.poisson(1, 1, 0.0, 100).any()


@pytest.mark.parametrize("bound", [1, 2, 3, 10, 1000])
def test_integers_are_equally_likely(bound):
    counts = np.bincount(rng.integers(5, 0, bound, N), minlength=bound)
    assert len(counts) == bound
    assert bound == 1 or stats.chisquare(counts).pvalue > LEVEL


def test_integers_of_a_bound_that_a_modulo_would_bias():
    bound = 3 << 61  # modulo would draw the lowest third twice as often
    x = rng.integers(5, 0, bound, N)
    assert stats.kstest(x / bound, "uniform").pvalue > LEVEL


def test_every_permutation_is_equally_likely():
    orders = np.array([rng.permutation(1, i, 4) for i in range(24_000)])
    _, counts = np.unique(orders @ [64, 16, 4, 1], return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize("n", [5, 60])  # one of each method
def test_every_pair_is_equally_likely(n):
    pairs = np.array([rng.sample_without_replacement(2, i, n, 2) for i in range(30_000)])
    _, counts = np.unique(pairs @ [n, 1], return_counts=True)
    expected = np.full(n * (n - 1), len(pairs) / (n * (n - 1)))
    assert stats.chisquare(np.pad(counts, (0, len(expected) - len(counts))), expected).pvalue > LEVEL


@pytest.mark.parametrize("draw", ["neighbouring streams", "neighbouring seeds", "neighbouring chunks"])
def test_neighbours_are_independent(draw):
    if draw == "neighbouring streams":
        x, y = rng.uniform(1, 0, N), rng.uniform(1, 1, N)
    elif draw == "neighbouring seeds":
        x, y = rng.uniform(1, 0, N), rng.uniform(2, 0, N)
    else:
        both = rng.uniform(1, 0, 2 * 4096 * 12).reshape(-1, 2, 4096)
        x, y = both[:, 0].ravel(), both[:, 1].ravel()
    assert abs(stats.spearmanr(x, y).statistic) < 4 / np.sqrt(len(x))
    counts = np.histogram2d(x, y, bins=10, range=[[0, 1], [0, 1]])[0].ravel()
    assert stats.chisquare(counts).pvalue > LEVEL


def test_successive_numbers_are_independent():
    x = rng.uniform(9, 9, N)
    for lag in (1, 2, 3, 4, 8):
        assert abs(stats.spearmanr(x[:-lag], x[lag:]).statistic) < 4 / np.sqrt(N)


def test_all_bits_are_fair():
    words = rng.integers(1, 2, 1 << 62, N).astype(np.uint64)
    ones = [(words >> np.uint64(bit) & np.uint64(1)).sum() for bit in range(62)]
    assert np.all(np.abs(np.array(ones) - N / 2) < 4.5 * np.sqrt(N) / 2)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_numbers_do_not_depend_on_threads(name):
    draw, parameters, _ = CONTINUOUS[name]
    want = draw(5, 5, *parameters, 20_000).tobytes()
    for n in (1, 2, 3, 8):
        with threads.limit(n):
            assert draw(5, 5, *parameters, 20_000).tobytes() == want


def test_a_longer_array_begins_like_a_shorter_one():
    np.testing.assert_array_equal(rng.gamma(1, 2, 0.5, 10_000)[:5000], rng.gamma(1, 2, 0.5, 5000))


def test_chunks_equal_their_twin():
    from mlwright.reference import rng as twin

    np.testing.assert_allclose(rng.normal(3, 4, 9000), twin.normal(3, 4, 9000), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rng.gamma(0, 0, -1.0, 3), r"gamma variates: shape: got -1, expected a number above 0"),
        (lambda: rng.beta(0, 0, 1.0, np.nan, 3), r"beta variates: b: got nan"),
        (lambda: rng.poisson(0, 0, 1e16, 3), r"Poisson variates: mean: got 1e\+16, expected a number from 0 to 1e15"),
        (lambda: rng.integers(0, 0, 0, 3), r"random integers: bound: got 0, expected at least 1"),
        (lambda: rng.sample_without_replacement(0, 0, 3, 4), r"got 4 to draw of 3, expected at most as many"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_seed_of_an_integer_is_itself():
    assert seed_from(7) == 7
    assert seed_from(np.int64(7)) == 7
    assert seed_from(2**64 - 1) == 2**64 - 1


def test_seed_of_a_generator_moves_it_on():
    for make in (np.random.RandomState, np.random.default_rng):
        a, b = make(3), make(3)
        first, second = seed_from(a), seed_from(a)
        assert [first, second] == [seed_from(b), seed_from(b)]
        assert first != second
        assert max(first, second) > 2**32


def test_seed_of_none_is_numpys_global_generator():
    shared = np.random.mtrand._rand  # what numpy.random.seed() seeds
    state = shared.get_state()
    try:
        shared.seed(3)
        assert seed_from(None) == seed_from(np.random.RandomState(3))
    finally:
        shared.set_state(state)


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "seed", True])
def test_seed_refuses(bad):
    with pytest.raises(ValueError, match=r"random_state: got"):
        seed_from(bad)


def test_streams_of_purposes_and_iterations_differ():
    assert len({stream_id(p, i) for p in range(10) for i in range(100)}) == 1000
