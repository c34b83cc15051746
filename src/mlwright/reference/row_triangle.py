"""Twin of ``mlwright._kernels.row_triangle``."""

import numpy as np


def row_triangle(products, chosen, mirror, least):
    K, reflected = products[np.ix_(chosen, chosen)], np.eye(len(chosen))
    if mirror is not None:
        reflected = (reflected - 2.0 * np.outer(mirror, mirror))[:, :-1]
    K = reflected.T @ K @ reflected
    if np.linalg.matrix_rank(K) < len(K) or 1.0 / np.linalg.cond(K, 1) < least:
        return None
    factor = np.linalg.cholesky(K)
    return factor, reflected @ factor
