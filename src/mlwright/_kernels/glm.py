"""Generalized linear models: the fused pass over the rows and Newton's method; see ``solver/glm_pass.hpp``.

The columns are seen as ``z = (X - shift) * scale``; coefficients, gradients and penalties are those of ``z``.
"""

from typing import Any, NamedTuple

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.glm

#: Columns up to which a sparse table is packed into dense blocks of rows, and may be centred there.
PACKED_COLUMNS = _core.PACKED_COLUMNS
#: ``status`` of a fit.
CONVERGED, ITERATIONS, STALLED, DIVERGING, NOT_FINITE = range(5)


class GlmLoss(NamedTuple):
    """A loss of ``loss/glm_list.hpp`` by name, with its parameter; or the address of a compiled loss of the user's.

    ``owner`` keeps what the address points to alive.
    """

    name: str
    parameter: float = 0.0
    address: int = 0
    owner: Any = None


class Table(NamedTuple):
    """What a fit reads: a design (see ``as_design``), how its columns are seen, targets, weights and offset."""

    X: Any
    shift: Any
    scale: Any
    y: Any
    w: Any = None
    offset: Any = None


def _vector(a):
    return None if a is None else layout.vector(a)


def _arguments(table, loss):
    spec = (loss[0], float(loss[1]), loss[2] if len(loss) > 2 else 0)
    return (table[0], *(_vector(a) for a in table[1:]), spec)


@kernel(
    native="glm.evaluate",
    twin="glm:evaluate",
    strategy="glm:points",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def evaluate(table, loss, coef, intercept, hessian=True):
    """Loss, gradient, Hessian (or None) in the columns ``(z, 1)``, and scores, at one point, in one read of the table.

    Parameters
    ----------
    table : Table
    loss : GlmLoss
    coef : float64 array of shape (p,)
    intercept : float
    hessian : bool

    Returns
    -------
    loss : float
        Sum over the rows.
    gradient : array of shape (p + 1,)
    hessian : array of shape (p + 1, p + 1) or None
    eta : array of shape (n,)
    """
    return _core.evaluate(*_arguments(table, loss), layout.vector(coef), float(intercept), hessian)


def fit_newton(table, loss, l2, fit_intercept, coef, intercept, saturated=0.0, tol=1e-4, max_iter=100):
    """Coefficients, intercept and facts of the fit, by Newton's method.

    Parameters
    ----------
    table, loss : as :func:`evaluate`
    l2 : float64 array of shape (p,)
        ``l2 @ coef**2 / 2`` is added to the sum of losses.
    fit_intercept : bool
    coef, intercept : where to start
    saturated : float
        The sum of losses that no model can be below.
    tol : float
        Root of ten times the share of the deviance that may be left to gain.
    max_iter : int

    Returns
    -------
    coef : array of shape (p,)
    intercept : float
    facts : dict
        ``loss``, ``decrement``, ``violation``, ``n_iter``, ``n_passes``, ``rank``, ``status``.
    """
    fit = _core.newton(
        *_arguments(table, loss),
        layout.vector(l2),
        bool(fit_intercept),
        layout.vector(coef),
        float(intercept),
        float(saturated),
        float(tol),
        int(max_iter),
    )
    return fit.pop("coef"), fit.pop("intercept"), fit


@kernel(
    native="glm.newton",
    twin="glm:newton",
    strategy="glm:fits",
    tolerance=Tolerance(rtol=1e-5, atol=1e-6),
)
def newton(*args, **kwargs):
    """The answer of :func:`fit_newton` without the facts."""
    return fit_newton(*args, **kwargs)[:2]


def fit_newton_path(table, loss, l2s, fit_intercept, coef, intercept, saturated=0.0, tol=1e-4, max_iter=100):
    """:func:`fit_newton` along penalties (m, p), each from where the one before ended; a list of its answers."""
    fits = _core.newton_path(
        *_arguments(table, loss),
        [layout.vector(l2) for l2 in l2s],
        bool(fit_intercept),
        layout.vector(coef),
        float(intercept),
        float(saturated),
        float(tol),
        int(max_iter),
    )
    return [(fit.pop("coef"), fit.pop("intercept"), fit) for fit in fits]


@kernel(
    native="glm.newton_path",
    twin="glm:newton_path",
    strategy="glm:paths",
    tolerance=Tolerance(rtol=1e-5, atol=1e-6),
)
def newton_path(*args, **kwargs):
    """The coefficients (m, p) and intercepts (m,) of :func:`fit_newton_path`."""
    fits = fit_newton_path(*args, **kwargs)
    return np.array([coef for coef, _, _ in fits]), np.array([intercept for _, intercept, _ in fits])


def fit_lbfgs(table, loss, l2, fit_intercept, coef, intercept, saturated, squares, curvature, tol, max_iter):
    """The same minimum as :func:`fit_newton` by preconditioned L-BFGS, for more columns than a Hessian may have.

    ``squares`` are the sums of ``w z**2``, ``curvature`` is about the mean second derivative of the loss.
    """
    rest = fit_intercept, coef, intercept, saturated, squares, curvature, tol, max_iter
    return fit_lbfgs_path(table, loss, [l2], *rest)[0]


def fit_lbfgs_path(table, loss, l2s, fit_intercept, coef, intercept, saturated, squares, curvature, tol, max_iter):
    """:func:`fit_lbfgs` along penalties (m, p), each from where the one before ended; a list of its answers."""
    fits = _core.lbfgs_path(
        *_arguments(table, loss),
        [layout.vector(l2) for l2 in l2s],
        bool(fit_intercept),
        layout.vector(coef),
        layout.vector(np.array([intercept])),
        float(saturated),
        _vector(squares),
        float(curvature),
        float(tol),
        int(max_iter),
    )
    return [(fit.pop("coef")[:, 0], float(fit.pop("intercept")[0]), fit) for fit in fits]


@kernel(
    native="glm.lbfgs_path",
    twin="glm:lbfgs_path",
    strategy="glm:wide_paths",
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
)
def lbfgs_path(*args, **kwargs):
    """The coefficients (m, p) and intercepts (m,) of :func:`fit_lbfgs_path`."""
    fits = fit_lbfgs_path(*args, **kwargs)
    return np.array([coef for coef, _, _ in fits]), np.array([intercept for _, intercept, _ in fits])


def fit_multinomial(table, n_classes, l2, fit_intercept, coef, intercept, squares=None, tol=1e-4, max_iter=100):
    """Coefficients of shape (p, n_classes), intercepts and facts of a multinomial model.

    ``table.y`` holds class numbers, ``table.offset`` is of shape (n, n_classes) or None. Without `squares` (sums of
    ``w z**2``) the preconditioner is a Gram matrix.
    """
    X, shift, scale, y, w, offset = table
    fit = _core.multinomial(
        X,
        _vector(shift),
        _vector(scale),
        _vector(y),
        _vector(w),
        _vector(offset),
        int(n_classes),
        layout.vector(l2),
        bool(fit_intercept),
        layout.vector(coef),
        layout.vector(intercept),
        0.0,
        _vector(squares),
        float(tol),
        int(max_iter),
    )
    return fit.pop("coef"), fit.pop("intercept"), fit


@kernel(
    native="glm.multinomial",
    twin="glm:multinomial",
    strategy="glm:class_fits",
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
)
def multinomial(*args, **kwargs):
    """The answer of :func:`fit_multinomial` without the facts."""
    return fit_multinomial(*args, **kwargs)[:2]


@kernel(
    native="glm.class_gradient",
    twin="glm:class_gradient",
    strategy="glm:class_points",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def class_gradient(table, n_classes, coef, intercept):
    """Multinomial loss, its gradient (p, n_classes) and the sums of residuals (n_classes,), in one read."""
    X, shift, scale, y, w, offset = table
    return _core.class_gradient(
        X,
        _vector(shift),
        _vector(scale),
        _vector(y),
        _vector(w),
        _vector(offset),
        int(n_classes),
        layout.vector(coef),
        layout.vector(intercept),
    )


@kernel(
    native="glm.moments", twin="glm:moments", strategy="glm:weighted_rows", tolerance=Tolerance(rtol=1e-9, atol=1e-9)
)
def moments(X, w=None):
    """Sum of the weights, and sums of ``w x`` and ``w x**2`` of every column, in one read."""
    return _core.moments(X, _vector(w))


@kernel(
    native="glm.fold_gradients",
    twin="glm:fold_gradients",
    strategy="glm:fold_points",
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
)
def fold_gradients(table, loss, fold, coef, intercept):
    """Of the fits that each leave one fold out: losses and gradients, and scores of the rows left out, in one read.

    Parameters
    ----------
    table, loss : as :func:`evaluate`
    fold : int32 array of shape (n,)
        The fit that does not see a row; -1 where all do.
    coef : float64 array of shape (n_folds, p)
    intercept : float64 array of shape (n_folds,)

    Returns
    -------
    loss : array of shape (n_folds,)
        Sums over the rows that a fit sees.
    gradient : array of shape (n_folds, p + 1)
    eta : array of shape (n,)
        Scores by the fit that does not see the row; NaN where all do.
    """
    fold = np.ascontiguousarray(fold, dtype=np.int32)
    return _core.fold_gradients(*_arguments(table, loss), fold, layout.vector(coef), layout.vector(intercept))
