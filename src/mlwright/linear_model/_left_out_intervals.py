"""Intervals of fits that keep no moments of their rows, from the residuals of rows left out: the jackknife."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from mlwright.base import check_coverage
from mlwright.io.composite import Maybe
from mlwright.io.schema import Tensor
from mlwright.linear_model._residual_law import N_LEVELS, between_levels, residual_levels

#: To stand in the ``_model_state`` of an estimator with :class:`LeftOutIntervals`.
LEFT_OUT_LEVELS = {"_left_out_levels": Maybe(Tensor("f8", str(N_LEVELS), f"t {N_LEVELS}"))}


class LeftOutIntervals:
    """Mixin: its fits call ``_keep_left_out`` at their end."""

    def predict_interval(self, X, coverage=0.9):
        """Central predictive interval for new observations.

        By the normal law of least squares with the fit's penalty, on the support where coefficients are zero, as if
        that had been given. Where the fit formed no moments (more columns than rows, and than a Gram matrix is worth),
        by the quantiles of residuals of rows left out one by one: no law is assumed but that it is the same at every x.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Probability that a new observation falls inside, between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_targets, 2)
            Lower and upper ends, in the last axis.

        References
        ----------
        Barber, Candes, Ramdas and Tibshirani (2021), Predictive inference with the jackknife+. Annals of Statistics 49.
        """
        check_is_fitted(self)
        levels = getattr(self, "_left_out_levels", None)
        if levels is None:
            return super().predict_interval(X, coverage)
        coverage = check_coverage(coverage)
        ends = np.apply_along_axis(between_levels, -1, levels, coverage)
        return self.predict(X)[..., None] + ends

    def _keep_left_out(self, residuals=None, w=None):
        """Residuals (n, t) of rows left out, in the shape of predictions; None takes those of an earlier fit away."""
        vars(self).pop("_left_out_levels", None)
        if residuals is None:
            return
        seen = slice(None) if w is None else w > 0.0
        levels = np.array([residual_levels(one[seen], None if w is None else w[seen]) for one in residuals.T])
        self._left_out_levels = levels[0] if self.coef_.ndim == 1 else levels
