"""Intervals around point predictions that hold new targets with a stated probability.

The ends are the order statistics ``floor((m + 1) a)`` and ``ceil((m + 1) (1 - a))``, ``a = (1 - coverage) / 2``, of the
residuals of m held-out rows, in units of the spread that goes with a prediction.
"""

import numpy as np

from mlwright.base import check_coverage
from mlwright.ensemble._boosting.held_out import HeldOutMixin, held_out, held_out_statistics

_RANGES = {"identity": (-np.inf, np.inf), "log": (0.0, np.inf), "logit": (0.0, 1.0)}  # of targets, by link


class ConformalIntervalMixin(HeldOutMixin):
    """``predict_interval`` of an estimator of one number a row; its errors are scaled residuals."""

    def predict_interval(self, X, coverage=0.9):
        """Intervals that new targets lie in with the given probability, by split conformal prediction.

        Held-out rows are those of early stopping (``validation_fraction``, or X_val of `fit`), or those of
        `calibrate_interval`; at most 10,000 of them are used. If they and the new rows are exchangeable, the share of
        new targets inside is at least `coverage`, on average; for a particular row nothing is promised. Stopping early
        on the same rows favours them a little. Residuals of 'poisson', 'gamma' and 'tweedie' are compared in units of
        the standard deviation that goes with the prediction. Integer weights count as repetitions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper ends.

        Raises
        ------
        ValueError
            If no rows were held out, or too few for the coverage.
        """
        coverage = check_coverage(coverage)
        predictions = self.predict(X)
        residuals = held_out(self._residuals, "predict_interval", "calibrate_interval")
        tail = (1 - coverage) / 2
        ends = np.array(held_out_statistics(residuals, coverage, tail, tail))
        interval = predictions[:, None] + ends * _scale(predictions, self._spread)[:, None]
        return np.clip(interval, *_RANGES[self._link])

    def calibrate_interval(self, X, y, sample_weight=None):
        """Take the residuals that `predict_interval` reads from these rows, which the model was not fitted on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        return self._calibrate(X, y, sample_weight)

    def _errors_of(self, rows):
        predictions = self._mean_of(self._forest().predict_raw(rows.X)[0])
        return (rows.y - predictions) / _scale(predictions, self._spread)


def _scale(predictions, spread):
    if spread == 0:
        return np.ones(len(predictions))
    return np.maximum(predictions, np.finfo(np.float64).tiny) ** spread
