"""Residuals of rows left out of a multi-task lasso: as of the lasso, but that the penalty ties the targets together.

On a support that stays, with z the columns of a row, I the identity of the t targets and H the Hessian over all their
coefficients, to which the norm of a feature's coefficients b adds ``W alpha ratio (I - u u') / |b|``, ``u = b / |b|``,
the residuals e of a row without it are about

    ``(I - w G)^-1 (e - w (z' x I) H^-1 P'(b))``,    ``G = (z' x I) H^-1 (z x I)``

as in ``leave_one_out``.

Reference: Rahnama Rad and Maleki (2020), A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation. Journal of the Royal Statistical Society B 82.
"""

import numpy as np
from scipy import sparse

from mlwright._kernels.units import norms
from mlwright._runtime.lapack import eigh

MOST_COEFFICIENTS = 4096  # of all targets: their Hessian is formed
_NULL = 1e-12  # of the largest eigenvalue
_LEAST_LEFT = 1e-6  # of a row, as in ``leave_one_out``
_ROWS_AT_ONCE = 1024


def tasks_left_out(problem, coef, fit_intercept, alpha, ratio):
    """Residuals (n, t) of rows of which one repetition is left out; None for more coefficients than a Hessian may have.

    Parameters
    ----------
    problem : RowsProblem
    coef : array of shape (t, p)
    fit_intercept : bool
    alpha, ratio : float
    """
    support = np.flatnonzero(coef.any(axis=0))
    if len(support) * len(coef) > MOST_COEFFICIENTS:
        return None
    X = problem.X[:, support]
    Z = (X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=np.float64)) - problem.x_mean[support]
    return _left_out(Z, problem.y, problem.w, coef[:, support].T, problem.weight, fit_intercept, alpha, ratio)


def _left_out(Z, y, w, b, weight, fit_intercept, alpha, ratio):
    """Shape (n, t), for coefficients b of shape (s, t)."""
    residual, (n, t), s = y - Z @ b, y.shape, len(b)
    own = np.eye(t) * (1.0 / weight if fit_intercept else 0.0)
    root = np.zeros((s, t, 0))
    pull = np.zeros(0)
    if s:
        slope, bend = _penalty(b, alpha, ratio)
        unit = 1.0 / np.sqrt((w[:, None] * Z * Z).sum(axis=0))
        root = _root((Z * (w[:, None] * unit)).T @ (Z * unit), weight * bend * (unit * unit)[:, None, None])
        root *= unit[:, None, None]
        pull = np.einsum("str,st->r", root, slope)
    out, once = np.empty_like(residual), np.minimum(w, 1.0)
    for begin in range(0, n, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        turned = np.einsum("is,str->itr", Z[part], root, optimize=True)
        reach = own + turned @ turned.transpose(0, 2, 1)
        values, vectors = np.linalg.eigh(once[part, None, None] * reach)
        moved = residual[part] - once[part, None] * (turned @ pull)
        moved = np.einsum("itk,it->ik", vectors, moved) / np.maximum(1.0 - values, _LEAST_LEFT)
        out[part] = np.einsum("itk,ik->it", vectors, moved)
    return out


def _penalty(b, alpha, ratio):
    """Gradient (s, t) and Hessian (s, t, t) of the penalty, a unit of weight."""
    norm = norms(b, axis=1)[:, None]
    u, one = b / norm, np.eye(b.shape[1])
    slope = alpha * (ratio * u + (1.0 - ratio) * b)
    bend = alpha * ratio * (one - u[:, :, None] * u[:, None, :]) / norm[:, :, None] + alpha * (1.0 - ratio) * one
    return slope, bend


def _root(gram, bend):
    """R of shape (s, t, r) with ``R R'`` the inverse, or the pseudo-inverse, of the Hessian."""
    s, t = bend.shape[:2]
    hessian = np.einsum("ij,ab->iajb", gram, np.eye(t))
    hessian[np.arange(s), :, np.arange(s)] += bend
    values, vectors = eigh(hessian.reshape(s * t, s * t))
    keep = values > _NULL * values[-1]
    return (vectors[:, keep] / np.sqrt(values[keep])).reshape(s, t, -1)
