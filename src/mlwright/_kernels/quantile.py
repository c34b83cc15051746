"""Linear quantile regression by an interior point method; see ``solver/frisch_newton.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


def _vector(a):
    return None if a is None else layout.vector(a)


@kernel(
    native="quantile.frisch_newton",
    twin="quantile:frisch_newton",
    strategy="quantile:rows_and_levels",
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
)
def frisch_newton(X, y, w, levels, shift, scale, ones, l1=None, rhs=None, *, tol=1e-11, max_iter=100, n_iter=None):
    """Coefficients and dual variables of several levels.

    Parameters
    ----------
    X : array of shape (n, p) or CSR tuple
    y : float64 array of shape (n,)
    w : float64 array of shape (n,), optional
        Positive weights.
    levels : float64 array of shape (k,)
        Between 0 and 1, exclusive.
    shift, scale : float64 arrays of shape (p,)
        The columns are ``(X - shift) * scale``, and a one where `ones`: q altogether.
    ones : bool
    l1 : float64 array of shape (p,), optional
        Penalty of each coefficient's absolute value.
    rhs : float64 array of shape (k, q), optional
        Gradient of a linear term of the objective: of rows left out whose residuals' signs are known.
    tol : float
        Of the gap between primal and dual, relative to the objective.
    max_iter : int
    n_iter : int array of shape (k,), optional
        Is given the numbers of iterations.

    Returns
    -------
    coef : array of shape (k, q)
    dual : array of shape (k, n)
        ``level - 1 <= dual <= level``: the slope of each row's loss.
    """
    coef, dual, iterations = core.quantile.frisch_newton(
        X, _vector(y), _vector(w), _vector(levels), _vector(shift), _vector(scale), ones, _vector(l1), _vector(rhs),
        float(tol), int(max_iter),
    )  # fmt: skip
    if n_iter is not None:
        np.copyto(n_iter, iterations)
    return coef, dual
