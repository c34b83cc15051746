"""Twins of ``mlwright._kernels.glm``: losses of generalized linear models by family and link, and Newton's method."""

import math

import numpy as np

from mlwright.reference.linalg import dense
from mlwright.reference.loss import LOSSES

_ROUNDING = 1e-20  # of the objective: where a Newton step promises less, it is the last


def _phi(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


_cdf = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float])


def _tweedie(p, y, mu):
    return mu ** (2 - p) / (2 - p) - y * mu ** (1 - p) / (1 - p)


#: Half the deviance as a function of the mean, without terms of y alone; and the variance function.
FAMILIES = {
    "normal": (lambda y, mu, p: (y - mu) ** 2 / 2, lambda mu, p: np.ones_like(mu)),
    "poisson": (lambda y, mu, p: mu - y * np.log(mu), lambda mu, p: mu),
    "gamma": (lambda y, mu, p: np.log(mu) + y / mu, lambda mu, p: mu**2),
    "tweedie": (lambda y, mu, p: _tweedie(p, y, mu), lambda mu, p: mu**p),
    "inverse_gaussian": (lambda y, mu, p: y / (2 * mu**2) - 1 / mu, lambda mu, p: mu**3),
}
#: The mean as a function of the score, and its derivative.
LINKS = {
    "identity": (lambda eta: eta, np.ones_like),
    "log": (np.exp, np.exp),
    "inverse": (lambda eta: 1 / eta, lambda eta: -1 / eta**2),
    "inverse_squared": (lambda eta: eta**-0.5, lambda eta: -0.5 * eta**-1.5),
}


def _negative_binomial(y, eta, p):
    mu = np.exp(eta)
    share, size = p * mu / (1 + p * mu), y + 1 / p
    return size * np.log1p(p * mu) - y * eta, size * share - y, size * share * (1 - share)


def _probit(y, eta, p):
    up, down = _phi(eta) / _cdf(eta), _phi(eta) / _cdf(-eta)
    value = -y * np.log(_cdf(eta)) - (1 - y) * np.log(_cdf(-eta))
    return value, (1 - y) * down - y * up, y * up * (eta + up) + (1 - y) * down * (down - eta)


def _cloglog(y, eta, p):
    t = np.exp(eta)
    gone = -np.expm1(-t)
    ratio = t * np.exp(-t) / gone
    value = (1 - y) * t - y * np.log(gone)
    return value, (1 - y) * t - y * ratio, (1 - y) * t + y * ratio * (t / gone - 1)


SPECIAL = {"negative_binomial": _negative_binomial, "probit": _probit, "cloglog": _cloglog}


def rows(name, y, eta, p):
    """Value, first derivative and second (or its expectation) of every row's loss."""
    if name in SPECIAL:
        return SPECIAL[name](y, eta, p)
    if name in LOSSES:
        twin = LOSSES[name]
        return twin.value(y, eta, p), twin.grad(y, eta, p), twin.hess(y, eta, p)
    link = next(link for link in LINKS if name.endswith("_" + link))
    family = name.removesuffix("_" + link)
    value, variance = FAMILIES[family]
    mean, slope = LINKS[link]
    mu, d = mean(eta), slope(eta)
    return value(y, mu, p), (mu - y) * d / variance(mu, p), d**2 / variance(mu, p)


def evaluate(table, loss, coef, intercept, hessian=True):
    X, shift, scale, y, w, offset = (*table, None, None)[:6]
    Z = np.column_stack([(dense(X) - shift) * scale, np.ones(len(y))])
    w = np.ones(len(y)) if w is None else w
    eta = Z @ np.append(coef, intercept) + (0.0 if offset is None else offset)
    value, g, h = (np.where(w == 0, 0.0, w * part) for part in rows(loss[0], y, eta, loss[1]))
    return value.sum(), Z.T @ g, Z.T @ (h[:, None] * Z) if hessian else None, eta


def _minimise(objective, b, free, rcond):
    """Newton's method with halved steps, to the last digit; `free` tells which parameters move."""
    value, g, H = objective(b)
    for _ in range(60):
        step = np.zeros_like(b)
        step[free] = np.linalg.lstsq(H[np.ix_(free, free)], -g[free], rcond=rcond)[0]
        t = 1.0
        while t > 1e-9 and not objective(b + t * step)[0] <= value:
            t /= 2
        if t <= 1e-9:
            break
        b = b + t * step
        if -(g @ step) <= _ROUNDING * abs(value):
            break
        value, g, H = objective(b)
    return b


def newton(table, loss, l2, fit_intercept, coef, intercept, saturated=0.0, tol=1e-4, max_iter=100):
    """The minimum by Newton's method."""
    penalty = np.append(l2, 0.0)

    def objective(b):
        total, gradient, hessian, _ = evaluate(table, loss, b[:-1], b[-1])
        return total + penalty @ b**2 / 2, gradient + penalty * b, hessian + np.diag(penalty)

    free = np.append(np.ones(len(l2), dtype=bool), fit_intercept)
    b = _minimise(objective, np.append(coef, intercept), free, 1e-13)
    return b[:-1], b[-1]


def newton_path(table, loss, l2s, fit_intercept, coef, intercept, saturated=0.0, tol=1e-4, max_iter=100):
    """Every penalty from the start."""
    fits = [newton(table, loss, l2, fit_intercept, coef, intercept) for l2 in l2s]
    return np.array([b for b, _ in fits]), np.array([b0 for _, b0 in fits])


def lbfgs_path(table, loss, l2s, fit_intercept, coef, intercept, saturated, squares, curvature, tol, max_iter):
    return newton_path(table, loss, l2s, fit_intercept, coef, intercept)


def multinomial(table, n_classes, l2, fit_intercept, coef, intercept, squares=None, tol=1e-4, max_iter=100):
    """Newton's method on all coefficients at once; intercepts, which have a common shift free, sum to zero."""
    X, shift, scale, y, w, offset = (*table, None, None)[:6]
    offset = 0.0 if offset is None else offset
    Z = np.column_stack([(dense(X) - shift) * scale, np.ones(len(y))])
    w = np.ones(len(y)) if w is None else w
    q = Z.shape[1]
    penalty = np.tile(np.append(l2, 0.0), n_classes)
    free = np.tile(np.append(np.ones(q - 1, dtype=bool), fit_intercept), n_classes)
    own = np.eye(n_classes)[y.astype(int)]

    def objective(b):
        eta = Z @ b.reshape(n_classes, q).T + offset
        eta = eta - eta.max(axis=1, keepdims=True)
        mass = np.exp(eta).sum(axis=1)
        mu = np.exp(eta) / mass[:, None]
        value = w @ (np.log(mass) - (own * eta).sum(axis=1)) + penalty @ b**2 / 2
        g = ((w[:, None] * (mu - own)).T @ Z).ravel() + penalty * b
        of_classes = (mu[:, :, None] * Z[:, None, :]).reshape(len(Z), -1)  # blocks: Z'W(mu_k [k = m] - mu_k mu_m)Z
        H = np.diag(penalty) - of_classes.T @ (w[:, None] * of_classes)
        for k in range(n_classes):
            own_block = slice(k * q, (k + 1) * q)
            H[own_block, own_block] += Z.T @ ((w * mu[:, k])[:, None] * Z)
        return value, g, H

    b = _minimise(objective, np.zeros(n_classes * q), free, 1e-12)
    b = b.reshape(n_classes, q)
    return b[:, :-1].T, b[:, -1] - b[:, -1].mean()


def class_gradient(table, n_classes, coef, intercept):
    X, shift, scale, y, w, offset = (*table, None, None)[:6]
    offset = 0.0 if offset is None else offset
    Z = (dense(X) - shift) * scale
    w = np.ones(len(y)) if w is None else w
    eta = Z @ coef + intercept + offset
    eta = eta - eta.max(axis=1, keepdims=True)
    mass = np.exp(eta).sum(axis=1)
    own = np.eye(n_classes)[y.astype(int)]
    residual = w[:, None] * (np.exp(eta) / mass[:, None] - own)
    return w @ (np.log(mass) - (own * eta).sum(axis=1)), Z.T @ residual, residual.sum(axis=0)


def moments(X, w=None):
    X = dense(X)
    w = np.ones(len(X)) if w is None else w
    return w.sum(), w @ X, w @ X**2


def fold_gradients(table, loss, fold, coef, intercept):
    X, shift, scale, y, w, offset = (*table, None, None)[:6]
    w = np.ones(len(y)) if w is None else w
    losses, gradients, held_out = [], [], np.full(len(y), np.nan)
    for f, (b, b0) in enumerate(zip(coef, intercept, strict=True)):
        seen = np.where(fold == f, 0.0, w)
        total, gradient, _, eta = evaluate((X, shift, scale, y, seen, offset), loss, b, b0, False)
        losses.append(total)
        gradients.append(gradient)
        held_out[fold == f] = eta[fold == f]
    return np.array(losses), np.array(gradients), held_out
