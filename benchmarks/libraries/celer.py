"""celer with pruned working sets, at the tolerance of everyone. Its CV classes do not run with scikit-learn 1.9."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from celer import celer_path

from benchmarks.paths import ChosenByFolds, LassoPath

Settings = Mapping[str, Any]


def lasso_path(settings: Settings):
    def path(X, y, alphas):
        return celer_path(X, y, "lasso", alphas=alphas, tol=settings["tol"], max_iter=100, prune=True)[1]

    return LassoPath(settings, path)


def chosen_by_folds(settings: Settings):
    """Its path fold by fold."""

    def prepare(X, y):
        columns, options = np.asfortranarray(X), {"tol": settings["tol"], "max_iter": 100, "prune": True}
        return lambda alphas, l1_ratio: celer_path(
            columns, y, "lasso", alphas=alphas, l1_ratio=float(l1_ratio), **options
        )[1]

    return ChosenByFolds(settings, prepare)


MODELS = {"lasso_path": lasso_path, "lasso_cv": chosen_by_folds}
