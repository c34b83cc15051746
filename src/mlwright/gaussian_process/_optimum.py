"""The search for the hyperparameters of the greatest marginal likelihood: scikit-learn's, start for start."""

import numpy as np
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result


def maximise(solver, kernel, optimizer, n_restarts, rng):
    """Set ``kernel.theta`` to the best of the optima from its own value and from random ones.

    Parameters
    ----------
    solver : object
        Whose ``likelihood(kernel, gradient)`` is wanted greatest.
    kernel : Kernel
    optimizer : "fmin_l_bfgs_b" or callable
    n_restarts : int
    rng : RandomState
    """

    def objective(theta, eval_gradient=True):
        kernel.theta = theta
        if not eval_gradient:
            return -solver.likelihood(kernel)
        value, gradient = solver.likelihood(kernel, gradient=True)
        return -value, -gradient

    bounds = kernel.bounds
    if n_restarts > 0 and not np.isfinite(bounds).all():
        raise ValueError("Multiple optimizer restarts (n_restarts_optimizer>0) requires that all bounds are finite.")
    starts = [kernel.theta, *(rng.uniform(bounds[:, 0], bounds[:, 1]) for _ in range(n_restarts))]
    optima = [_search(objective, start, bounds, optimizer) for start in starts]
    kernel.theta = min(optima, key=lambda optimum: optimum[1])[0]
    kernel._check_bounds_params()


def _search(objective, start, bounds, optimizer):
    if callable(optimizer):
        return optimizer(objective, start, bounds=bounds)
    found = scipy.optimize.minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds)
    _check_optimize_result("lbfgs", found)
    return found.x, found.fun
