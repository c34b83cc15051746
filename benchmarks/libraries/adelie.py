"""adelie: the whole path, without stopping early, at the tolerance that equal objectives need."""

from collections.abc import Mapping
from typing import Any

import adelie

from benchmarks.machine import THREADS
from benchmarks.paths import LassoPath


def lasso_path(settings: Mapping[str, Any]):
    def path(X, y, alphas):
        state = adelie.grpnet(
            adelie.matrix.dense(X, method="naive", n_threads=THREADS),
            adelie.glm.gaussian(y),
            lmda_path=alphas,
            intercept=False,
            early_exit=False,
            tol=settings["tol"] * 1e-2,  # of a step's change of the objective, not of a gap
            n_threads=THREADS,
            progress_bar=False,
        )
        return state.betas.toarray().T

    return LassoPath(settings, path)


MODELS = {"lasso_path": lasso_path}
