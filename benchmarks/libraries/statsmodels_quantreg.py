"""statsmodels' quantile regression, one level after another."""

from collections.abc import Mapping
from typing import Any

import statsmodels.api as sm

from benchmarks.levels import EachLevel

Settings = Mapping[str, Any]


def quantiles(settings: Settings):
    def fit_one(level, X, y):
        result = sm.QuantReg(y, sm.add_constant(X)).fit(q=level)
        return lambda rows: result.predict(sm.add_constant(rows, has_constant="add"))

    return EachLevel(fit_one, settings["quantiles"])


MODELS = {"linear_quantiles": quantiles}
