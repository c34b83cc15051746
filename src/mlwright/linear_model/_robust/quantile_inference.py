"""Inference of quantile regression: what it refuses, the rows that it needs, what a fit keeps of it."""

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.base import as_fitted
from mlwright.linear_model._glm._base import usable_weights
from mlwright.linear_model._inference import quantile
from mlwright.linear_model._inference.covariance import Kind
from mlwright.linear_model._inference.door import InferenceMixin
from mlwright.linear_model._inference.kept import MOST_PARAMETERS, kept_of, require_sound, restored


class QuantileInferenceMixin(InferenceMixin):
    """``inference`` and what goes with it, for fits without a penalty; Student's t, as statsmodels has it.

    ``inference(X, y, kernel=, bandwidth=)`` say how the density of the residuals at zero is estimated: kernels
    "epanechnikov" (the default), "biweight", "cosine", "gaussian", "parzen"; bandwidths "hall-sheather" (the default),
    "bofinger", "chamberlain".
    """

    _rows_come_with = ("kernel", "bandwidth")

    def _refuse_inference(self):
        if as_fitted(self, "alpha") != 0:
            raise ValueError(
                "QuantileRegressor: a penalty biases the coefficients on purpose, and they have no standard errors; "
                "expected a fit without one (alpha=0); or choose features by the penalty on other rows first."
            )

    def _rows_for_inference(self, X, y, sample_weight, kernel="epanechnikov", bandwidth="hall-sheather"):
        smoothing = quantile.Smoothing(kernel, bandwidth)
        rows = rows_for_fit(self, X, y, None, reset=False, multi_output=False)
        w = usable_weights(sample_weight, rows.X)
        if not np.isfinite(rows.y).all():
            explain_not_finite(self, rows)
        return quantile.QuantileRows.of(rows, w, smoothing)

    def _infer(self, rows, kind, use_t, weights):
        if weights != "frequency":
            raise ValueError(f"QuantileRegressor: weights={weights!r} is for least squares; expected 'frequency'.")
        names, params = self._names_and_params()
        if rows is not None:
            results = quantile.infer(self, self._levels(), params, rows, kind, use_t)
        elif getattr(self, "_inference", None) is None:
            raise ValueError(
                "QuantileRegressor: the fit kept no standard errors (dependent columns, a level too near 0 or 1, few "
                f"rows, or more than {MOST_PARAMETERS} parameters); expected inference(X, y) with the rows it was "
                "fitted on, which says why."
            )
        else:
            results = [restored(kept, names, b, use_t) for kept, b in zip(self._inference, params, strict=True)]
        return results if np.ndim(as_fitted(self, "quantile")) else results[0]

    def _names_and_params(self):
        """Of the intercept, where there is one, and the coefficients; the latter of shape (levels, k)."""
        a = int(as_fitted(self, "fit_intercept"))
        coef = np.atleast_2d(np.asarray(self.coef_, dtype=np.float64))
        params = np.column_stack([np.atleast_1d(self.intercept_), coef]) if a else coef
        return ("intercept",) * a + tuple(self._parameter_names()), params

    def _keep_inference(self, given):
        self._inference = None
        if self.alpha == 0 and self.converged_ and given.X.shape[1] < MOST_PARAMETERS:
            rows, (_, params) = quantile.QuantileRows.of(given, given.w), self._names_and_params()
            kind = Kind("nonrobust")
            self._inference = kept_of(lambda: quantile.infer(self, self._levels(), params, rows, kind, None))

    def _require_sound_inference(self):
        kept = getattr(self, "_inference", None)
        if kept is not None and len(kept) != len(self._levels()):
            raise ModelFormatError("QuantileRegressor: its standard errors do not fit its levels; the file is damaged.")
        for one in kept or ():
            require_sound("QuantileRegressor", one, self._names_and_params()[1].shape[1])
