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

from mlwright._runtime.errors import ModelFormatError
from mlwright.ensemble._boosting.rows import Rows, weights_for_fit

_MOST_ROWS = 10_000  # ends of a 99 % interval then scatter by 0.1 % of coverage
_SLACK = 1e-9  # keeps 0.05 * 100 from becoming 4.999...


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
    """Integer weights are repetitions; others are scaled to a mean of 1."""
    weight = np.ones(len(errors)) if weight is None else weight
    if (weight != np.floor(weight)).any():
        weight = weight / weight.mean()
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


def order_statistics(residuals, coverage, below, above):
    """The errors between which a new one lies: less than a share ``below`` of all under the first, likewise above.

    A share of None asks for no bound on that side, and gets None.
    """
    up_to = np.cumsum(residuals[1])
    low = None if below is None else np.floor((up_to[-1] + 1) * below + _SLACK)
    high = None if above is None else np.ceil((up_to[-1] + 1) * (1 - above) - _SLACK)
    if (low is not None and low < 1) or (high is not None and high > up_to[-1] + _SLACK):
        needed = int(np.ceil(1 / min(share for share in (below, above) if share is not None) - _SLACK)) - 1
        raise ValueError(
            f"coverage: got {coverage}, for which at least {needed} held-out rows are needed, and {up_to[-1]:g} were "
            "held out; ask for less coverage or hold out more rows"
        )
    return tuple(None if rank is None else residuals[0][_place(up_to, rank)] for rank in (low, high))


def _place(up_to, rank):
    return min(int(np.searchsorted(up_to, rank - _SLACK)), len(up_to) - 1)
