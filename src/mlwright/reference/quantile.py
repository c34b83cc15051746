"""Twin of ``mlwright._kernels.quantile``: the interior point method in NumPy, a row a line of arrays.

Reference: Portnoy and Koenker (1997), The Gaussian hare and the Laplacian tortoise. Statistical Science 12.
"""

import numpy as np

from mlwright.reference.linalg import dense


def frisch_newton(X, y, w, levels, shift, scale, ones, l1=None, rhs=None, *, tol=1e-11, max_iter=100, n_iter=None):
    Z = (dense(X) - shift) * scale
    n, p = Z.shape
    Z = np.hstack([Z, np.ones((n, 1))]) if ones else Z
    q = Z.shape[1]
    w = np.ones(n) if w is None else w
    target = np.asarray(y, dtype=np.float64)
    if l1 is not None:
        Z = np.vstack([Z, np.eye(p, q)])
        w, target = np.concatenate([w, 2.0 * l1]), np.append(target, np.zeros(p))
    coefs, duals = [], []
    for k, level in enumerate(levels):
        level_of = np.where(np.arange(len(Z)) < n, level, 0.5)
        right = np.zeros(q) if rhs is None else np.reshape(rhs, (-1, q))[k]
        coef, dual, iterations = _one_level(Z, target, w, level_of, right, tol, max_iter)
        coefs.append(coef)
        duals.append(dual[:n])
        if n_iter is not None:
            n_iter[k] = iterations
    return np.array(coefs), np.array(duals)


def _one_level(Z, y, w, level, rhs, tol, max_iter):
    """min sum w rho(y - Z b) + rhs'b. Residuals are u - v; slopes lie s below their upper bound, t above the lower."""
    b = np.linalg.pinv(Z.T @ (w[:, None] * Z), rcond=1e-11, hermitian=True) @ (Z.T @ (w * y))
    r = y - Z @ b
    u = np.maximum(r, 0.0) + 0.5 * (w @ np.abs(r)) / w.sum()
    v, s, t = u - r, level.copy(), 1.0 - level
    first = w @ (level * u + (1.0 - level) * v)
    iterations = 0
    while iterations < max_iter:
        gap, value = w @ (u * s + v * t), w @ (level * u + (1.0 - level) * v)
        missing = rhs - Z.T @ (w * _dual(level, s, t))
        if value <= 1e-14 * first or (gap <= tol * value and np.abs(missing).max() <= 1e-9 * w.sum()):
            break
        inverse = np.linalg.pinv(Z.T @ ((w / (u / s + v / t))[:, None] * Z), rcond=1e-15, hermitian=True)
        state = Z, w, inverse, missing, r, u, v, s, t
        _, da, du, dv = _step(*state, 0.0, 0.0, 0.0)
        primal, dual = _lengths(u, v, s, t, da, du, dv)
        left = w @ ((u + primal * du) * (s - dual * da) + (v + primal * dv) * (t + dual * da))
        mu = np.clip(left / gap, 0.0, 1.0) ** 3 * gap / (2.0 * w.sum())
        db, da, du, dv = _step(*state, mu, du * da, dv * da)
        primal, dual = _lengths(u, v, s, t, da, du, dv)
        b, u, v, r = b + primal * db, u + primal * du, v + primal * dv, r - primal * (Z @ db)
        s, t = s - dual * da, t + dual * da
        iterations += 1
    return b, _dual(level, s, t), iterations


def _dual(level, s, t):
    return np.where(s < t, level - s, t - (1.0 - level))


def _step(Z, w, inverse, missing, r, u, v, s, t, mu, u_second, v_second):
    """Newton's step towards u s = v t = mu, with the products of the predictor's steps as second-order terms."""
    theta = 1.0 / (u / s + v / t)
    pull = r - mu * (1.0 / s - 1.0 / t) - (u_second / s + v_second / t)
    db = inverse @ (Z.T @ (w * theta * pull) - missing)
    da = theta * (pull - Z @ db)
    return db, da, (mu - u * s + u_second + u * da) / s, (mu - v * t - v_second - v * da) / t


def _lengths(u, v, s, t, da, du, dv):
    """How far the primal and the dual variables may go, at most the whole step."""
    primal = max((-du / u).max(), (-dv / v).max(), 0.99995)
    dual = max((da / s).max(), (-da / t).max(), 0.99995)
    return 0.99995 / primal, 0.99995 / dual
