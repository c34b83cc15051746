"""The bridge to BLAS: failures are named, and a library that counts in 64 bits is called as such."""

import ctypes

import numpy as np
import pytest
from hypothesis import given

from mlwright import NumericalError
from mlwright._kernels import blas
from mlwright._native import _find_blas, core
from mlwright.testing.blas import positive_definite


def test_an_indefinite_matrix_is_named():
    a = np.diag([1.0, 2.0, -1.0, 1.0])
    with pytest.raises(NumericalError, match=r"leading 3 x 3 block of a is not positive definite; add a ridge"):
        blas.solve_spd(a, np.ones((4, 1)))


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected a \(n, n\) and b \(n, k\)"):
        blas.solve_spd(np.eye(3), np.ones((4, 1)))


def test_only_the_lower_triangle_is_read():
    a = np.array([[4.0, np.nan], [1.0, 3.0]])
    np.testing.assert_allclose(blas.solve_spd(a, [[1.0], [2.0]]), np.linalg.solve([[4, 1], [1, 3]], [[1], [2]]))


@given(positive_definite())
def test_the_estimated_condition_is_near_the_exact_one(call):
    ((a,), _) = call
    exact = 1.0 / np.linalg.cond(np.asarray(a, dtype=np.float64), 1)
    assert 0.99 * exact <= blas.rcond_spd(a) <= 3 * exact


def test_factors_multiply_to_the_matrix_at_sizes_that_block():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((300, 170))
    u, s, vt = blas.svd(a)
    np.testing.assert_allclose((u * s) @ vt, a, atol=1e-10)
    q, r = blas.qr(a)
    np.testing.assert_allclose(q @ r, a, atol=1e-10)
    np.testing.assert_allclose(q.T @ q, np.eye(170), atol=1e-12)
    values, vectors = blas.eigh(blas.gram(a))
    np.testing.assert_allclose((vectors * values) @ vectors.T, a.T @ a, atol=1e-9)


def test_an_incomplete_table_is_refused():
    with pytest.raises(ValueError, match="expected 13 addresses for each precision"):
        core.blas.install([1], [1], False)
    with pytest.raises(ValueError, match="BLAS table: has no gemm"):
        core.blas.install([0] * 13, [0] * 13, False)


def test_the_width_of_integers_is_read_from_the_signature():
    from mlwright._blas import find, integer_width

    assert integer_width("void (char *, int64_t *, __pyx_t_5scipy_6linalg_13cython_lapack_d *, int64_t *)") == 64
    assert integer_width("void (char *, int *, __pyx_t_5scipy_6linalg_13cython_lapack_d *, int *)") == 32
    with pytest.raises(ImportError, match="expected arguments of type int or int64_t"):
        integer_width("void (char *, short *)")
    with pytest.raises(ImportError, match="has no routine dnonsense"):
        find(["dnonsense"])


def test_a_library_with_64_bit_integers():
    """Routines that insist on 64-bit integers, made of the installed ones, give the same answer."""
    names = core.blas.routine_names()
    doubles, floats, wide = _find_blas()
    pointer = ctypes.c_void_p
    seen = []

    def widened(name, n_arguments, integers):
        narrow = ctypes.CFUNCTYPE(None, *[pointer] * n_arguments)(doubles[names.index(name)])

        def call(*arguments):
            kept = {i: ctypes.c_int32(ctypes.c_int64.from_address(arguments[i]).value) for i in integers}
            seen.append((name, [kept[i].value for i in integers]))
            narrow(*[ctypes.addressof(kept[i]) if i in kept else a for i, a in enumerate(arguments)])
            for i, value in kept.items():
                ctypes.c_int64.from_address(arguments[i]).value = value.value

        return ctypes.CFUNCTYPE(None, *[pointer] * n_arguments)(call)

    potrf, potrs = widened("potrf", 5, (1, 3, 4)), widened("potrs", 8, (1, 2, 4, 6, 7))
    replaced = list(doubles)
    for name, function in (("potrf", potrf), ("potrs", potrs)):
        replaced[names.index(name)] = ctypes.cast(function, pointer).value
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
    want = blas.solve_spd(a, np.eye(3))
    try:
        core.blas.install(replaced, floats, True)
        assert core.blas.has_wide_integers()
        assert (blas.solve_spd(a, np.eye(3)) == want).all()
        with pytest.raises(NumericalError, match="leading 1 x 1 block"):
            blas.solve_spd(-a, np.eye(3))
    finally:
        core.blas.install(doubles, floats, wide)
    assert seen == [("potrf", [3, 3, 0]), ("potrs", [3, 3, 3, 3, 0]), ("potrf", [3, 3, 0])]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_empty_sums_are_zero_whatever_was_in_memory(dtype):
    out = np.full(5, 7.0, dtype)
    core.blas.matvec(np.zeros((5, 0), dtype, order="F"), np.zeros(0, dtype), out)
    np.testing.assert_array_equal(out, 0)
    out = np.full((5, 3), 7.0, dtype, order="F")
    core.blas.matmul(np.zeros((5, 0), dtype, order="F"), np.zeros((0, 3), dtype, order="F"), out)
    np.testing.assert_array_equal(out, 0)
