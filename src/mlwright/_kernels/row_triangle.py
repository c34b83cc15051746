"""Some rows in coordinates of an orthonormal basis, from the inner products of all."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core, require_blas
from mlwright._runtime.registry import Tolerance, kernel

require_blas()


@kernel(
    native="linalg.row_triangle",
    twin="row_triangle:row_triangle",
    strategy="row_triangle:independent_rows",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def row_triangle(products, chosen, mirror, least):
    """The Cholesky factor of inner products of chosen rows, and these rows in the basis that it belongs to.

    Parameters
    ----------
    products : float64 array of shape (n, n)
        Of all rows.
    chosen : int64 array of shape (m,)
        One row or more, in any order, repeated or not; two or more with `mirror`.
    mirror : float64 array of shape (m,), or None
        A unit vector u whose reflection takes ones to the last axis, for rows centred among themselves.
    least : float
        Reciprocal condition number of the products, estimated, from which on there is an answer.

    Returns
    -------
    factor : array of shape (r, r)
        Lower; ``r`` is m, or m - 1 with `mirror`.
    rows : array of shape (m, r)

    None instead of the tuple where the products of the chosen rows are worse conditioned.
    """
    m = len(chosen)
    r = m if mirror is None else m - 1
    factor = np.empty((r, r))
    rows = factor if mirror is None else np.empty((m, r))
    rcond = core.linalg.row_triangle(
        layout.vector(products),
        layout.contiguous(chosen, np.int64),
        None if mirror is None else layout.vector(mirror),
        factor,
        None if mirror is None else rows,
    )
    return (factor, rows) if rcond >= least else None
