"""statsmodels: OLS by its default, the pseudo-inverse (its QR route is no faster on tall tables)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import statsmodels.api as sm

from benchmarks.inference import WithErrors, clusters

Settings = Mapping[str, Any]


def ols(settings: Settings):
    def errors_of(X, y):
        kind = settings["cov_type"]
        groups = {"groups": clusters(len(y), settings["n_groups"])} if kind == "cluster" else None
        result = sm.OLS(y, X).fit(cov_type=kind, cov_kwds=groups)
        return result.params, result.bse

    return WithErrors(errors_of)


def with_constant(data: dict[str, Any]) -> dict[str, Any]:
    """Its users add the column of ones themselves: outside the clock."""
    return data | {"X": np.column_stack([np.ones(len(data["y"])), data["X"]])}


MODELS = {"ols_inference": ols}
PREPARE = {"ols_inference": with_constant}
