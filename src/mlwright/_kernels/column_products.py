"""Products of the columns of a dense matrix with several vectors, and quadratic forms of many sparse vectors."""

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.linalg


@kernel(
    native="linalg.column_products",
    twin="column_products:column_products",
    strategy="column_products:matrices_and_vectors",
    tolerance=Tolerance(rtol=1e-10, atol=1e-9),
)
def column_products(X, R):
    """``X.T @ R`` for a float array X of any strides, in one pass over it; R of shape (n, b), with few columns."""
    return _core.column_products(layout.floats(X), layout.vector(R.T))


@kernel(
    native="linalg.quadratic_forms",
    twin="column_products:quadratic_forms",
    strategy="column_products:matrices_and_rows",
    tolerance=Tolerance(rtol=1e-10, atol=1e-9),
)
def quadratic_forms(gram, B):
    """``b' gram b`` for every row b of B; cheap where neighbouring rows have most of their zeros in common."""
    return _core.quadratic_forms(layout.vector(gram), layout.vector(B))
