"""Numbers in any memory that NumPy can describe give the answer of the same numbers in plain memory."""

import numpy as np
import pytest

from mlwright._kernels import layout, linalg, simd, tree
from mlwright.ensemble import HistGradientBoostingRegressor
from mlwright.linear_model import BayesianRidge, LinearRegression, Ridge

ROWS = 120


def packed(a):
    """As a field of packed records: strides that are no multiple of the item size."""
    records = np.zeros(len(a), dtype=[("tag", "u1"), ("field", a.dtype, a.shape[1:])])
    records["field"] = a
    return records["field"]


def misaligned(a):
    """Contiguous, one byte off."""
    memory = np.zeros(a.nbytes + 1, dtype=np.uint8)[1:].view(a.dtype).reshape(a.shape)
    memory[...] = a
    assert not memory.flags.aligned
    assert memory.flags.c_contiguous
    return memory


def swapped(a):
    return a.astype(a.dtype.newbyteorder())


ODD = pytest.mark.parametrize("odd", [packed, misaligned, swapped])


def problem():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((ROWS, 3))
    return X, X @ [1.0, 2.0, 3.0] + rng.standard_normal(ROWS), rng.random(ROWS) + 0.5


@ODD
@pytest.mark.parametrize(
    "estimator", [LinearRegression(), Ridge(), BayesianRidge(), HistGradientBoostingRegressor(max_iter=3)], ids=str
)
def test_estimators_read_odd_memory(estimator, odd):
    X, y, w = problem()
    want = estimator.fit(X, y, sample_weight=w).predict(X)
    got = estimator.fit(odd(X), odd(y), sample_weight=odd(w)).predict(odd(X))
    assert got.tobytes() == want.tobytes()


@ODD
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernels_read_odd_memory(odd, dtype):
    X, y, w = problem()
    X = X.astype(dtype)
    odd_sums = linalg.fold_statistics(linalg.as_design(odd(X)), odd(y[:, None]), odd(w))
    for got, want in zip(odd_sums, linalg.fold_statistics(X, y[:, None], w), strict=True):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(tree.find_thresholds(odd(X), odd(w)), tree.find_thresholds(X, w), strict=True):
        np.testing.assert_array_equal(got, want)
    assert simd.dot(odd(y), odd(w)) == simd.dot(y, w)


def test_what_native_code_can_read_is_not_copied():
    X = problem()[0]
    for readable in (X, X[::-2, ::-1], X.T, X.astype(np.float32), np.broadcast_to(X[:1], X.shape)):
        assert layout.floats(readable) is readable
    assert layout.vector(X) is X


@ODD
def test_float32_stays_float32_where_its_bytes_are_native(odd):
    X = odd(problem()[0].astype(np.float32))
    assert layout.floats(X).dtype == (np.float32 if X.dtype.isnative else np.float64)
    assert layout.doubles(X).dtype == np.float64


@pytest.mark.parametrize("odd", [packed, misaligned])
def test_the_core_refuses_memory_that_it_cannot_read(odd):
    y = problem()[1][:, None]
    with pytest.raises(ValueError, match=r"array: its (strides|memory)"):
        linalg._core.fold_statistics(y, odd(y), None)
