"""What draws of trees and noise say of rows: means, draws, the predictive law, chains to be diagnosed."""

import numpy as np

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.mixtures import NormalMixture
from mlwright._kernels import bart
from mlwright._kernels.rng import normal
from mlwright._runtime.threads import limit
from mlwright.bayes._bart.target import UNIT

_NOISE_STREAM = 7101
_FARTHEST = 512.0  # logarithm of a variance, in units of the range of y: chains go no farther


class NormalAnswers:
    """Of :class:`BARTRegressor`: f is a sum of trees, the noise normal, its variance common or a product of trees."""

    def _log_likelihood(self, codes, y, f):
        """Of targets under every draw: shape (draws, rows)."""
        sds = self._sds(codes)
        z = (y - f) / sds
        return -0.5 * z * z - np.log(sds) - 0.5 * np.log(2.0 * np.pi)

    def _sds(self, codes):
        """Standard deviation of the noise under every draw: shape (draws, 1) where it is that of all rows."""
        if self._variance_trees is None:
            return self.sigma_.reshape(-1, 1)
        n_trees = len(self._variance_trees["ends"]) // self._n_draws
        with limit(self.n_jobs):
            logs = bart.sums(self._variance_trees, n_trees, codes, 0.0, bart.LOG_UNIT)
        return self._scale / UNIT * np.exp(0.5 * np.clip(logs, -_FARTHEST, _FARTHEST))

    def predict(self, X, return_std=False):
        """Mean of the posterior predictive law.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of new observations, noise included.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            Only with `return_std`.
        """
        codes = self._coded(X)
        mean, variance = np.empty(len(codes)), np.empty(len(codes))
        for rows, (sums,) in self._blocks(codes):
            mean[rows] = sums.mean(axis=0)
            if return_std:
                variance[rows] = sums.var(axis=0) + (self._sds(codes[rows]) ** 2).mean(axis=0)
        return (mean, np.sqrt(variance)) if return_std else mean

    def predict_draws(self, X):
        """f at rows under every draw of every chain.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        f : ndarray of shape (n_chains, n_draws, n_samples)
        """
        codes = self._coded(X)
        out = np.empty((self.sigma_.size, len(codes)))
        for rows, (sums,) in self._blocks(codes):
            out[:, rows] = sums
        return out.reshape(*self.sigma_.shape, len(codes))

    def predict_sigma_draws(self, X):
        """Standard deviation of the noise at rows under every draw of every chain.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)

        Returns
        -------
        sigma : ndarray of shape (n_chains, n_draws, n_samples)
            Of a row of weight 1. Without `n_variance_trees` that of ``sigma_``, the same at all rows.
        """
        codes = self._coded(X)
        out = np.empty((self.sigma_.size, len(codes)))
        for rows in self._blocks_of(len(codes)):
            out[:, rows] = self._sds(codes[rows])
        return out.reshape(*self.sigma_.shape, len(codes))

    def _predictive_law(self, X):
        return _BlockedMixture(self, self._coded(X))

    def _posterior_draws(self, n_samples, seed):
        return self._chains().pick(n_samples, seed)

    def _predictive_draws(self, X, n_samples, seed):
        codes = self._coded(X)
        picked = Chains({"at": np.arange(self.sigma_.size).reshape(self.sigma_.shape)}).pick(n_samples, seed)["at"]
        out = normal(seed, _NOISE_STREAM, n_samples * len(codes)).reshape(n_samples, len(codes))
        for rows, (sums,) in self._blocks(codes):
            out[:, rows] *= self._sds(codes[rows])[picked]
            out[:, rows] += sums[picked]
        return out

    def _chains(self):
        f = np.concatenate([sums for _, (sums,) in self._blocks(self._watched)], axis=1)
        sigma = self.sigma_ if self._variance_trees is None else self._by_chain(self._sds(self._watched))
        return Chains({"sigma": sigma, "f": self._by_chain(f)})


class _BlockedMixture:
    """The predictive law at rows of codes, whose means are made a block of rows at a time."""

    def __init__(self, model, codes):
        self._model, self._codes = model, codes

    def quantiles(self, levels):
        out = np.empty((len(self._codes), len(levels)))
        for rows, (sums,) in self._model._blocks(self._codes):
            sds = self._model._sds(self._codes[rows])
            out[rows] = NormalMixture(sums, sds if sds.shape[1] > 1 else sds[:, 0]).quantiles(levels)
        return out
