"""What is asked of a fitted mixture: densities, components of rows, draws."""

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from mlwright._runtime.errors import NumericalError
from mlwright.mixture._covariances import precisions_of
from mlwright.mixture._rows import FLOATS, rows_of


class MixtureAnswers(DensityMixin):
    """A subclass gives ``_gaussians()``, the components that a pass over rows needs, and ``_parameters()``."""

    @property
    def precisions_(self):
        """Inverses of the covariances, in their shape."""
        return precisions_of(self.precisions_cholesky_, self._type)

    def _answers(self, X):
        """Log densities and responsibilities in float64, and the dtype to answer in: that of rows and mixture."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS, order="C", ensure_all_finite="allow-nan")
        found = rows_of(X.astype(np.float64, copy=False), None).answers(self._gaussians())
        return *found, np.result_type(X, self.means_)

    def _responsibilities(self, X):
        _, found, dtype = self._answers(X)
        lost = np.isnan(found).any(axis=1)
        if lost.any():
            raise NumericalError(
                f"{type(self).__name__}: row {lost.argmax()} of X has no density above zero under any component, since "
                "squares of its distances overflow; expected rows nearer to the components."
            )
        return found.astype(dtype, copy=False)

    def score_samples(self, X):
        """Log density of each row; of a row with NaN, that of what is observed of it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_prob : ndarray of shape (n_samples,)
        """
        found, _, dtype = self._answers(X)
        return found.astype(dtype, copy=False)

    def score(self, X, y=None):
        """Mean log density of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        log_likelihood : float
        """
        return float(self._answers(X)[0].mean())

    def predict(self, X):
        """The most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : int ndarray of shape (n_samples,)
        """
        return self._responsibilities(X).argmax(axis=1)

    def predict_proba(self, X):
        """The probability of each component, given the row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        resp : ndarray of shape (n_samples, n_components)
        """
        return self._responsibilities(X)

    def sample(self, n_samples=1):
        """Draw rows from the fitted mixture, component by component.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        y : int ndarray of shape (n_samples,)
            Component of each row.

        Raises
        ------
        ValueError
            If n_samples is below 1.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"Invalid value for 'n_samples': {n_samples}. The sampling requires at least one sample; got fewer."
            )
        rng = check_random_state(self.random_state)
        counts = rng.multinomial(n_samples, self._shares())
        parameters = self._parameters()
        X = np.vstack([self._draws(rng, parameters, k, int(count)) for k, count in enumerate(counts)])
        return X, np.repeat(np.arange(len(counts)), counts)

    def _shares(self):
        """The weights; rounded ones add up to one again, as NumPy wants them to."""
        if self.weights_.dtype == np.float64:
            return self.weights_
        weights = self.weights_.astype(np.float64)
        return weights / weights.sum()

    def _draws(self, rng, parameters, k, count):
        mean, covariances = parameters.means[k], parameters.covariances
        if self._type in ("full", "tied"):
            return rng.multivariate_normal(mean, covariances[k] if self._type == "full" else covariances, count)
        return mean + rng.standard_normal(size=(count, len(mean))) * np.sqrt(covariances[k])
