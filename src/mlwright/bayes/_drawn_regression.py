"""Linear regressions whose posterior is known by draws of coefficients and noise."""

import numpy as np

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import LawInParts
from mlwright._bayesian.loo import keep_loo, loo_by_importance
from mlwright._bayesian.mixtures import NormalMixture
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import normal
from mlwright._validation import require_finite, rows_for_predict
from mlwright.linear_model._base import linear_predict

_INTERCEPT, _NOISE = 7304, 7305  # streams
_LAW_DRAWS = _LOO_DRAWS = 1000


class DrawnRegression(BayesianMixin):
    """A subclass gives ``_posterior_draws`` with ``coef``, ``intercept`` and ``noise_variance``."""

    def predict(self, X, return_std=False):
        """Predict with the posterior mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of new observations too.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            With ``return_std=True``; from 1000 draws of the coefficients and the noise.
        """
        mean = linear_predict(self, X, accept_sparse=False)
        return (mean, self._predictive_law(X).deviation()) if return_std else mean

    def _predictive_law(self, X):
        X, draws = self._checked(X), self._posterior_draws(_LAW_DRAWS, 0)
        sds = np.sqrt(draws["noise_variance"])

        def of_rows(begin, end):
            return NormalMixture(affine_map(as_design(X[begin:end]), draws["coef"], draws["intercept"]).T, sds)

        return LawInParts(len(X), len(sds), of_rows)

    def _checked(self, X):
        X, is_finite = rows_for_predict(self, X, accept_sparse=False)
        if not is_finite:
            require_finite(self, X)
        return X

    def _predictive_draws(self, X, n_samples, seed):
        X, draws = self._checked(X), self._posterior_draws(n_samples, seed)
        noise = normal(seed, _NOISE, n_samples * len(X)).reshape(n_samples, len(X))
        mean = affine_map(as_design(X), draws["coef"], draws["intercept"]).T
        return mean + noise * np.sqrt(draws["noise_variance"])[:, None]

    def _score_loo(self, rows, most=_LOO_DRAWS):
        """Leave-one-out scores of the rows of the fit, from `most` draws or fewer."""
        n_draws = min(most, _LOO_DRAWS)
        draws = self._posterior_draws(n_draws, 0)
        variance = draws["noise_variance"]

        def log_likelihood(begin, end):
            mean = affine_map(as_design(rows.X[begin:end]), draws["coef"], draws["intercept"])
            return -0.5 * ((rows.y[begin:end] - mean) ** 2 / variance + np.log(2.0 * np.pi * variance))

        keep_loo(self, *loo_by_importance(len(rows.y), n_draws, log_likelihood, rows.w), w=rows.w)


def drawn_intercepts(draws, mean, variance, seed):
    """Given coefficients and noise; `mean` is of the columns and of y, `variance` the intercept's by the noise's."""
    around = normal(seed, _INTERCEPT, len(draws["coef"])) * np.sqrt(draws["noise_variance"] * variance)
    return mean[-1] + around - (draws["coef"] * mean[:-1]).sum(axis=1)
