"""The search for the hyperparameters of the greatest marginal likelihood: scikit-learn's, start for start."""

import numpy as np
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result


def maximise(likelihood, kernel, optimizer, n_restarts, rng):
    """Set ``kernel.theta`` to the best of the optima from its own value and from random ones.

    Parameters
    ----------
    likelihood : callable
        ``likelihood(theta, eval_gradient)``.
    kernel : Kernel
    optimizer : "fmin_l_bfgs_b" or callable
    n_restarts : int
    rng : RandomState

    Returns
    -------
    float
        The log marginal likelihood there.
    """

    def objective(theta, eval_gradient=True):
        if not eval_gradient:
            return -likelihood(theta, False)
        value, gradient = likelihood(theta, True)
        return -value, -gradient

    bounds = kernel.bounds
    if n_restarts > 0 and not np.isfinite(bounds).all():
        raise ValueError("Multiple optimizer restarts (n_restarts_optimizer>0) requires that all bounds are finite.")
    starts = [kernel.theta, *(rng.uniform(bounds[:, 0], bounds[:, 1]) for _ in range(n_restarts))]
    optima = [_search(objective, start, bounds, optimizer) for start in starts]
    theta, least = min(optima, key=lambda optimum: optimum[1])
    kernel.theta = theta
    kernel._check_bounds_params()
    return -float(least)


def _search(objective, start, bounds, optimizer):
    if callable(optimizer):
        return optimizer(objective, start, bounds=bounds)
    found = scipy.optimize.minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds)
    _check_optimize_result("lbfgs", found)
    return found.x, found.fun
