"""Inference of the estimators here: what they refuse, the rows that they need, what a fit keeps of it."""

from dataclasses import replace

import numpy as np

from mlwright._kernels.linalg import as_design
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.base import as_fitted
from mlwright.linear_model._glm._base import scores_of, usable_weights
from mlwright.linear_model._inference.covariance import Kind
from mlwright.linear_model._inference.door import InferenceMixin
from mlwright.linear_model._inference.glm import GlmRows, infer
from mlwright.linear_model._inference.kept import MOST_PARAMETERS, kept_of, require_sound, restored
from mlwright.linear_model._sparse_coef import dense_coef


class GlmInferenceMixin(InferenceMixin):
    """A subclass gives ``_law()`` and ``_penalised()``, and may give ``_targets(y)`` and ``_scores_for(X, ...)``.

    Its ``fit`` calls ``_keep_inference``, and its state declares ``_inference``.
    """

    _more_parameters = 0

    def _refuse_inference(self):
        name, law = type(self).__name__, self._law()
        if self._penalised():
            raise ValueError(
                f"{name}: a penalty biases the coefficients on purpose, and they have no standard errors; expected a "
                f"fit without one ({self._without_penalty}); or choose features by the penalty on other rows first."
            )
        if not law.has_law:
            raise ValueError(f"{name}: a loss of your own has no likelihood; expected a family by name.")

    def _rows_for_inference(self, X, y, sample_weight, **of_rows):
        rows = self._rows_again(X, self._targets(y))
        w = usable_weights(sample_weight, rows.X)
        if not np.isfinite(rows.y).all():
            explain_not_finite(self, rows)
        rows = self._glm_rows(rows, rows.y, w, self._scores_for(X, **of_rows))
        return replace(rows, has_offset=of_rows.get("offset") is not None)

    def _rows_again(self, X, y):
        """Rows of the fit, checked against what it knows of them."""
        return rows_for_fit(self, X, y, None, reset=False, multi_output=False)

    def _glm_rows(self, rows, y, w, eta):
        X = rows.X.tocsr() if rows.is_sparse else rows.X
        return GlmRows(X, as_design(X), y, w, eta)

    def _targets(self, y):
        return y

    def _scores_for(self, X):
        return scores_of(self, X)[:, 0]

    def _infer(self, rows, kind, use_t, weights):
        name = type(self).__name__
        if weights != "frequency":
            raise ValueError(f"{name}: weights={weights!r} is for least squares; expected 'frequency'.")
        if rows is not None:
            return self._infer_rows(rows, kind, use_t)
        kept = getattr(self, "_inference", None)
        if kept is None:
            raise ValueError(
                f"{name}: the fit kept no standard errors (dependent columns, no finite optimum, few rows, or more "
                f"than {MOST_PARAMETERS} parameters); expected inference(X, y) with the rows it was fitted on, which "
                "says why."
            )
        return restored(kept, *self._names_and_params(), use_t)

    def _infer_rows(self, rows, kind, use_t, check=True):
        return infer(self, self._law(), rows, kind, use_t, more_parameters=self._more_parameters, check=check)

    def _names_and_params(self):
        """Of the intercept, where there is one, and the coefficients."""
        a = int(as_fitted(self, "fit_intercept"))
        params = np.concatenate([np.ravel(self.intercept_)[:a], np.ravel(dense_coef(self))])
        return self._identified(("intercept",) * a + tuple(self._parameter_names()), params)

    def _identified(self, names, params):
        """Of names and parameters (..., k) those that the rows determine."""
        return names, params

    def _keep_inference(self, rows, y, w, scores, has_offset=False):
        """Called at the end of a fit; `rows` as validated, ``scores()`` theirs."""
        self._inference = None
        try:
            self._refuse_inference()
        except ValueError:
            return
        if self.converged_ and self.coef_.size + np.size(self.intercept_) <= MOST_PARAMETERS:
            rows = replace(self._glm_rows(rows, y[:, None], w, scores()), has_offset=has_offset)
            self._inference = kept_of(lambda: self._infer_rows(rows, Kind("nonrobust"), None, check=False))

    def _require_sound_inference(self):
        require_sound(type(self).__name__, getattr(self, "_inference", None), len(self._names_and_params()[1]))
