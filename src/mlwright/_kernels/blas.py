"""Dense linear algebra through SciPy's BLAS and LAPACK."""

import numpy as np

from mlwright._native import core, require_blas
from mlwright._runtime.registry import Tolerance, kernel

require_blas()


@kernel(
    native="blas.solve_spd",
    twin="blas:solve_spd",
    strategy="blas:positive_definite_system",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def solve_spd(a, b):
    """Solution of ``a @ x = b`` for a symmetric positive definite ``a``, by its Cholesky factor.

    Only the lower triangle of ``a`` is read.

    Parameters
    ----------
    a : ndarray of shape (n, n)
    b : ndarray of shape (n, k)

    Returns
    -------
    x : ndarray of shape (n, k), Fortran order

    Raises
    ------
    NumericalError
        If ``a`` is not positive definite to working precision.
    """
    factor = np.array(a, dtype=np.float64, order="F")
    x = np.array(b, dtype=np.float64, order="F")
    core.blas.solve_spd(factor, x)
    return x
