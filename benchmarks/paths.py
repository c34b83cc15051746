"""A library's path of penalties as something to fit: the grid, and the folds, are the same for every library."""

from typing import Any

import numpy as np
from sklearn.model_selection import KFold


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


class ChosenByFolds:
    """What LassoCV and ElasticNetCV of scikit-learn do, for a library that has paths but no class that does it.

    Their grids (100 penalties down to a thousandth), folds and choice; the paths are the library's:
    ``prepare(X, y)`` is called once with the centred rows of each fold's training set, and what it returns,
    ``path(alphas, l1_ratio)``, once a ratio; coefficients of shape (n_features, n_alphas).
    """

    def __init__(self, settings, prepare):
        self.ratios = np.atleast_1d(settings.get("l1_ratio", 1.0))
        self.n_folds, self.prepare = settings.get("cv", 5), prepare

    def fit(self, X, y):
        x_mean, y_mean = X.mean(axis=0), y.mean()
        centred = X - x_mean
        largest = np.abs(centred.T @ (y - y_mean)).max() / len(y)
        grids = [np.geomspace(largest / ratio, 1e-3 * largest / ratio, 100) for ratio in self.ratios]
        self.mse_path_ = np.mean([self._errors(X, y, fold, grids) for fold in KFold(self.n_folds).split(X)], axis=0)
        best, at = np.unravel_index(np.argmin(self.mse_path_), self.mse_path_.shape)
        self.l1_ratio_, self.alpha_ = float(self.ratios[best]), float(grids[best][at])
        path = self.prepare(centred, y - y_mean)
        self.coef_ = np.ravel(path(np.array([self.alpha_]), self.l1_ratio_))
        self.intercept_ = float(y_mean - x_mean @ self.coef_)
        return self

    def predict(self, X):
        return X @ self.coef_ + self.intercept_

    def _errors(self, X, y, fold, grids):
        """Mean squared errors of one fold's test rows, of shape (n_ratios, n_alphas)."""
        train, test = fold
        rows, target = X[train], y[train]
        x_mean, y_mean = rows.mean(axis=0), target.mean()
        rows -= x_mean
        path = self.prepare(rows, target - y_mean)
        X_test, y_test = X[test] - x_mean, y[test] - y_mean
        coefs = [path(alphas, ratio) for alphas, ratio in zip(grids, self.ratios, strict=True)]
        return np.array([np.square(y_test[:, None] - X_test @ w).mean(axis=0) for w in coefs])
