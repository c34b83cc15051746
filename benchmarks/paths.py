"""A path of lasso penalties as something to fit: the grid is the same for every library."""

from typing import Any

import numpy as np


class LassoPath:
    """Calls ``path(X, y, alphas)``, which returns coefficients of shape (n_features, n_alphas).

    The largest penalty is the least that leaves no coefficient; data are taken to need no intercept.
    """

    def __init__(self, settings, path):
        self.settings, self.path = settings, path

    def fit(self, X, y):
        largest = np.abs(X.T @ y).max() / len(y)
        self.alphas_ = np.geomspace(largest, largest * self.settings["eps"], self.settings["alphas"])
        self.coefs_: Any = self.path(X, y, self.alphas_)
        return self
