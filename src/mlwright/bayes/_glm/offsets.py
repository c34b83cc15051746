"""The contract of a Bayesian estimator for rows that bring offsets or exposures."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright._bayesian.contract import BayesianMixin
from mlwright.linear_model._glm._base import checked_offset


class RowsWithOffset(NamedTuple):
    """What stands for X in the hooks of the contract."""

    X: Any
    offset: Any


def read_offset(law, offset, exposure, n):
    """What is added to the scores, or None."""
    offset = checked_offset(offset, n)
    if exposure is None:
        return offset
    if law.link != "log":
        raise ValueError(f"exposure: got one with link {law.link!r}, expected the log link; use offset.")
    exposure = checked_offset(exposure, n, "exposure")
    if not (exposure > 0).all():
        row = int(np.flatnonzero(~(exposure > 0))[0])
        raise ValueError(f"exposure: row {row} is {exposure[row]}, expected numbers > 0; remove such rows.")
    return np.log(exposure) if offset is None else offset + np.log(exposure)


class OffsetContract(BayesianMixin):
    """A subclass has ``_law``; its hooks take :class:`RowsWithOffset` in the place of X."""

    def _with_offset(self, X, offset, exposure):
        check_is_fitted(self)
        if offset is None and exposure is None:
            return RowsWithOffset(X, None)
        n = len(X) if hasattr(X, "__len__") else X.shape[0]
        return RowsWithOffset(X, read_offset(self._law, offset, exposure, n))

    def predict_interval(self, X, coverage=0.9, *, offset=None, exposure=None):
        """Central predictive interval for new observations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Probability that a new observation falls inside, between 0 and 1, exclusive.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
        """
        return super().predict_interval(self._with_offset(X, offset, exposure), coverage)

    def predict_quantiles(self, X, quantiles=(0.05, 0.5, 0.95), *, offset=None, exposure=None):
        """Quantiles of the predictive law of new observations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        quantiles : float or array-like of shape (n_quantiles,), default=(0.05, 0.5, 0.95)
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        values : ndarray of shape (n_samples, n_quantiles)
            Or (n_samples,) for a single level.
        """
        return super().predict_quantiles(self._with_offset(X, offset, exposure), quantiles)

    def sample_predictive(self, X, n_samples=1000, random_state=None, *, offset=None, exposure=None):
        """Draw new observations at rows: each draw has parameters of its own, shared by its rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        n_samples : int, default=1000
        random_state : int, RandomState instance, Generator or None, default=None
        offset, exposure : array-like of shape (n_rows,), default=None
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples, n_rows)
        """
        return super().sample_predictive(self._with_offset(X, offset, exposure), n_samples, random_state)
