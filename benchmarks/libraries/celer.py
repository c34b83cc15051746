"""celer with pruned working sets, at the tolerance of everyone. Its CV classes do not run with scikit-learn 1.9."""

from collections.abc import Mapping
from typing import Any

from celer import celer_path

from benchmarks.paths import LassoPath

Settings = Mapping[str, Any]


def lasso_path(settings: Settings):
    def path(X, y, alphas):
        return celer_path(X, y, "lasso", alphas=alphas, tol=settings["tol"], max_iter=100, prune=True)[1]

    return LassoPath(settings, path)


MODELS = {"lasso_path": lasso_path}
