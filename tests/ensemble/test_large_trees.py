"""Trees of many leaves, whose histograms are not all kept: by brute force, and one inside the other."""

import heapq

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mlwright.ensemble import HistGradientBoostingRegressor

N_ROWS, LEAST = 12_000, 20


@pytest.fixture(scope="module")
def rows():
    """Features of a hundred levels, so that bins are values; targets whose sums are exact."""
    rng = np.random.default_rng(5)
    X = rng.integers(0, 100, size=(N_ROWS, 3)).astype(float)
    y = np.round(20 * np.sin(X[:, 0] / 9) + X[:, 1] * (X[:, 2] > 40) + rng.normal(size=N_ROWS, scale=9))
    return X, y


def tree_of(rows, max_leaf_nodes):
    model = HistGradientBoostingRegressor(
        max_iter=1, max_leaf_nodes=max_leaf_nodes, min_samples_leaf=LEAST, learning_rate=1.0, early_stopping=False
    )
    return model.fit(*rows)._trees


@pytest.fixture(scope="module")
def whole(rows):
    return tree_of(rows, None)


def test_every_cut_is_the_best_of_its_rows(rows, whole):
    X, y = rows
    reached = {0: np.arange(N_ROWS)}
    for node, feature in enumerate(whole["feature"]):
        here = reached.pop(node)
        gain, _ = best_cut(X[here], y[here] - y.mean())
        if feature < 0:
            assert gain <= 1e-9
            continue
        left = X[here, feature] <= whole["threshold"][node]
        assert_allclose(gain_of(y[here] - y.mean(), left), gain, rtol=1e-7)
        reached[whole["left"][node]], reached[whole["right"][node]] = here[left], here[~left]
    assert not reached
    assert np.count_nonzero(whole["feature"] < 0) > 200  # more than histograms are kept of


@pytest.mark.parametrize("n_leaves", [2, 3, 33, 64, 100, 255])
def test_a_smaller_tree_is_the_larger_ones_most_useful_cuts(rows, whole, n_leaves):
    part = tree_of(rows, n_leaves)
    queue, cuts = [(-whole["gain"][0], 0, 0)], []  # of equals, the one that came first
    for _ in range(n_leaves - 1):
        *_, node = heapq.heappop(queue)
        cuts.append(node)
        for side, child in enumerate((whole["left"][node], whole["right"][node])):
            if whole["feature"][child] >= 0:
                heapq.heappush(queue, (-whole["gain"][child], 2 * len(cuts) + side, child))
    inner = part["feature"] >= 0
    assert np.count_nonzero(inner) == n_leaves - 1
    for name in ("feature", "threshold", "gain"):
        assert_array_equal(np.sort(part[name][inner]), np.sort(whole[name][cuts]))


def best_cut(X, g):
    """The largest gain over all cuts, and its feature."""
    best = (0.0, -1)
    for j, column in enumerate(X.T):
        for threshold in np.unique(column)[:-1]:
            best = max(best, (gain_of(g, column <= threshold), j))
    return best


def gain_of(g, left):
    n_left, n_right = np.count_nonzero(left), np.count_nonzero(~left)
    if min(n_left, n_right) < LEAST:
        return 0.0
    whole = g.sum()
    of_left = g[left].sum()
    return of_left**2 / n_left + (whole - of_left) ** 2 / n_right - whole**2 / len(g)
