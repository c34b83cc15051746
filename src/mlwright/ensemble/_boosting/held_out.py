"""Errors on rows that no tree was grown on: what intervals and sets with a stated coverage are made from.

Split conformal prediction: if m held-out rows and the new row are exchangeable, the error of the new one is at most the
``ceil((m + 1) c)``-th smallest of theirs with probability of at least c, on average over held-out rows and new row;
whatever the model, and whatever the law of the data.

References
----------
Papadopoulos et al., "Inductive confidence machines for regression", ECML 2002. Lei et al., "Distribution-free
predictive inference for regression", JASA 113 (2018).
"""

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlwright._conformal import as_repetitions, order_statistics
from mlwright._runtime.errors import ModelFormatError
from mlwright.ensemble._boosting.rows import Rows, weights_for_fit

_MOST_ROWS = 10_000  # ends of a 99 % interval then scatter by 0.1 % of coverage


class HeldOutMixin:
    """Keeps the errors of the rows held out, sorted, with weights: ``_residuals`` of shape (2, m), or None.

    A subclass gives ``_errors_of(rows)``, a number a row.
    """

    def _keep(self, fit):
        super()._keep(fit)
        self._residuals = None if fit.validation is None else self._residuals_on(fit.validation)

    def _calibrate(self, X, y, sample_weight):
        check_is_fitted(self)
        X = self._rows_to_predict(X)
        y = self._encode_again(_check_y(y, estimator=self), "y")
        check_consistent_length(X, y)
        self._residuals = self._residuals_on(Rows(X, y, weights_for_fit(sample_weight, X)))
        return self

    def _residuals_on(self, rows):
        rows = _sample(rows.without_zero_weights(), self._seed)
        return _sorted(self._errors_of(rows), rows.weight)

    def _validate_state(self):
        super()._validate_state()
        residuals = self._residuals
        if residuals is None:
            return
        if residuals.shape[1] == 0 or (np.diff(residuals[0]) < 0).any() or not (residuals[1] > 0).all():
            raise ModelFormatError(
                f"{type(self).__name__}: its held-out errors are not sorted or not weighted; the model is damaged"
            )


def _sample(rows, seed):
    """At most 10,000 of the rows, drawn at random: they stay exchangeable."""
    n = len(rows.y)
    if n <= _MOST_ROWS:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(n, _MOST_ROWS, replace=False)))


def _sorted(errors, weight):
    weight = np.ones(len(errors)) if weight is None else as_repetitions(weight)
    order = np.argsort(errors, kind="stable")
    return np.stack([errors[order], weight[order]])


def held_out(residuals, method, calibrate):
    """The errors; ValueError where there are none."""
    if residuals is None:
        raise ValueError(
            f"{method}: this model held out no rows when it was fitted, expected some; fit with early_stopping=True "
            f"and a validation_fraction or X_val, or call {calibrate}(X, y) with rows that it was not fitted on"
        )
    return residuals


def held_out_statistics(residuals, coverage, below, above):
    """`order_statistics` of what `held_out` gives."""
    return order_statistics(*residuals, coverage, below, above, "hold out more rows")
