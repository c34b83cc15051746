"""Intervals around point predictions from residuals of rows that trees were not grown on: split conformal prediction.

The ends are the order statistics ``floor((m + 1) a)`` and ``ceil((m + 1) (1 - a))``, ``a = (1 - coverage) / 2``, of the
residuals of m held-out rows: if those and the new row are exchangeable, the new target lies inside with probability of
at least the coverage, on average over held-out rows and new row.

References
----------
Papadopoulos et al., "Inductive confidence machines for regression", ECML 2002. Lei et al., "Distribution-free
predictive inference for regression", JASA 113 (2018).
"""

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlwright._runtime.errors import ModelFormatError
from mlwright.base import check_coverage
from mlwright.ensemble._boosting.features import features_for_predict
from mlwright.ensemble._boosting.rows import Rows, weights_for_fit

_MOST_RESIDUALS = 10_000  # ends of a 99 % interval then scatter by 0.1 % of coverage


class ConformalIntervalMixin:
    """``predict_interval`` of an estimator of one number a row."""

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
        interval = conformal_interval(self.predict(X), self._spread, self._residuals, coverage)
        return np.maximum(interval, 0.0) if self._link == "log" else interval

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
        check_is_fitted(self)
        X = features_for_predict(self, X)
        y = self._encode_again(_check_y(y, estimator=self), "y")
        check_consistent_length(X, y)
        self._residuals = self._residuals_on(Rows(X, y, weights_for_fit(sample_weight, X)))
        return self

    def _keep(self, fit):
        super()._keep(fit)
        self._residuals = None if fit.validation is None else self._residuals_on(fit.validation)

    def _residuals_on(self, rows):
        rows = sample_for_residuals(rows, self._seed)
        predictions = self._mean_of(self._forest().predict_raw(rows.X)[0])
        return residuals_of(rows.y, predictions, self._spread, rows.weight)

    def _validate_state(self):
        super()._validate_state()
        check_residuals(type(self).__name__, self._residuals)


def sample_for_residuals(rows, seed):
    """At most 10,000 of the held-out rows, drawn at random: they stay exchangeable."""
    rows = rows.without_zero_weights()
    n = len(rows.y)
    if n <= _MOST_RESIDUALS:
        return rows
    kept = np.sort(np.random.default_rng(seed).choice(n, _MOST_RESIDUALS, replace=False))
    return rows.take(kept)


def residuals_of(y, predictions, spread, weight):
    """Sorted residuals, divided by the predictions to the power ``spread``, and their weights: shape (2, m).

    Integer weights are repetitions; others are scaled to a mean of 1.
    """
    residuals = (y - predictions) / _scale(predictions, spread)
    weight = np.ones(len(y)) if weight is None else weight
    if (weight != np.floor(weight)).any():
        weight = weight / weight.mean()
    order = np.argsort(residuals, kind="stable")
    return np.stack([residuals[order], weight[order]])


def conformal_interval(predictions, spread, residuals, coverage):
    """Lower and upper ends of shape (n, 2)."""
    if residuals is None:
        raise ValueError(
            "predict_interval: this model held out no rows when it was fitted, expected some; fit with "
            "early_stopping=True and a validation_fraction or X_val, or call calibrate_interval(X, y) with rows that "
            "it was not fitted on"
        )
    up_to = np.cumsum(residuals[1])
    tail = (1 - coverage) / 2
    # The slack keeps 0.05 * 100 from becoming 4.999...
    low = np.floor((up_to[-1] + 1) * tail + 1e-9)
    high = np.ceil((up_to[-1] + 1) * (1 - tail) - 1e-9)
    if low < 1 or high > up_to[-1] + 1e-9:
        raise ValueError(
            f"coverage: got {coverage}, for which at least {int(np.ceil(1 / tail - 1e-9)) - 1} held-out rows are "
            f"needed, and {up_to[-1]:g} were held out; ask for less coverage or hold out more rows"
        )
    ends = residuals[0][np.minimum(np.searchsorted(up_to, [low - 1e-9, high - 1e-9]), residuals.shape[1] - 1)]
    return predictions[:, None] + ends * _scale(predictions, spread)[:, None]


def check_residuals(name, residuals):
    """ModelFormatError unless they are what :func:`residuals_of` makes."""
    if residuals is None:
        return
    if residuals.shape[1] == 0 or (np.diff(residuals[0]) < 0).any() or not (residuals[1] > 0).all():
        raise ModelFormatError(f"{name}: its held-out residuals are not sorted or not weighted; the model is damaged")


def _scale(predictions, spread):
    if spread == 0:
        return np.ones(len(predictions))
    return np.maximum(predictions, np.finfo(np.float64).tiny) ** spread
