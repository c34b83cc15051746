"""The route for very many sparse columns: LSQR on the implicitly centred matrix.

Reference: Paige and Saunders (1982), LSQR. ACM Transactions on Mathematical Software 8.
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsqr

_TOLERANCE = 1e-12


def ridge(rows, x_mean, y_mean, alpha, max_iter=None):
    """Coefficients of shape (t, p) and iterations of each target; where alpha is zero, those of minimum norm."""
    X, shape = rows.X.tocsr(), rows.X.shape
    root = np.ones(shape[0]) if rows.w is None else np.sqrt(rows.w)
    X = X.astype(np.float64, copy=False)
    XT = X.T
    operator = LinearOperator(
        shape,
        matvec=lambda b: root * (X @ b - b @ x_mean),
        rmatvec=lambda r: XT @ (root * r) - x_mean * (r @ root),
        dtype=np.float64,
    )
    limit = max_iter or 4 * min(shape) + 1000
    coef, n_iter = np.empty((rows.y.shape[1], shape[1])), np.empty(rows.y.shape[1], dtype=np.int32)
    for k in range(len(coef)):
        target = root * (rows.y[:, k] - y_mean[k])
        damp = np.sqrt(alpha[k])
        answer = lsqr(operator, target, damp=damp, atol=_TOLERANCE, btol=_TOLERANCE, conlim=0, iter_lim=limit)
        coef[k], _, n_iter[k] = answer[:3]
    return coef, n_iter
