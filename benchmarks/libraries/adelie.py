"""adelie: the whole path, without stopping early, at the tolerance that equal objectives need."""

from collections.abc import Mapping
from typing import Any

import adelie
import numpy as np

from benchmarks.machine import THREADS
from benchmarks.paths import ChosenByFolds, LassoPath

Settings = Mapping[str, Any]


def options(settings: Settings) -> dict[str, Any]:
    """Its ``tol`` is of a step's change of the objective, not of a gap."""
    return {"early_exit": False, "tol": settings["tol"] * 1e-2, "n_threads": THREADS, "progress_bar": False}


def lasso_path(settings: Settings):
    def path(X, y, alphas):
        state = adelie.grpnet(
            adelie.matrix.dense(X, method="naive", n_threads=THREADS),
            adelie.glm.gaussian(y),
            lmda_path=alphas,
            intercept=False,
            **options(settings),
        )
        return state.betas.toarray().T

    return LassoPath(settings, path)


def chosen_by_folds(settings: Settings):
    """Its covariance method, which it has for many more rows than columns: one Gram matrix a fold, by BLAS.

    Its own ``cv_grpnet`` reads the rows for each penalty and shuffles them.
    """

    def prepare(X, y):
        gram, cross = np.asfortranarray(X.T @ X / len(y)), X.T @ y / len(y)

        def path(alphas, l1_ratio):
            state = adelie.gaussian_cov(gram, cross, alpha=float(l1_ratio), lmda_path=alphas, **options(settings))
            return state.betas.toarray().T

        return path

    return ChosenByFolds(settings, prepare)


MODELS = {"lasso_path": lasso_path, "lasso_cv": chosen_by_folds, "elastic_net_cv": chosen_by_folds}
