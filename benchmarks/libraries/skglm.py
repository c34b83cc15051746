"""skglm: its solver on Gram matrices, for more rows than columns, with warm starts; compiled before the clock runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from skglm.penalties import L1, L1_plus_L2
from skglm.solvers import GramCD

from benchmarks.paths import ChosenByFolds

Settings = Mapping[str, Any]


def chosen_by_folds(settings: Settings):
    """Penalties from large to small, each from the one before: its own CV class fits each anew.

    GramCD makes the Gram matrix of its rows for every penalty: given p rows with the same one, that costs nothing.
    """
    solver = GramCD(max_iter=100_000, tol=settings["tol"] * 10, fit_intercept=False, greedy_cd=False)

    def prepare(X, y):
        (n, p), gram = X.shape, X.T @ X
        rows = cholesky(gram * (p / n))
        target = solve_triangular(rows, X.T @ y * (p / n), trans="T")
        rows = np.asfortranarray(rows)

        def path(alphas, l1_ratio):
            w, coefs = np.zeros(p), []
            for alpha in alphas:
                penalty = L1(alpha) if l1_ratio == 1.0 else L1_plus_L2(alpha, float(l1_ratio))
                w, _, _ = solver.solve(rows, target, None, penalty, w_init=w.copy())
                coefs.append(w)
            return np.array(coefs).T

        return path

    return ChosenByFolds(settings, prepare)


MODELS = {"lasso_cv": chosen_by_folds}
