"""A sparse matrix times a dense one, and its Gram matrix times a dense one."""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_LANES = 8


@kernel(
    native="sparse_product.sparse_product",
    twin="sparse_product:sparse_product",
    strategy="sparse_product:matrices",
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
)
def sparse_product(A, B):
    """``A @ B`` in float64 for the CSR tuple A (see ``mlwright._kernels.linalg.as_design``) and an array B (p, m)."""
    whole = _whole_lanes(B)
    out = np.empty((len(A[0]) - 1, whole.shape[1]))
    core.sparse_product.sparse_product(A, whole, out)
    return out[:, : B.shape[1]]


@kernel(
    native="sparse_product.sparse_gram_product",
    twin="sparse_product:sparse_gram_product",
    strategy="sparse_product:squared_matrices",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def sparse_gram_product(A, transposed, B):
    """``A.T @ (A @ B)`` in float64 for the CSR tuples of A and of its transpose, and an array B (p, m)."""
    whole = _whole_lanes(B)
    out = np.empty_like(whole)
    core.sparse_product.sparse_gram_product(A, transposed, whole, out)
    return out[:, : B.shape[1]]


def _whole_lanes(B):
    """B with columns of zeros up to a multiple of eight."""
    if B.shape[1] % _LANES == 0 and B.flags.c_contiguous and B.dtype == np.float64:
        return B
    padded = np.zeros((len(B), -(-B.shape[1] // _LANES) * _LANES))
    padded[:, : B.shape[1]] = B
    return padded
