"""glum, on its own matrix types made outside the clock (categorical columns too), with the Hessian it chooses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tabmat
from glum import GeneralizedLinearRegressor, TweedieDistribution

Settings = Mapping[str, Any]


class Logistic:
    """Its mean loss and ``alpha`` in the place of a sum of losses and ``C``; scikit-learn's attributes."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def fit(self, X, y):
        alpha = 1.0 / (self.settings["C"] * len(y))
        self.model = GeneralizedLinearRegressor(family="binomial", alpha=alpha, gradient_tol=self.settings["tol"] / 10)
        self.model.fit(X, np.asarray(y, dtype=np.float64))
        self.coef_, self.intercept_ = self.model.coef_[None, :], np.array([self.model.intercept_])


MODELS = {
    "logistic": Logistic,
    "poisson": lambda settings: GeneralizedLinearRegressor(
        family="poisson", alpha=settings["alpha"], gradient_tol=settings["tol"] / 10
    ),
    "policies": lambda settings: GeneralizedLinearRegressor(
        family="poisson" if settings["power"] == 1.0 else TweedieDistribution(settings["power"]),
        link="log",
        alpha=settings["alpha"],
        gradient_tol=settings["tol"] / 10,
    ),
}
PREPARE = {
    "policies": lambda data: data | {name: tabmat.from_pandas(data[name], dtype=np.float64) for name in ("X", "X_test")}
}
