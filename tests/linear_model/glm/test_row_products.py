"""Products of few long rows: right in every layout, the same bits for any number of threads."""

import warnings

import numpy as np
import pytest

from mlwright._runtime import threads
from mlwright.linear_model._glm._row_products import combined, inner_products

LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every third": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
}


def rows(n, p):
    return np.random.default_rng(n).standard_normal((n, p)) + 1.0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("n", "p"), [(1, 1), (7, 3), (60, 33_000), (530, 1100), (1500, 40)])  # pieces each way
def test_inner_products(n, p, centred, layout):
    X = LAYOUTS[layout](rows(n, p))
    Z = X.astype(np.float64) - (mean := np.linspace(-1.0, 1.0, p) if centred else np.zeros(p))
    K = inner_products(X, mean if centred else None)
    np.testing.assert_allclose(K, Z @ Z.T, atol=1e-13 * (Z**2).sum(axis=1).max())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_combinations(layout):
    X = LAYOUTS[layout](rows(40, 5001))
    a = np.random.default_rng(1).standard_normal((6, 40))
    out = np.zeros((6, 5002))
    combined(a, X, out[:, :-1])
    np.testing.assert_allclose(out[:, :-1], a @ X.astype(np.float64), atol=1e-12)
    assert not out[:, -1].any()


@pytest.mark.parametrize(("n", "p"), [(60, 9001), (700, 1500)])
def test_bits_do_not_depend_on_threads(n, p):
    X, found = rows(n, p), []
    for n_threads in (1, 2, 3, 8):
        out = np.empty((3, p))
        with threads.limit(n_threads):
            combined(X[:3, :n], X, out)
            found.append((inner_products(X).tobytes(), out.tobytes()))
    assert len(set(found)) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_numbers_that_are_not_finite_or_too_large_show_in_the_result(bad):
    X = rows(10, 3000)
    X[4, 1234] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.isfinite(inner_products(X)[4, 4])
