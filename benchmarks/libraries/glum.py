"""glum, on its own matrix type made outside the clock, with the Hessian it chooses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from glum import GeneralizedLinearRegressor

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
}
