"""A sparse matrix times a dense one."""

import numpy as np

from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


@kernel(
    native="sparse_product.sparse_product",
    twin="sparse_product:sparse_product",
    strategy="sparse_product:matrices",
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
)
def sparse_product(A, B):
    """``A @ B`` in float64 for the CSR tuple A (see ``mlwright._kernels.linalg.as_design``) and an array B (p, m)."""
    m = B.shape[1]
    width = -(-m // 8) * 8
    padded = np.zeros((len(B), width))
    padded[:, :m] = B
    out = np.empty((len(A[0]) - 1, width))
    core.sparse_product.sparse_product(A, padded, out)
    return out[:, :m]
